import type { KeyRange, KeySource, KeyValue, SplitKey } from '../../../core/sdk/index.ts';

/* A key of whole numbers in memory: what a source is to the Splitter, and a model of what its ranges hold. */

export const numberKey: SplitKey = { columns: ['id'], kind: 'integer', origin: 'primary', isNullable: false, isIndexed: true };

/** Whether a row with that key, or NULL, is read by a range. */
export function holds({ from, to, excludesFrom, includesTo, includesNull }: KeyRange, value: bigint | null): boolean {
  if (value === null) return includesNull;
  const [low, high] = [from === null ? undefined : numberOf(from), to === null ? undefined : numberOf(to)];
  const isAbove = low === undefined || (excludesFrom ? value > low : value >= low);
  const isBelow = high === undefined || (includesTo ? value <= high : value < high);
  return isAbove && isBelow;
}

export function numberOf([text]: KeyValue): bigint {
  return BigInt(text!);
}

export function keyValue(value: bigint | number): KeyValue {
  return [String(value)];
}

export interface SortedFacts {
  /** What an estimate is multiplied with. */
  readonly noise?: () => number;
  /** InnoDB never thinks that a range has more than half of the rows. */
  readonly isCapped?: boolean;
}

/** A source of sorted numbers, which may occur more than once, that can do all a source can; and the calls it was sent. */
export function sortedSource(sorted: readonly bigint[], { noise = () => 1, isCapped = false }: SortedFacts = {}) {
  const calls: string[] = [];
  /** Index of the first number that is not below the value; or, past it, not equal to it either. */
  const placeOf = (value: bigint, isPast = false) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const isBefore = isPast ? sorted[middle]! <= value : sorted[middle]! < value;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const textAt = (index: number) => (sorted[index] === undefined ? undefined : keyValue(sorted[index]));
  const rowsIn = ({ from, to, excludesFrom, includesTo }: KeyRange) => {
    const start = from === null ? 0 : placeOf(numberOf(from), excludesFrom === true);
    return (to === null ? sorted.length : placeOf(numberOf(to), includesTo === true)) - start;
  };
  const source: Required<Omit<KeySource, 'points'>> = {
    async bounds() {
      calls.push('bounds');
      const [min, max] = [textAt(0), textAt(sorted.length - 1)];
      return min === undefined || max === undefined ? undefined : { min, max };
    },
    async estimate(ranges) {
      calls.push('estimate');
      return ranges.map((range) => {
        const rows = Math.round(rowsIn(range) * noise());
        return isCapped ? Math.min(rows, sorted.length / 2) : rows;
      });
    },
    async between(gaps) {
      calls.push('between');
      return gaps.map(({ low, high }) => {
        const [first, end] = [placeOf(numberOf(low), true), placeOf(numberOf(high))];
        if (first >= end) return undefined;
        const middle = placeOf((numberOf(low) + numberOf(high)) / 2n);
        return textAt(middle >= end ? end - 1 : Math.max(first, middle));
      });
    },
    async step(from, rows) {
      calls.push('step');
      return textAt((from === null ? 0 : placeOf(numberOf(from), true)) + rows - 1);
    },
    async scan(count) {
      calls.push('scan');
      const every = Math.max(1, Math.floor(sorted.length / count));
      const points = sorted.flatMap((value, index) => {
        return index % every === 0 ? [{ value: keyValue(value), rows: Math.min(every, sorted.length - index) }] : [];
      });
      return points.length === 0 ? undefined : { method: 'scan', points };
    },
  };
  return { source, calls, rowsIn };
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
