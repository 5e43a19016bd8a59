import type { KeyRange, Split, SplitKey } from '../sdk/index.ts';

/** Ranges per channel, so that a channel that finishes early takes more. */
const tasksPerChannel = 4;
/** Below this a range is not worth a query of its own. */
const minRowsPerTask = 20_000;

/**
 * Cuts the splits a reader offers into as many tasks as the channels can use, in proportion to their estimated rows. Splits without a
 * key, and everything on a single channel, stay whole.
 */
export function cutSplits(splits: readonly Split[], channels: number): Split[] {
  if (channels === 1) return [...splits];
  const totalRows = splits.reduce((sum, split) => sum + (split.estimatedRows ?? 0), 0);
  const rowsPerTask = Math.max(minRowsPerTask, totalRows / (channels * tasksPerChannel));
  return splits.flatMap((split) => {
    if (split.key === undefined || split.range !== undefined) return [split];
    const ranges = integerRanges(split.key, Math.round((split.estimatedRows ?? minRowsPerTask * channels) / rowsPerTask));
    if (ranges.length < 2) return [split];
    return ranges.map((range): Split => ({ ...split, ...shares(split, ranges.length), name: `${split.name} ${nameOf(range)}`, range }));
  });
}

/**
 * At most `count` half-open ranges of equal width that cover every integer once: the first is open below and takes the NULLs, the last is
 * open above, so rows that appear outside of min and max while the job is planned are not lost.
 */
export function integerRanges({ column, min, max, isNullable }: SplitKey, count: number): KeyRange[] {
  const low = BigInt(min);
  const width = BigInt(max) - low + 1n;
  const parts = width < BigInt(count) ? width : BigInt(Math.max(1, count));
  const cuts: string[] = [];
  for (let part = 1n; part < parts; part++) cuts.push(String(low + (width * part) / parts));
  return [null, ...cuts].map((from, index) => ({ column, from, to: cuts[index] ?? null, includesNull: isNullable && index === 0 }));
}

function nameOf({ column, from, to }: KeyRange): string {
  if (from === null) return `${column} < ${to}`;
  return to === null ? `${column} >= ${from}` : `${from} <= ${column} < ${to}`;
}

function shares({ estimatedRows, estimatedBytes }: Split, count: number): Pick<Split, 'estimatedRows' | 'estimatedBytes'> {
  return {
    ...(estimatedRows === undefined ? {} : { estimatedRows: Math.ceil(estimatedRows / count) }),
    ...(estimatedBytes === undefined ? {} : { estimatedBytes: Math.ceil(estimatedBytes / count) }),
  };
}
