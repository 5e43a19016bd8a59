import type { KeyPoint, KeyRange, Split } from '../sdk/index.ts';

/** Of the last splits of a content so many per channel are read in parts, so that a slow one can give some of them away. */
const perChannel = 2;
/** A part is a statement of its own: it should have rows enough not to notice. */
const minRows = 10_000;

/** A split, and the points inside its range at which it could be cut further. */
export interface Divisible {
  readonly split: Split;
  readonly inner: readonly KeyPoint[];
}

/**
 * Has the last splits of a content read part by part (as `members`): when others have nothing left to do, they take over parts that are not read yet. It costs a
 * statement for each part, and nothing at the source beforehand: the points were found when the ranges were.
 */
export function divideTail(splits: readonly Divisible[], channels: number): Split[] {
  if (channels === 1) return splits.map(({ split }) => split);
  const first = splits.length - perChannel * channels;
  return splits.map(({ split, inner }, index) => (index < first ? split : divided(split, inner)));
}

function divided(split: Split, inner: readonly KeyPoint[]): Split {
  const { range, estimatedRows = 0, estimatedBytes } = split;
  if (range === undefined) return split;
  const cuts = inner.filter(({ rows }) => rows >= minRows);
  if (cuts.length === 0) return split;
  const rest = Math.max(0, estimatedRows - cuts.reduce((sum, { rows }) => sum + rows, 0));
  const sizes = [rest, ...cuts.map(({ rows }) => rows)];
  const members = sizes.map((rows, part): Split => {
    const to = cuts[part]?.value;
    const bytes =
      estimatedBytes === undefined || estimatedRows === 0 ? {} : { estimatedBytes: Math.round((estimatedBytes * rows) / estimatedRows) };
    return { ...split, range: partOf(range, cuts[part - 1]?.value, to), estimatedRows: Math.round(rows), ...bytes };
  });
  return { ...split, members };
}

/** The part of a range between two values inside it; absent: up to that end of the range. */
function partOf(range: KeyRange, from: KeyPoint['value'] | undefined, to: KeyPoint['value'] | undefined): KeyRange {
  const { includesTo: _, excludesFrom: __, ...plain } = range;
  return {
    ...plain,
    ...(from === undefined ? (range.excludesFrom === true ? { excludesFrom: true as const } : {}) : { from, includesNull: false }),
    ...(to === undefined ? (range.includesTo === true ? { includesTo: true as const } : {}) : { to }),
  };
}
