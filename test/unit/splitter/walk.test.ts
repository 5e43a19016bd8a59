import { afterEach, expect, test, vi } from 'vitest';
import type { KeyValue } from '../../../core/sdk/index.ts';
import { walk } from '../../../core/splitter/walk.ts';
import { keyValue, numberOf, sortedSource } from './number-key.ts';

afterEach(() => void vi.useRealTimers());

/** Every third number: a key with gaps. */
function threes(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => 3n * BigInt(index));
}

const facts = { min: keyValue(0), maxSeconds: 60 };

test('points lie exactly so many rows apart, the first at the smallest value', async () => {
  const { source } = sortedSource(threes(100));
  const told: number[] = [];
  const { points, seeks, isComplete } = await walk(source.step, { ...facts, pieces: 10, rowsPerStep: 7 }, (rows) => told.push(rows));
  expect(points.map(({ value }) => Number(value[0]) / 3)).toEqual([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98]);
  expect(points.every(({ rows }) => rows === 7)).toBe(true);
  expect([seeks, isComplete]).toEqual([15, true]);
  expect(told).toEqual([7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98]);
});

test.each([
  [1, 1],
  [2, 5],
  [3, 1],
  [7, 10],
])('a long key in %i pieces has no more than eight points for each, equally far apart, and steps as long', async (pieces, rowsPerStep) => {
  const { source } = sortedSource(threes(5000));
  const { points, seeks, isComplete } = await walk(source.step, { ...facts, pieces, rowsPerStep }, () => undefined);
  expect(isComplete).toBe(true);
  expect(points.length).toBeLessThanOrEqual(8 * pieces);
  expect(points.length).toBeGreaterThan(3 * pieces);
  const apart = points[0]!.rows;
  expect(points.map(({ value }) => numberOf(value))).toEqual(points.map((_, index) => 3n * BigInt(index * apart)));
  expect(points.every(({ rows }) => rows === apart)).toBe(true);
  expect(points.length * apart).toBeGreaterThanOrEqual(5000);
  // Steps double as points are dropped: their number grows with the logarithm of the rows.
  expect(seeks).toBeLessThan(8 * pieces * Math.log2(5000 / rowsPerStep));
});

test('the time being over ends it, and it says that there is more', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { source } = sortedSource(threes(1_000_000));
  const slow = (from: KeyValue | null, rows: number) => {
    vi.advanceTimersByTime(1000);
    return source.step(from, rows);
  };
  const { points, seeks, isComplete } = await walk(slow, { ...facts, maxSeconds: 5, pieces: 10, rowsPerStep: 100 }, () => undefined);
  expect([points.length, seeks, isComplete]).toEqual([6, 5, false]);
});

test('a key of one value is one point', async () => {
  const { source } = sortedSource([7n, 7n, 7n]);
  const walked = await walk(source.step, { ...facts, min: keyValue(7), pieces: 4, rowsPerStep: 2 }, () => undefined);
  expect(walked).toEqual({ points: [{ value: keyValue(7), rows: 2 }], seeks: 1, isComplete: true });
});

test('part of a row is no step', async () => {
  const { source } = sortedSource(threes(4));
  const { points } = await walk(source.step, { ...facts, pieces: 4, rowsPerStep: 0.2 }, () => undefined);
  expect(points).toHaveLength(4);
});
