import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyRange, Split, SplitKey } from '../../../core/sdk/index.ts';
import { cutSplits, integerRanges } from '../../../core/splitter/splitter.ts';

/** Keys of any width, far beyond 64 bits. */
const anyKey = fc
  .tuple(
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.oneof(fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 0n, max: 2n ** 70n })),
    fc.boolean(),
  )
  .map(([min, width, isNullable]): SplitKey => ({ column: 'id', min: String(min), max: String(min + width), isNullable }));

function holds({ from, to }: KeyRange, value: bigint): boolean {
  return (from === null || value >= BigInt(from)) && (to === null || value < BigInt(to));
}

test('any integer, within the bounds or outside of them, is in exactly one range', () => {
  fc.assert(
    fc.property(anyKey, fc.integer({ min: -1, max: 20 }), fc.bigInt({ min: -(2n ** 72n), max: 2n ** 72n }), (key, count, anywhere) => {
      const ranges = integerRanges(key, count);
      const cuts = ranges.flatMap(({ to }) => (to === null ? [] : [BigInt(to) - 1n, BigInt(to)]));
      for (const value of [anywhere, BigInt(key.min), BigInt(key.max), ...cuts]) {
        expect(ranges.filter((range) => holds(range, value))).toHaveLength(1);
      }
    }),
  );
});

test('every range but the ends holds an integer between the bounds', () => {
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 1, max: 20 }), (key, count) => {
      const ranges = integerRanges(key, count);
      expect(ranges.length).toBeLessThanOrEqual(count);
      for (const { from, to } of ranges) {
        const low = from === null ? BigInt(key.min) : BigInt(from);
        const high = to === null ? BigInt(key.max) : BigInt(to) - 1n;
        expect(low <= high).toBe(true);
      }
    }),
  );
});

test('the first range is open below, the last one above, and widths differ by at most one', () => {
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 2, max: 20 }), (key, count) => {
      const ranges = integerRanges(key, count);
      expect(ranges[0]!.from).toBeNull();
      expect(ranges.at(-1)!.to).toBeNull();
      const edges = [BigInt(key.min), ...ranges.flatMap(({ to }) => (to === null ? [] : [BigInt(to)])), BigInt(key.max) + 1n];
      const widths = edges.slice(1).map((edge, index) => edge - edges[index]!);
      const [least, most] = [widths.reduce((a, b) => (a < b ? a : b)), widths.reduce((a, b) => (a > b ? a : b))];
      expect(most - least <= 1n).toBe(true);
    }),
  );
});

test('rows without a key are in exactly one range where there may be some, and in none otherwise', () => {
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 1, max: 20 }), (key, count) => {
      const including = integerRanges(key, count).filter(({ includesNull }) => includesNull);
      expect(including).toHaveLength(key.isNullable ? 1 : 0);
    }),
  );
});

const key: SplitKey = { column: 'id', min: '1', max: '1000000', isNullable: false };

test('a single channel takes splits as they are', () => {
  const splits: Split[] = [{ name: 'a', key, estimatedRows: 1e9 }, { name: 'b' }];
  expect(cutSplits(splits, 1)).toEqual(splits);
});

test('a big table becomes several tasks per channel, and their names say which part they are', () => {
  const cut = cutSplits([{ name: 'orders', key, estimatedRows: 10_000_000 }], 2);
  expect(cut).toHaveLength(8);
  expect(cut[0]!.name).toBe('orders id < 125001');
  expect(cut[1]!.name).toBe('orders 125001 <= id < 250001');
  expect(cut.at(-1)!.name).toBe('orders id >= 875001');
  expect(cut.reduce((sum, { estimatedRows }) => sum + estimatedRows!, 0)).toBe(10_000_000);
});

test('a small table, a table without a key and a split that is a range already stay whole', () => {
  const range = { column: 'id', from: null, to: '5', includesNull: false };
  const splits: Split[] = [
    { name: 'small', key, estimatedRows: 10 },
    { name: 'keyless', estimatedRows: 1e9 },
    { name: 'ranged', key, range, estimatedRows: 1e9 },
  ];
  expect(cutSplits(splits, 4)).toEqual(splits);
});

test('of two tables the bigger one gets more tasks', () => {
  const cut = cutSplits(
    [
      { name: 'big', key, estimatedRows: 3_000_000 },
      { name: 'less', key, estimatedRows: 1_000_000 },
    ],
    4,
  );
  const count = (name: string) => cut.filter((split) => split.name.startsWith(name)).length;
  expect([count('big'), count('less')]).toEqual([12, 4]);
});

test('a table of unknown size is cut for all channels', () => {
  expect(cutSplits([{ name: 'unknown', key }], 4)).toHaveLength(4);
});
