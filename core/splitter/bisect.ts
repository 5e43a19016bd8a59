import type { KeyPoint, KeyRange, KeySource, KeyValue, SplitKey } from '../sdk/index.ts';

/** Intervals are halved until none holds more than this part of a piece, so that pieces can be put together evenly. */
const intervalsPerPiece = 8;
/** Bounds on the work: rounds are round trips, intervals are index dives. */
const maxRounds = 64;
const maxIntervalsPerPiece = 48;
/** Halvings of one round at most: a statement has a branch for each. */
const maxHalvings = 64;

interface Interval {
  readonly low: KeyValue;
  readonly high: KeyValue;
  readonly rows: number;
  /** False once no value was found between its ends. */
  readonly isDivisible: boolean;
}

export interface Bisection {
  readonly points: readonly KeyPoint[];
  /** Ranges whose rows were estimated, and values that were looked up. */
  readonly dives: number;
  readonly seeks: number;
  /** False if the bounds on the work ended it while there were still big intervals. */
  readonly isComplete: boolean;
}

type Bisectable = Required<Pick<KeySource, 'estimate' | 'between'>>;

/**
 * Halves the range of a key, at real values, wherever the source thinks that many rows are, until each interval is a small part of a piece
 * (the method of MySQL Shell's dump, turned from one boundary after the other to all of them at once: a round is two statements).
 */
export async function bisect(
  source: Bisectable,
  key: SplitKey,
  { min, max }: { min: KeyValue; max: KeyValue },
  pieces: number,
): Promise<Bisection> {
  let dives = 0;
  let seeks = 0;
  const measured = async (bounds: readonly { low: KeyValue; high: KeyValue; isLast: boolean }[]): Promise<Interval[]> => {
    dives += bounds.length;
    const rows = await source.estimate(bounds.map(({ low, high, isLast }) => rangeOf(key, low, high, isLast)));
    return bounds.map(({ low, high }, index) => ({ low, high, rows: rows[index] ?? 0, isDivisible: true }));
  };
  let intervals = await measured([{ low: min, high: max, isLast: true }]);
  let isComplete = false;
  for (let round = 0; round < maxRounds && intervals.length < pieces * maxIntervalsPerPiece; round++) {
    const total = sumOf(intervals);
    const big = intervals
      .filter(({ rows, isDivisible }) => isDivisible && rows > total / (pieces * intervalsPerPiece))
      .sort((one, other) => other.rows - one.rows)
      .slice(0, maxHalvings);
    if (big.length === 0) {
      isComplete = true;
      break;
    }
    seeks += 2 * big.length;
    const middles = await source.between(big);
    const halves = await measured(
      big.flatMap(({ low, high }, index) => {
        const middle = middles[index];
        const isLast = high === max;
        return middle === undefined
          ? []
          : [
              { low, high: middle, isLast: false },
              { low: middle, high, isLast },
            ];
      }),
    );
    const replaced = new Map<Interval, Interval[]>();
    for (const [index, interval] of big.entries()) {
      replaced.set(interval, middles[index] === undefined ? [{ ...interval, isDivisible: false }] : halves.splice(0, 2));
    }
    intervals = intervals.flatMap((interval) => replaced.get(interval) ?? [interval]);
  }
  return { points: intervals.map(({ low, rows }) => ({ value: low, rows })), dives, seeks, isComplete };
}

function rangeOf({ columns, state }: SplitKey, from: KeyValue, to: KeyValue, isLast: boolean): KeyRange {
  return {
    columns,
    from,
    to,
    includesNull: false,
    ...(isLast ? { includesTo: true as const } : {}),
    ...(state === undefined ? {} : { state }),
  };
}

function sumOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { rows }) => sum + rows, 0);
}
