import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyPoint, KeyRange, SplitKey } from '../../../core/sdk/index.ts';
import { cutsAmong, rangesOf, rangeText, type SizedRange } from '../../../core/splitter/ranges.ts';
import { holds, keyValue, numberKey } from './number-key.ts';

function point(value: number, rows: number): KeyPoint {
  return { value: keyValue(value), rows };
}

function isTail({ range }: SizedRange): boolean {
  return range.excludesFrom === true;
}

const anyRows = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.double({ min: 0, max: 1e9, noNaN: true }));

/** Points at rising values, and perhaps a largest value, which is that of the last point or lies behind it. */
const anyPoints = fc
  .record({
    values: fc.uniqueArray(fc.integer({ min: -200, max: 200 }), { minLength: 1, maxLength: 40 }),
    rows: fc.array(anyRows, { minLength: 40, maxLength: 40 }),
    beyond: fc.option(fc.nat(5), { nil: undefined }),
  })
  .map(({ values, rows, beyond }) => {
    const points = values.toSorted((one, other) => one - other).map((value, index) => point(value, rows[index]!));
    const max = beyond === undefined ? undefined : keyValue(Number(points.at(-1)!.value[0]) + beyond);
    return { points, max };
  });

const anyPieces = fc.oneof(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 2, max: 30 }));

test('every key is in exactly one range, NULL too where there may be one, and rows that come behind the largest value', () => {
  fc.assert(
    fc.property(anyPoints, anyPieces, fc.boolean(), ({ points, max }, pieces, isNullable) => {
      const ranges = rangesOf({ ...numberKey, isNullable }, points, pieces, max).map(({ range }) => range);
      fc.pre(ranges.length > 0);
      const holding = (value: bigint | null) => ranges.filter((range) => holds(range, value)).length;
      for (let value = -202n; value <= 210n; value++) expect(holding(value)).toBe(1);
      expect(holding(null)).toBe(isNullable ? 1 : 0);
    }),
  );
});

test('each range begins where the one before it ends', () => {
  fc.assert(
    fc.property(anyPoints, anyPieces, ({ points, max }, pieces) => {
      const ranges = rangesOf(numberKey, points, pieces, max).map(({ range }) => range);
      fc.pre(ranges.length > 0);
      expect(ranges.map(({ from }) => from)).toEqual([null, ...ranges.slice(0, -1).map(({ to }) => to)]);
      expect(ranges.at(-1)!.to).toBeNull();
      for (const [index, { excludesFrom }] of ranges.entries()) {
        expect(excludesFrom === true).toBe(index > 0 && ranges[index - 1]!.includesTo === true);
      }
    }),
  );
});

test('there are no more ranges than pieces, beside the one for what is still to come', () => {
  fc.assert(
    fc.property(anyPoints, anyPieces, ({ points, max }, pieces) => {
      const ranges = rangesOf(numberKey, points, pieces, max);
      expect(ranges.filter((range) => !isTail(range)).length).toBeLessThanOrEqual(pieces);
      if (ranges.length > 0) expect(ranges.filter(isTail)).toHaveLength(max === undefined ? 0 : 1);
    }),
  );
});

test('no row is counted twice or forgotten', () => {
  fc.assert(
    fc.property(anyPoints, anyPieces, ({ points, max }, pieces) => {
      const ranges = rangesOf(numberKey, points, pieces, max);
      fc.pre(ranges.length > 0);
      const total = points.reduce((sum, { rows }) => sum + rows, 0);
      expect(Math.abs(ranges.reduce((sum, { rows }) => sum + rows, 0) - total)).toBeLessThanOrEqual(ranges.length);
    }),
  );
});

test('ranges are even where no point has more than a quarter of a piece: as many as pieces, none twice the mean', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 50, max: 100 }), { minLength: 40, maxLength: 400 }),
      fc.integer({ min: 2, max: 5 }),
      (rows, pieces) => {
        const points = rows.map((count, index) => point(index, count));
        const sizes = rangesOf(numberKey, points, pieces, undefined).map((range) => range.rows);
        expect(sizes).toHaveLength(pieces);
        const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
        expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * mean);
      },
    ),
  );
});

test('a value that has more rows than three pieces gets a range of its own, with at most half a piece behind it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 4, max: 20 }), (heavyAt, pieces) => {
      const points = Array.from({ length: 100 }, (_, index) => point(index, index === heavyAt ? 10_000 : 1));
      const share = 10_099 / pieces;
      const withHeavy = rangesOf(numberKey, points, pieces, undefined).find(({ range }) => holds(range, BigInt(heavyAt)))!;
      expect(withHeavy.range.from).toEqual(heavyAt === 0 ? null : keyValue(heavyAt));
      expect(withHeavy.rows - 10_000).toBeLessThanOrEqual(share / 2);
      if (100 - heavyAt - 1 > share / 2) expect(withHeavy.range.to).toEqual(keyValue(heavyAt + 1));
    }),
  );
});

describe('nothing is cut', () => {
  test.each<[string, KeyPoint[]]>([
    ['without points', []],
    ['with one point', [point(1, 100)]],
    ['if no point has rows', [point(1, 0), point(2, 0)]],
  ])('%s', (_, points) => {
    expect(rangesOf(numberKey, points, 4, keyValue(9))).toEqual([]);
  });
});

test('rows are cut at the points nearest to equal shares', () => {
  const points = [10, 10, 10, 10, 10, 10].map((rows, index) => point(index, rows));
  expect(cutsAmong(points, 2)).toEqual([3]);
  expect(cutsAmong(points, 3)).toEqual([2, 4]);
  expect(cutsAmong(points, 100)).toEqual([1, 2, 3, 4, 5]);
});

test('a heavy point is cut off on one side only where that makes all the pieces', () => {
  const points = [11, 4, 439, 7].map((rows, index) => point(index, rows));
  expect(cutsAmong(points, 2)).toEqual([2]);
  expect(cutsAmong(points, 4)).toEqual([2, 3]);
});

test('ranges carry the columns and the state of their key, and rows in whole numbers', () => {
  const key: SplitKey = { ...numberKey, columns: ['shop', 'number'], state: { index: 'PRIMARY' } };
  const points = [
    { value: ['1', '1'], rows: 10.4 },
    { value: ['1', '7'], rows: 10.4 },
  ];
  const facts = { columns: ['shop', 'number'], state: { index: 'PRIMARY' }, includesNull: false };
  expect(rangesOf(key, points, 2, ['2', '3'])).toEqual([
    { range: { ...facts, from: null, to: ['1', '7'] }, rows: 10, inner: [] },
    { range: { ...facts, from: ['1', '7'], to: ['2', '3'], includesTo: true }, rows: 10, inner: [] },
    { range: { ...facts, from: ['2', '3'], to: null, excludesFrom: true }, rows: 0, inner: [] },
  ]);
});

test.each<[Partial<KeyRange>, string]>([
  [{ from: ['10'], to: ['20'] }, '10 <= id < 20'],
  [{ from: ['10'], to: ['20'], includesTo: true }, '10 <= id <= 20'],
  [{ from: ['10'], to: ['20'], excludesFrom: true }, '10 < id < 20'],
  [{ to: ['20'] }, 'id < 20'],
  [{ to: ['20'], includesTo: true }, 'id <= 20'],
  [{ to: ['20'], includesNull: true }, 'id is null or id < 20'],
  [{ from: ['10'] }, 'id >= 10'],
  [{ from: ['10'], excludesFrom: true }, 'id > 10'],
  [{}, 'any id'],
  [{ columns: ['shop', 'number'], from: ['1', '2'], to: ['3', '4'] }, '(1, 2) <= (shop, number) < (3, 4)'],
])('a range %j is told as "%s"', (facts, text) => {
  expect(rangeText({ columns: ['id'], from: null, to: null, includesNull: false, ...facts })).toBe(text);
});
