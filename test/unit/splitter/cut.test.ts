import { afterEach, describe, expect, test, vi } from 'vitest';
import type { KeyPoint, KeySource, Split, SplitKey } from '../../../core/sdk/index.ts';
import { cutPart } from '../../../core/splitter/cut.ts';
import { splitSizes } from '../../../core/splitter/size.ts';
import { holds, keyValue, numberKey, sortedSource } from './number-key.ts';

afterEach(() => void vi.useRealTimers());

const rows = 100_000;
const numbers = Array.from({ length: rows }, (_, index) => BigInt(index));
const orders: Split = { name: 'orders', estimatedRows: rows, estimatedBytes: 799e6, keys: [numberKey], refresh: 'ANALYZE orders' };
const size = { channels: 1, splitBytes: 100e6 };

/** Cuts a part by a source, of whose calls `calls` has the order, announcements among them. */
async function cut(source: KeySource, { part = orders, calls = [] as string[], facts = size } = {}) {
  const progress: string[] = [];
  const result = await cutPart(part, {
    ...splitSizes([part], facts),
    splitBytes: facts.splitBytes,
    openKey: async () => source,
    announce: (message) => calls.push(`say: ${message}`),
    progress: (message) => progress.push(message),
  });
  return { ...result, progress };
}

/** Points at equal distances, with so many rows each. */
function evenly(count: number, rowsEach: number): KeyPoint[] {
  return Array.from({ length: count }, (_, index) => ({ value: keyValue(index * 10), rows: rowsEach }));
}

describe('what costs least is tried first', () => {
  test('points from statistics, and the largest value; nothing else is asked', async () => {
    const { source, calls } = sortedSource(numbers);
    const points = async (count: number) => {
      calls.push(`points ${count}`);
      return { method: 'histogram', points: evenly(100, 1000), notes: ['something to know'] };
    };
    const { method, ranges, notes } = await cut({ ...source, points }, { calls });
    expect(calls).toEqual(['points 32', 'bounds']);
    expect([method, notes]).toEqual(['histogram', ['something to know']]);
    expect(ranges).toHaveLength(8 + 1);
    expect(ranges.at(-1)!.range.from).toEqual(keyValue(rows - 1));
  });

  test('then index dives, which announce nothing', async () => {
    const { source, calls } = sortedSource(numbers);
    const { method, ranges, dives, seeks } = await cut({ ...source, points: async () => undefined }, { calls });
    expect([...new Set(calls)]).toEqual(['bounds', 'estimate', 'between']);
    expect(method).toBe('index dives');
    expect(ranges).toHaveLength(8 + 1);
    expect(dives).toBeGreaterThan(32);
    expect(seeks).toBeGreaterThan(32);
  });

  test('then a walk through the index, announced before it begins', async () => {
    const { source, calls } = sortedSource(numbers);
    const { bounds, step, scan } = source;
    const { method, ranges, seeks, rows: counted, progress } = await cut({ bounds, step, scan }, { calls });
    expect(calls.filter((call) => call !== 'step')).toEqual([
      'bounds',
      'say: planning reads the index of id of orders, for at most 30 s, because its statistics do not tell where to cut',
      'bounds',
    ]);
    expect(calls[2]).toBe('step');
    expect(method).toBe('keyset walk');
    expect(ranges).toHaveLength(8 + 1);
    expect(seeks).toBe(calls.filter((call) => call === 'step').length + 4);
    expect(counted).toBe(rows);
    expect(progress[0]).toBe('planning: orders, 5,000 values of id');
  });

  test('and at last a scan, announced before it begins', async () => {
    const { source, calls } = sortedSource(numbers);
    const { method, ranges, rows: counted } = await cut({ scan: source.scan }, { calls });
    expect(calls).toEqual(['say: planning reads orders once, because nothing else tells where the values of id lie', 'scan']);
    expect([method, counted]).toEqual(['scan', rows]);
    expect(ranges).toHaveLength(8);
  });
});

describe('index dives are passed over', () => {
  test('where nothing is known of the values', async () => {
    const { source, calls } = sortedSource(numbers);
    const part = { ...orders, keys: [{ ...numberKey, lacksStatistics: true }] };
    expect((await cut(source, { part, calls })).method).toBe('keyset walk');
    expect(calls).not.toContain('estimate');
  });

  test('where they led to no even ranges within their bounds', async () => {
    const { source, calls } = sortedSource(numbers);
    const between: KeySource['between'] = async (gaps) => gaps.map(({ low }) => keyValue(Number(low[0]) + 1));
    const { method, dives } = await cut({ ...source, between }, { calls });
    expect(method).toBe('keyset walk');
    expect(dives).toBeGreaterThan(64);
    expect(calls.findIndex((call) => call.startsWith('say: '))).toBeLessThan(calls.indexOf('step'));
  });

  test('but not where their bounds ended them when ranges were even already', async () => {
    const { source, calls } = sortedSource(numbers);
    // The last eighth is never really halved; it is one piece.
    const between: KeySource['between'] = async (gaps) => {
      const middles = await source.between(gaps);
      return gaps.map(({ low }, index) => (Number(low[0]) < 87_000 ? middles[index] : keyValue(Number(low[0]) + 1)));
    };
    const { method, dives } = await cut({ ...source, between }, { calls });
    expect(method).toBe('index dives');
    expect(dives).toBeGreaterThan(2 * 64);
    expect(calls).not.toContain('step');
  });

  test('but not where there is no index to walk through', async () => {
    const { source } = sortedSource(numbers);
    const between: KeySource['between'] = async (gaps) => gaps.map(({ low }) => keyValue(Number(low[0]) + 1));
    expect((await cut({ bounds: source.bounds, estimate: source.estimate, between })).method).toBe('index dives');
  });
});

describe('a part is read as a whole', () => {
  const { source } = sortedSource(numbers);

  test.each<[string, Partial<Split>, string]>([
    ['if it has no key', { keys: [] }, 'it has no key by which it could be cut'],
    ['if the reader has cut it', { range: { columns: ['id'], from: null, to: null, includesNull: true } }, 'the reader has cut it'],
    ['if one task is enough for one channel', { estimatedBytes: 90e6 }, 'one task is enough'],
  ])('%s', async (_, facts, why) => {
    expect(await cut(source, { part: { ...orders, ...facts } })).toMatchObject({ method: 'whole', why, ranges: [], rows });
  });

  test('if it is small', async () => {
    const small = { ...orders, estimatedRows: 1000, estimatedBytes: 10_000 };
    const { method, why } = await cut(source, { part: small, facts: { ...size, channels: 4 } });
    expect([method, why]).toEqual(['whole', 'it is small']);
  });

  test.each<[string, KeySource]>([
    ['if the table has become empty', sortedSource([]).source],
    ['if its source can tell nothing', {}],
    ['if its source has no statistics and nothing else', { points: async () => undefined }],
  ])('%s', async (_, empty) => {
    const { method, why, ranges } = await cut(empty);
    expect([method, why, ranges]).toEqual(['whole', 'no value of id was found to cut at', []]);
  });

  test('if all its rows have one value; the work that found that out is told', async () => {
    const { source: same } = sortedSource(numbers.map(() => 7n));
    expect(await cut(same)).toMatchObject({
      method: 'whole',
      why: 'its rows lie too close together',
      ranges: [],
      rows,
      dives: 1,
      seeks: 4,
    });
  });
});

describe('rows as the metadata states them', () => {
  const known = (rowsInAll: number): KeySource => ({ points: async () => ({ method: 'histogram', points: evenly(40, rowsInAll / 40) }) });
  const outdated = (says: string, key: string) => `the statistics of orders are out of date: they say ${says} rows, its key about ${key}`;

  test('are spread over the ranges, where the key thinks of about as many', async () => {
    for (const factor of [0.26, 1, 3.9]) {
      const { ranges, rows: counted, notes } = await cut(known(rows * factor));
      expect([counted, notes]).toEqual([rows, []]);
      expect(ranges.map((range) => range.rows)).toEqual(Array(8).fill(rows / 8));
    }
  });

  test.each([
    ['many more', 400_040],
    ['many less', 24_000],
  ])('are not believed if the key thinks of %s, and the command that mends it is told', async (_, thought) => {
    const { ranges, rows: counted, notes } = await cut(known(thought));
    expect(notes).toEqual([`${outdated('100,000', thought.toLocaleString('en-US'))}; ANALYZE orders brings them up to date`]);
    expect(counted).toBe(thought);
    expect(ranges.reduce((sum, range) => sum + range.rows, 0)).toBe(thought);
  });

  test('are not doubted where only some of the rows pass', async () => {
    const { rows: counted, notes } = await cut(known(1_000_000), { part: { ...orders, isFiltered: true } });
    expect([counted, notes]).toEqual([rows, []]);
  });

  test('are doubted without a command where there is none', async () => {
    const { refresh: _refresh, ...part } = orders;
    expect((await cut(known(1_000_000), { part })).notes).toEqual([outdated('100,000', '1,000,000')]);
  });

  test('that lie in no range of values are the NULLs, which go with the first one; the others are cut as usual', async () => {
    const part = { ...orders, keys: [{ ...numberKey, isNullable: true }] };
    const { ranges, rows: counted, notes } = await cut(known(20_000), { part });
    expect([counted, notes]).toEqual([rows, ['about 80,000 rows of orders have no id: one task reads them all']]);
    expect(ranges.map((range) => range.rows)).toEqual([80_500, 7000, 12_500]);
    expect(ranges[0]!.range).toMatchObject({ from: null, includesNull: true });
  });

  test('may differ from those of a key with NULLs as from any other', async () => {
    const part = { ...orders, keys: [{ ...numberKey, isNullable: true }] };
    expect(await cut(known(70_000), { part })).toMatchObject({ rows, notes: [] });
    expect((await cut(known(1_000_000), { part })).notes).toEqual([expect.stringContaining('out of date')]);
    const unknown = { ...part, keys: [{ ...numberKey, isNullable: true, lacksStatistics: true }] };
    expect(await cut(known(20_000), { part: unknown })).toMatchObject({ rows: 20_000, notes: [expect.stringContaining('out of date')] });
    const { rows: counted, notes } = await cut(known(20_000), { part: { ...part, isFiltered: true } });
    expect([counted, notes]).toEqual([rows, []]);
  });

  test('give way to a count without a word', async () => {
    const { source } = sortedSource(numbers);
    const part = { ...orders, estimatedRows: 1000 };
    expect(await cut({ scan: source.scan }, { part })).toMatchObject({ rows, notes: [], method: 'scan' });
  });
});

describe('a query of which nothing is known', () => {
  const query: Split = { name: 'querySql', keys: [{ ...numberKey, origin: 'splitPk', isIndexed: false }] };
  const facts = { channels: 2, splitBytes: 64 << 20 };

  test('is cut for the channels', async () => {
    const { source } = sortedSource(Array.from({ length: 400_000 }, (_, index) => BigInt(index)));
    expect((await cut({ scan: source.scan }, { part: query, facts })).ranges).toHaveLength(8);
  });

  test('is read as a whole if it turns out to be small', async () => {
    const { source } = sortedSource(numbers.slice(0, 1000));
    const { method, why, rows: counted } = await cut({ scan: source.scan }, { part: query, facts });
    expect([method, why, counted]).toEqual(['whole', 'its rows lie too close together', 1000]);
  });
});

test('a walk that runs out of time cuts what it has seen in proportion, and leaves the rest to one task', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { source } = sortedSource(numbers);
  const step: KeySource['step'] = (from, count) => {
    vi.advanceTimersByTime(3000);
    return source.step(from, count);
  };
  const { ranges, rows: counted, notes } = await cut({ bounds: source.bounds, step });
  expect(notes).toEqual(['planning stopped reading the index of id of orders after 30 s: the rest is one task']);
  expect(counted).toBe(rows);
  const sizes = ranges.map((range) => range.rows);
  expect(sizes.slice(0, -2)).toEqual([10_000, 15_000, 10_000, 15_000]);
  expect(sizes.slice(-2)).toEqual([50_000, 0]);
});

test('rows that come behind the end while it is walked through are read once', async () => {
  const growing = numbers.slice(0, 50_000);
  const { source } = sortedSource(growing);
  const step: KeySource['step'] = async (from, count) => {
    for (let more = 0; more < 2500; more++) growing.push(BigInt(growing.length));
    return growing.length > 150_000 ? undefined : source.step(from, count);
  };
  const { ranges } = await cut({ bounds: source.bounds, step });
  expect(ranges.length).toBeGreaterThan(4);
  for (const value of [...growing, BigInt(growing.length + 10)]) {
    expect(ranges.filter(({ range }) => holds(range, value)).length).toBe(1);
  }
});

test('the state that points come with replaces that of the key in every range', async () => {
  const part = { ...orders, keys: [{ ...numberKey, state: { casts: ['tid'] } } satisfies SplitKey] };
  const points = async () => ({ method: 'blocks', points: evenly(40, 2500), state: { casts: ['tid'], snapshot: '0003-1' } });
  const { ranges, key } = await cut({ points }, { part });
  expect(ranges.map(({ range }) => range.state)).toEqual(Array(8).fill({ casts: ['tid'], snapshot: '0003-1' }));
  expect(key?.state).toEqual({ casts: ['tid'] });
});

test('a source that fails fails the plan', async () => {
  await expect(cut({ points: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
});
