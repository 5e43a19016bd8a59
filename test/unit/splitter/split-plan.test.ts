import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyPoint, KeySource, LeftOut, Split, SplitKey } from '../../../core/sdk/index.ts';
import { splitBytesAt } from '../../../core/splitter/size.ts';
import { planSplits, rowsLeftOut, type SplitOptions } from '../../../core/splitter/split-plan.ts';
import { keyValue, numberKey } from './number-key.ts';

const MiB = 1 << 20;

interface Facts extends Partial<SplitOptions> {
  readonly source?: KeySource;
  readonly leftOut?: (split: Split) => LeftOut | undefined;
}

/** Plans parts whose keys are all told the same way; without a source none can be cut. */
function plan(parts: readonly Split[], { source, leftOut, ...options }: Facts = {}) {
  const reader = { ...(source === undefined ? {} : { openKey: async () => source }), ...(leftOut === undefined ? {} : { leftOut }) };
  const silent = { announce: () => undefined, progress: () => undefined };
  return planSplits(reader, parts, { channels: 1, splitBytes: splitBytesAt(undefined), ...silent, ...options });
}

/** A hundred points, a thousand rows at each; and a largest value behind them. */
const hundred: readonly KeyPoint[] = Array.from({ length: 100 }, (_, index) => ({ value: keyValue(index), rows: 1000 }));
const source: KeySource = {
  points: async () => ({ method: 'histogram', points: hundred }),
  bounds: async () => ({ min: keyValue(0), max: keyValue(99) }),
};

function table(name: string, mebibytes: number, facts: Partial<Split> = {}): Split {
  return { name, part: { name }, estimatedRows: 100_000, estimatedBytes: mebibytes * MiB, keys: [numberKey], ...facts };
}

function small(count: number, facts: Partial<Split> = {}): Split[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `small_${index}`,
    part: index,
    estimatedRows: 100,
    estimatedBytes: 10_000,
    keys: [numberKey],
    ...facts,
  }));
}

const single = (splits: readonly Split[]) => splits.flatMap((split) => split.members ?? [split]);

describe('small parts are packed', () => {
  test('a thousand tables on two channels are eight tasks of about equal size', async () => {
    const { splits } = await plan(small(1000), { channels: 2, source });
    expect(splits).toHaveLength(8);
    expect(splits.map(({ members }) => members?.length)).toEqual(Array(8).fill(125));
  });

  test('a thousand tables on one channel are three tasks, because opening each costs as much as reading it', async () => {
    const { splits } = await plan(small(1002), { source });
    expect(splits.map(({ members }) => members?.length)).toEqual([334, 334, 334]);
  });

  test('each is in exactly one task, and their order is kept', async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 200 * MiB })), {
      minLength: 1,
      maxLength: 300,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 8 }), async (bytes, channels) => {
        const parts = bytes.map((estimatedBytes, part): Split => ({ name: `t${part}`, part, estimatedBytes, estimatedRows: 10 }));
        const { splits } = await plan(parts, { channels });
        expect(single(splits).map(({ part }) => part)).toEqual(parts.map(({ part }) => part));
        for (const { members } of splits) if (members !== undefined) expect(members.length).toBeGreaterThan(1);
      }),
    );
  });

  test('no pack is bigger than a task should be, and no two neighbours would fit into one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 8 * MiB }), { minLength: 2, maxLength: 200 }), async (bytes) => {
        const parts = bytes.map((estimatedBytes, part): Split => ({ name: `t${part}`, part, estimatedBytes }));
        const { splits } = await plan(parts, { channels: 2 });
        const cost = (split: Split) => single([split]).reduce((sum, { estimatedBytes = 0 }) => sum + estimatedBytes + (128 << 10), 0);
        const perTask = Math.max(parts.reduce((sum, part) => sum + cost(part), 0) / 8, MiB);
        for (const split of splits) if (split.members !== undefined) expect(cost(split)).toBeLessThanOrEqual(perTask + 1);
        for (const [index, split] of splits.entries()) {
          const first = splits[index + 1]?.members?.[0] ?? splits[index + 1];
          if (first !== undefined) expect(cost(split) + cost(first)).toBeGreaterThan(perTask - 1);
        }
      }),
    );
  });

  test('a pack is named after its first two members, and adds up what they say', async () => {
    const { splits } = await plan(small(5), { source });
    expect(splits).toEqual([
      {
        name: 'small_0, small_1 and 3 more',
        estimatedRows: 500,
        estimatedBytes: 50_000,
        members: small(5).map(({ keys: _keys, ...rest }) => rest),
      },
    ]);
    expect((await plan(small(2))).splits[0]!.name).toBe('small_0 and small_1');
  });

  test('around a table that is cut, which stays where it stands', async () => {
    const [first, second, third, fourth] = small(4);
    const { splits } = await plan([first!, second!, table('big', 127), third!, fourth!], { source });
    expect(splits.map(({ name }) => name)).toEqual([
      'small_0 and small_1',
      'big id < 50',
      'big 50 <= id <= 99',
      'small_2 and small_3',
      'big id > 99',
    ]);
  });

  test('but not those that do not say how many bytes they have', async () => {
    const parts = Array.from({ length: 3 }, (_, part): Split => ({ name: `slice ${part}`, part, estimatedRows: 10 }));
    expect((await plan(parts)).splits).toEqual(parts);
    const nameless = Array.from({ length: 3 }, (_, part): Split => ({ name: `file ${part}`, part }));
    expect((await plan(nameless)).splits).toEqual(nameless);
  });

  test('a pack of which one member does not know its rows, does not know its rows', async () => {
    const { splits, estimatedRows, estimatedBytes } = await plan([...small(2), { name: 'file', estimatedBytes: 10_000 }]);
    expect(splits).toHaveLength(1);
    expect(splits[0]).not.toHaveProperty('estimatedRows');
    expect([estimatedRows, estimatedBytes]).toEqual([undefined, 30_000]);
  });
});

describe('tables are planned as one set', () => {
  test('and cut in proportion to their sizes', async () => {
    const { splits, parts } = await plan([table('small', 126), table('big', 510)], { source, channels: 2 });
    expect(parts.map((part) => [part.name, part.splits])).toEqual([
      ['small', 2],
      ['big', 8],
    ]);
    expect(splits).toHaveLength(2 + 8 + 1);
  });

  test('what has come behind the end of each is read last, by one task', async () => {
    const { splits } = await plan([table('a', 640), table('b', 640)], { source });
    const last = splits.at(-1)!;
    expect(last).toMatchObject({ name: 'new rows of 2 tables', estimatedRows: 0, estimatedBytes: 0 });
    expect(last.members?.map(({ name, range }) => [name, range?.from, range?.excludesFrom])).toEqual([
      ['a id > 99', ['99'], true],
      ['b id > 99', ['99'], true],
    ]);
    expect(splits.slice(0, -1).some(({ range }) => range?.excludesFrom)).toBe(false);
  });

  test('what has come behind the end of a single one is a task of its own', async () => {
    const { splits } = await plan([table('a', 640)], { source });
    expect(splits.at(-1)).toMatchObject({ name: 'a id > 99', estimatedRows: 0 });
    expect(splits.at(-1)).not.toHaveProperty('members');
  });

  test('keys are opened one after the other, each with its own part', async () => {
    const opened: string[] = [];
    let open = 0;
    const reader = {
      async openKey(split: Split, key: SplitKey) {
        opened.push(`${split.name} by ${key.columns.join()}`);
        expect(++open).toBe(1);
        await new Promise(setImmediate);
        open--;
        return source;
      },
    };
    await planSplits(reader, [table('a', 640), table('b', 640), ...small(2)], {
      ...{ channels: 1, splitBytes: splitBytesAt(undefined) },
      ...{ announce: () => undefined, progress: () => undefined },
    });
    expect(opened).toEqual(['a by id', 'b by id']);
  });
});

describe('splits', () => {
  test('say where they are, how much is in them, and nothing that only planning needs', async () => {
    const part = table('orders', 127, { isFiltered: true, notes: ['old'], refresh: 'ANALYZE orders' });
    const { splits } = await plan([part], { source });
    const range = { columns: ['id'], includesNull: false };
    const about = { part: { name: 'orders' }, estimatedRows: 50_000, estimatedBytes: 63.5 * MiB };
    expect(splits).toEqual([
      { ...about, name: 'orders id < 50', range: { ...range, from: null, to: ['50'] } },
      { ...about, name: 'orders 50 <= id <= 99', range: { ...range, from: ['50'], to: ['99'], includesTo: true } },
      {
        ...about,
        name: 'orders id > 99',
        range: { ...range, from: ['99'], to: null, excludesFrom: true },
        estimatedRows: 0,
        estimatedBytes: 0,
      },
    ]);
  });

  test.each<[string, Partial<SplitKey>]>([
    ['texts', { columns: ['email'], kind: 'string' }],
    ['dates', { columns: ['born'], kind: 'date' }],
    ['bytes', { columns: ['token'], kind: 'bytes' }],
    ['several columns', { columns: ['shop', 'email'] }],
  ])('are numbered where the key holds %s, whose values do not belong into logs', async (_, facts) => {
    const columns = facts.columns!.length;
    const secret = (value: number) => Array.from({ length: columns }, (__, at) => `secret${value}${at}`);
    const told: KeySource = {
      points: async () => ({ method: 'sample', points: hundred.map((point, index) => ({ ...point, value: secret(index) })) }),
      bounds: async () => ({ min: secret(0), max: secret(99) }),
    };
    const { splits } = await plan([table('people', 127, { keys: [{ ...numberKey, ...facts }] })], { source: told });
    expect(splits.map(({ name }) => name)).toEqual(['people (1 of 2)', 'people (2 of 2)', 'people (new rows)']);
    expect(splits[1]!.range?.from?.[0]).toContain('secret');
  });

  test('of blocks say which', async () => {
    const blocks: SplitKey = { ...numberKey, columns: ['ctid'], kind: 'blocks', origin: 'storage' };
    const points = [0, 50].map((block) => ({ value: [`(${block},0)`], rows: 50_000 }));
    const { splits } = await plan([table('orders', 127, { keys: [blocks] })], {
      source: { points: async () => ({ method: 'blocks', points }) },
    });
    expect(splits.map(({ name }) => name)).toEqual(['orders ctid < (50,0)', 'orders ctid >= (50,0)']);
  });

  test('add up to what the parts say', async () => {
    const { estimatedRows, estimatedBytes, splits } = await plan([table('a', 640), ...small(3), table('b', 100)], { source });
    expect(estimatedRows).toBe(200_300);
    expect(Math.abs(estimatedBytes! - (740 * MiB + 30_000))).toBeLessThan(splits.length);
  });

  test('without rows, if one of them does not know', async () => {
    const { estimatedRows, estimatedBytes } = await plan([table('a', 640), { name: 'query' }], { source });
    expect([estimatedRows, estimatedBytes]).toEqual([undefined, undefined]);
  });
});

describe('what became of each part is told', () => {
  test('with its key, the reason, the method, how even it is, and notes of the reader before those of the plan', async () => {
    const part = table('orders', 319, { estimatedRows: 10, notes: ['from the reader'], refresh: 'ANALYZE orders' });
    const { parts } = await plan([part], { source });
    expect(parts).toEqual([
      {
        name: 'orders',
        key: 'id',
        why: 'primary key, integer',
        method: 'histogram',
        estimatedRows: 100_000,
        estimatedBytes: 319 * MiB,
        splits: 5,
        evenness: 1,
        dives: 0,
        seeks: 2,
        notes: [
          'from the reader',
          'the statistics of orders are out of date: they say 10 rows, its key about 100,000; ANALYZE orders brings them up to date',
        ],
      },
    ]);
  });

  test('uneven ranges are told as such', async () => {
    const points = [{ value: ['0'], rows: 10_000 }, ...Array.from({ length: 9 }, (_, at) => ({ value: [`${at + 1}`], rows: 90_000 / 9 }))];
    points[5] = { value: ['5'], rows: 60_000 };
    const { parts } = await plan([table('orders', 319)], { source: { points: async () => ({ method: 'sample', points }) } });
    // 30,000, 20,000, 60,000 and 40,000 rows.
    expect(parts[0]).toMatchObject({ splits: 4, evenness: 1.6 });
  });

  test('a part that is read as a whole has one split, and keeps its key if it had one', async () => {
    const { parts } = await plan([...small(1), { name: 'view', keys: [] }], { source, channels: 2 });
    expect(parts).toMatchObject([
      { name: 'small_0', key: 'id', why: 'it is small', method: 'whole', splits: 1, evenness: 1 },
      { name: 'view', key: undefined, why: 'it has no key by which it could be cut', method: 'whole', splits: 1, evenness: 1 },
    ]);
  });
});

test('a reader without keys is asked for none', async () => {
  const { splits, parts } = await plan([table('orders', 640)]);
  expect(splits).toHaveLength(1);
  expect(parts[0]).toMatchObject({ method: 'whole', why: 'no value of id was found to cut at' });
});

test('a reader says of each range, and of each member of a pack, what is left out of it', async () => {
  const asked: string[] = [];
  const leftOut = ({ name, range }: Split) => {
    asked.push(name);
    return range?.to === null ? undefined : { rows: 2, state: name };
  };
  const { splits } = await plan([table('big', 400), ...small(3)], { channels: 2, source, leftOut });
  const leaves = single(splits);
  expect(leaves.length).toBeGreaterThan(splits.length);
  expect([...asked].sort()).toEqual(leaves.map(({ name }) => name).sort());
  expect(leaves.filter(({ name, leftOut: found, range }) => found?.state !== (range?.to === null ? undefined : name))).toEqual([]);
  expect(splits.filter(({ members, leftOut: found }) => members !== undefined && found !== undefined)).toEqual([]);
  expect(rowsLeftOut(splits)).toBe(2 * leaves.filter((leaf) => leaf.leftOut !== undefined).length);
});
