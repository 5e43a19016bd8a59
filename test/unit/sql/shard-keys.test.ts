import type { Split } from 'dray/sdk';
import { expect, test } from 'vitest';
import { type KeyReader, requireDistinctKeys } from '../../../plugins/_sql/shard-keys.ts';

/** A table whose keys are in memory. */
function tableOf(name: string, values: readonly number[]): { readonly split: Split; readonly keys: KeyReader; asked: number } {
  const sorted = values.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
  const table = {
    asked: 0,
    split: {
      name,
      part: name,
      keys: [{ columns: ['id'], kind: 'integer' as const, origin: 'primary' as const, isNullable: false, isIndexed: true }],
    },
    keys: {
      session: name.slice(0, 1),
      bounds: async () => (sorted.length === 0 ? undefined : { min: sorted[0]!, max: sorted.at(-1)! }),
      after: async (_: string, from: bigint | undefined, count: number) => {
        table.asked++;
        return sorted.filter((value) => from === undefined || value > from).slice(0, count);
      },
    },
  };
  return table;
}

function compare(tables: readonly ReturnType<typeof tableOf>[]): Promise<void> {
  const keysOf = (split: Split) => tables.find((table) => table.split.name === split.name)!.keys;
  return requireDistinctKeys(
    tables.map(({ split }) => split),
    keysOf,
    () => undefined,
  );
}

const every = (step: number, from: number, count: number) => Array.from({ length: count }, (_, n) => from + n * step);

test('keys that interleave are all read, in several steps, and differ', async () => {
  const tables = [
    tableOf('a', every(3, 0, 50_000)),
    tableOf('b', every(3, 1, 50_000)),
    tableOf('c', every(3, 140_000, 7)),
    tableOf('d', []),
  ];
  await expect(compare(tables)).resolves.toBeUndefined();
  expect(tables.map(({ asked }) => asked)).toEqual([3, 3, 1, 0]);
});

test.each([0, 19_999, 20_000, 39_999, 49_999])('a key that stands in two tables is found wherever it is, at %d', async (place) => {
  const tables = [tableOf('a', every(3, 0, 50_000)), tableOf('b', [...every(3, 1, 50_000), 3 * place]), tableOf('c', [200_000])];
  await expect(compare(tables)).rejects.toMatchObject({ code: 'SHARDS_COLLIDE', message: expect.stringContaining('primary key (id)') });
});

test('a table whose keys lie apart from all others is not read', async () => {
  const tables = [tableOf('a', every(2, 0, 10)), tableOf('b', every(2, 1, 10)), tableOf('c', [-5, -1]), tableOf('d', [20])];
  await compare(tables);
  expect(tables.map(({ asked }) => asked)).toEqual([1, 1, 0, 0]);
});
