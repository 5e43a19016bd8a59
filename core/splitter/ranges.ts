import type { KeyPoint, KeyRange, KeyValue, SplitKey } from '../sdk/index.ts';

/** A range and the rows thought to be in it. */
export interface SizedRange {
  readonly range: KeyRange;
  readonly rows: number;
  /** Points inside of it, by which it could be cut further. */
  readonly inner: readonly KeyPoint[];
}

/** Of all points, the ones that cut the rows into about `pieces` equal parts: for each multiple of the share, the point nearest to it. */
export function cutsAmong(points: readonly KeyPoint[], pieces: number): number[] {
  const total = points.reduce((sum, { rows }) => sum + rows, 0);
  const share = total / pieces;
  const cuts: number[] = [];
  let below = points[0]?.rows ?? 0;
  let next = share;
  for (let at = 1; at < points.length; at++) {
    const { rows } = points[at]!;
    // Nearer than the next point will be. What would be left over behind the last multiple is no piece.
    if (below + rows / 2 >= next && next < total - share / 2) {
      cuts.push(at);
      // Each multiple once: a point with more rows than a share may lie nearest to it from both sides.
      next = Math.max(next + share, (Math.floor(below / share + 0.5) + 1) * share);
    }
    below += rows;
  }
  return cuts;
}

/**
 * Ranges between the points, that together hold every row once: the first is open below and takes the NULLs. With `max`, the largest value
 * when the plan was made, the last one ends there, and one more takes what has come behind it since; without, the last is open above.
 */
export function rangesOf(key: SplitKey, points: readonly KeyPoint[], pieces: number, max: KeyValue | undefined): SizedRange[] {
  const cuts = cutsAmong(points, pieces);
  if (cuts.length === 0) return [];
  const { columns, kind, state, isNullable } = key;
  const rangeOf = (from: KeyValue | null, to: KeyValue | null, includesNull: boolean): KeyRange => ({
    columns,
    from,
    to,
    includesNull,
    ...(kind === 'blocks' ? { isStoragePlace: true as const } : {}),
    ...(state === undefined ? {} : { state }),
  });
  const starts = [0, ...cuts];
  const ranges = starts.map((start, index): SizedRange => {
    const end = starts[index + 1] ?? points.length;
    const rows = points.slice(start, end).reduce((sum, point) => sum + point.rows, 0);
    return {
      range: rangeOf(index === 0 ? null : points[start]!.value, points[end]?.value ?? null, isNullable && index === 0),
      rows: Math.round(rows),
      inner: points.slice(start + 1, end),
    };
  });
  if (max === undefined) return ranges;
  const last = ranges.pop()!;
  return [
    ...ranges,
    { ...last, range: { ...last.range, to: max, includesTo: true } },
    { range: { ...rangeOf(max, null, false), excludesFrom: true }, rows: 0, inner: [] },
  ];
}

/** `10 <= id < 20`, for people. */
export function rangeText({ columns, from, to, excludesFrom, includesTo, includesNull }: KeyRange): string {
  const key = columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`;
  const text = (value: KeyValue) => (columns.length === 1 ? value[0]! : `(${value.join(', ')})`);
  const parts = includesNull ? [`${key} is null or `] : [];
  if (from === null && to === null) return `${parts.join('')}any ${key}`;
  if (from === null) return `${parts.join('')}${key} ${includesTo ? '<=' : '<'} ${text(to!)}`;
  if (to === null) return `${key} ${excludesFrom ? '>' : '>='} ${text(from)}`;
  return `${text(from)} ${excludesFrom ? '<' : '<='} ${key} ${includesTo ? '<=' : '<'} ${text(to)}`;
}
