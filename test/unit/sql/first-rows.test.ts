import type { KeyRange, Split } from 'dray/sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FirstRows, leftOutKeys, mostLeftOut } from '../../../plugins/_sql/first-rows.ts';

const primary = { columns: ['id'], kind: 'integer', origin: 'primary', isNullable: false, isIndexed: true } as const;

interface Table {
  readonly split: Split;
  readonly values: readonly bigint[];
}

function tableOf(name: string, values: readonly (number | bigint)[], keys: Split['keys'] = [primary]): Table {
  const sorted = [...new Set(values.map(BigInt))].sort((a, b) => (a < b ? -1 : 1));
  return { split: { name, part: { table: name }, keys }, values: sorted };
}

async function firstOf(tables: readonly Table[], warn: (message: string) => void = () => undefined): Promise<FirstRows> {
  const keysOf = ({ name }: Split) => {
    const { values } = tables.find(({ split }) => split.name === name)!;
    return {
      session: 'one',
      bounds: async () => (values.length === 0 ? undefined : { min: values[0]!, max: values.at(-1)! }),
      after: async (_: string, from: bigint | undefined, count: number) =>
        values.filter((value) => from === undefined || value > from).slice(0, count),
    };
  };
  return FirstRows.find(
    tables.map(({ split }) => split),
    keysOf,
    warn,
  );
}

function leftOut(first: FirstRows, split: Split): bigint[] {
  const found = first.leftOut(split);
  if (found === undefined) return [];
  const keys = leftOutKeys({ ...split, leftOut: found })!
    .keys.split(',')
    .map(BigInt);
  expect(found.rows).toBe(keys.length);
  return keys;
}

test('each key stays in the first table that has it, and is left out of all others, whatever their ranges', async () => {
  const tables = fc.array(fc.array(fc.bigInt({ min: -40n, max: 40n }), { maxLength: 60 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(tables, async (values) => {
      const all = values.map((own, index) => tableOf(`t${index}`, own));
      const first = await firstOf(all);
      for (const [index, { split, values: own }] of all.entries()) {
        const earlier = new Set(all.slice(0, index).flatMap((table) => table.values));
        expect(leftOut(first, split)).toEqual(own.filter((key) => earlier.has(key)));
      }
    }),
  );
});

test('a range gets the keys that lie in it', async () => {
  const keys = [-5, 0, 10, 20, 30, 2n ** 64n - 1n];
  const all = [tableOf('a', keys), tableOf('b', keys)];
  const first = await firstOf(all);
  const { split } = all[1]!;
  const within = (from: string | null, to: string | null, ends: Partial<KeyRange> = {}) =>
    leftOut(first, {
      ...split,
      range: { columns: ['id'], from: from === null ? null : [from], to: to === null ? null : [to], includesNull: false, ...ends },
    });
  expect(within(null, '10')).toEqual([-5n, 0n]);
  expect(within('10', '30')).toEqual([10n, 20n]);
  expect(within('10', '30', { includesTo: true })).toEqual([10n, 20n, 30n]);
  expect(within('10', null, { excludesFrom: true })).toEqual([20n, 30n, 2n ** 64n - 1n]);
  expect(within('11', '20')).toEqual([]);
});

test('a table of which rows are left out is cut by their key, also where splitPk says another; others are cut as they please', async () => {
  const other = { ...primary, columns: ['day'], origin: 'splitPk' } as const;
  const all = [tableOf('a', [1, 2], [other, primary]), tableOf('b', [2, 3], [other, primary])];
  const first = await firstOf(all);
  expect(first.cuttable(all[0]!.split)).toBe(all[0]!.split);
  expect(first.cuttable(all[1]!.split)).toMatchObject({ keys: [primary], notes: [expect.stringContaining('b is not cut by splitPk')] });
});

test('it tells how many rows of which tables, with some of their keys', async () => {
  const warnings: string[] = [];
  await firstOf([tableOf('a', [1, 2, 3, 4, 5, 6]), tableOf('b', [6, 7]), tableOf('c', [1, 2, 3, 4, 5, 6, 7])], (text) =>
    warnings.push(text),
  );
  expect(warnings.at(-1)).toBe(
    '8 rows are left out, because an earlier table has their primary key: 1 of b (id 6); 7 of c (id 1, 2, 3, 4, 5, …)',
  );
});

test('too many are refused', async () => {
  const many = Array.from({ length: mostLeftOut + 1 }, (_, index) => index);
  await expect(firstOf([tableOf('a', many), tableOf('b', many)])).rejects.toMatchObject({ code: 'SHARDS_COLLIDE' });
  await expect(firstOf([tableOf('a', many), tableOf('b', many.slice(1))])).resolves.toBeDefined();
});

test('a table that has a key twice is refused: which of the two is the first cannot be said', async () => {
  const twice = { ...tableOf('b', [2]), values: [2n, 2n] };
  await expect(firstOf([tableOf('a', [1, 3]), twice])).rejects.toMatchObject({ code: 'SHARDS_COLLIDE' });
});
