import { describe, expect, test } from 'vitest';
import { bisect } from '../../../core/splitter/bisect.ts';
import { rangesOf } from '../../../core/splitter/ranges.ts';
import { holds, keyValue, numberKey, numberOf, random, type SortedFacts, sortedSource } from './number-key.ts';

const rows = 20_000;

function numbers(numberAt: (index: number, chance: number) => bigint): bigint[] {
  const chance = random(7);
  return Array.from({ length: rows }, (_, index) => numberAt(index, chance())).sort((one, other) => (one < other ? -1 : 1));
}

const distributions = {
  uniform: numbers((index) => BigInt(index)),
  'two clusters far apart': numbers((index) => BigInt(index < rows / 2 ? index : index + 1e12)),
  sparse: numbers((_, chance) => BigInt(Math.floor(chance * 2 ** 52)) * 1000n),
  snowflake: numbers((index, chance) => ((1_600_000_000_000n + BigInt(index * 37)) << 22n) | BigInt(Math.floor(chance * 4096))),
  'growing ever denser': numbers((index) => BigInt(Math.floor(Math.log(index + 1) * 1e12))),
  'of both signs': numbers((index) => BigInt(index - rows / 2) * 1_000_003n),
} as const;

/** Halves the whole range of the numbers; with what the ranges that come of it really hold. */
async function cut(sorted: readonly bigint[], pieces: number, facts: SortedFacts = {}) {
  const { source, calls, rowsIn } = sortedSource(sorted, facts);
  const bounds = { min: keyValue(sorted[0]!), max: keyValue(sorted.at(-1)!) };
  const bisection = await bisect(source, numberKey, bounds, pieces);
  const ranges = rangesOf(numberKey, bisection.points, pieces, bounds.max).map(({ range }) => range);
  const sizes = ranges.filter(({ excludesFrom }) => excludesFrom !== true).map(rowsIn);
  const mean = sorted.length / sizes.length;
  return { bisection, calls, ranges, sizes, unevenness: Math.max(...sizes) / mean };
}

describe.each(Object.entries(distributions))('keys that are %s', (_, sorted) => {
  test.each([2, 8, 33])('are cut into %i even pieces', async (pieces) => {
    const { bisection, sizes, unevenness } = await cut(sorted, pieces);
    expect(bisection.isComplete).toBe(true);
    expect(sizes).toHaveLength(pieces);
    expect(unevenness).toBeLessThan(1.3);
  });

  test('are cut into even pieces though no range is ever said to have more than half of the rows', async () => {
    const { sizes, unevenness } = await cut(sorted, 8, { isCapped: true });
    expect(sizes).toHaveLength(8);
    expect(unevenness).toBeLessThan(1.3);
  });

  test.each([1, 2, 3, 4])('are cut well enough by estimates that are wrong by a factor of up to two (%i)', async (seed) => {
    const chance = random(seed);
    const { bisection, sizes, unevenness } = await cut(sorted, 8, { noise: () => 2 ** (2 * chance() - 1), isCapped: true });
    expect(bisection.isComplete).toBe(true);
    expect(sizes.length).toBeGreaterThanOrEqual(6);
    expect(unevenness).toBeLessThan(2);
  });

  test('have points that are real values, in order and below the largest; the ranges between hold each row once', async () => {
    const chance = random(5);
    const { bisection, ranges, sizes } = await cut(sorted, 12, { noise: () => 0.5 + 1.5 * chance() });
    const values = bisection.points.map(({ value }) => numberOf(value));
    expect(values[0]).toBe(sorted[0]);
    expect(values).toEqual([...new Set(values)].sort((one, other) => (one < other ? -1 : 1)));
    const known = new Set(sorted);
    expect(values.every((value) => known.has(value) && value < sorted.at(-1)!)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rows);
    expect(sorted.filter((value) => ranges.filter((range) => holds(range, value)).length !== 1)).toEqual([]);
  });
});

describe('a value that very many rows have', () => {
  const shared = 777_777n;
  const skewed = numbers((index, chance) => (chance < 0.6 ? shared : BigInt(index * 80)));

  test('is isolated, and the rest is cut evenly around it', async () => {
    const { bisection, ranges, sizes } = await cut(skewed, 8);
    expect(bisection.isComplete).toBe(true);
    const at = ranges.findIndex((range) => holds(range, shared));
    expect(numberOf(ranges[at]!.from!)).toBe(shared);
    expect(sizes[at]).toBeLessThan(0.65 * rows);
    expect(Math.max(...sizes.filter((_, index) => index !== at))).toBeLessThan(1.6 * (rows / 8));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rows);
  });

  test('leaves nothing to cut if it is the only one', async () => {
    const { bisection, ranges } = await cut(
      numbers(() => shared),
      8,
    );
    expect(bisection).toEqual({ points: [{ value: keyValue(shared), rows }], dives: 1, seeks: 2, isComplete: true });
    expect(ranges).toEqual([]);
  });
});

describe('the work is bounded', () => {
  test('a round is one call for values and one for estimates, and there are as many as the halvings need', async () => {
    const { bisection, calls } = await cut(distributions.uniform, 8);
    // 8 pieces in 64 intervals: six halvings, and one or two where they are not quite even.
    expect(calls.filter((call) => call === 'between').length).toBeLessThanOrEqual(8);
    expect(calls.filter((call) => call === 'estimate')).toHaveLength(calls.filter((call) => call === 'between').length + 1);
    expect(bisection.dives).toBeLessThanOrEqual(32 * 8);
    expect(bisection.seeks).toBeLessThanOrEqual(32 * 8);
  });

  test('a round asks of no more than 64 intervals, the biggest first', async () => {
    const sorted = distributions['growing ever denser'];
    const { source, rowsIn } = sortedSource(sorted);
    const asked: number[][] = [];
    const counting = {
      ...source,
      between(gaps: Parameters<typeof source.between>[0]) {
        asked.push(gaps.map(({ low, high }) => rowsIn({ columns: ['id'], from: low, to: high, includesNull: false })));
        return source.between(gaps);
      },
    };
    const bounds = { min: keyValue(sorted[0]!), max: keyValue(sorted.at(-1)!) };
    const bisection = await bisect(counting, numberKey, bounds, 200);
    expect(Math.max(...asked.map((sizes) => sizes.length))).toBe(64);
    // The last interval has one row more than is counted here, the largest value.
    for (const sizes of asked)
      for (const [index, size] of sizes.entries()) expect(size).toBeLessThanOrEqual((sizes[index - 1] ?? rows) + 1);
    expect(bisection.isComplete).toBe(true);
  });

  test('estimates that say every interval is as big as all do not go on for ever', async () => {
    const { source, calls } = sortedSource(distributions.uniform);
    const obstinate = { ...source, estimate: async (ranges: readonly object[]) => ranges.map(() => 1_000_000) };
    const bisection = await bisect(obstinate, numberKey, { min: ['0'], max: [String(rows - 1)] }, 4);
    expect(bisection.points.length).toBeLessThanOrEqual(4 * 48 + 64);
    expect(calls.filter((call) => call === 'between').length).toBeLessThanOrEqual(64);
  });

  test('a source that always finds the same end of the gap is given up after 64 rounds, and that is said', async () => {
    const { source } = sortedSource(distributions.uniform);
    const lopsided = {
      ...source,
      between: async (gaps: readonly { low: readonly string[] }[]) => gaps.map(({ low }) => keyValue(numberOf(low) + 1n)),
    };
    const bisection = await bisect(lopsided, numberKey, { min: ['0'], max: [String(rows - 1)] }, 8);
    expect(bisection.isComplete).toBe(false);
    expect(bisection.seeks).toBe(2 * 64);
    expect(bisection.points).toHaveLength(65);
  });

  test('estimates of nothing at all end it at once', async () => {
    const { source } = sortedSource(distributions.uniform);
    const silent = { ...source, estimate: async (ranges: readonly object[]) => ranges.map(() => 0) };
    const bisection = await bisect(silent, numberKey, { min: ['0'], max: [String(rows - 1)] }, 8);
    expect(bisection).toMatchObject({ isComplete: true, dives: 1, seeks: 0 });
  });
});

test('each estimate is asked of a range of the key with its state, and only the last range includes the largest value', async () => {
  const { source } = sortedSource(distributions.uniform);
  const asked: object[] = [];
  const recording = {
    ...source,
    estimate(ranges: Parameters<typeof source.estimate>[0]) {
      asked.push(...ranges);
      return source.estimate(ranges);
    },
  };
  const key = { ...numberKey, isNullable: true, state: { index: 'PRIMARY' } };
  await bisect(recording, key, { min: ['0'], max: ['19999'] }, 2);
  for (const range of asked) expect(range).toMatchObject({ columns: ['id'], state: { index: 'PRIMARY' }, includesNull: false });
  const last = asked.filter((range) => 'includesTo' in range);
  expect(last.length).toBeGreaterThan(1);
  for (const range of last) expect(range).toMatchObject({ to: ['19999'], includesTo: true });
});
