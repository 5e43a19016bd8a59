/** How even the parts of a table are, by the rows that are really in them. */
export interface Evenness {
  readonly largestToMean: number;
  readonly percentile99ToMean: number;
}

/** undefined of no rows. */
export function evennessOf(counts: readonly number[]): Evenness | undefined {
  const sorted = [...counts].sort((one, other) => one - other);
  const mean = sorted.reduce((sum, count) => sum + count, 0) / sorted.length;
  if (!(mean > 0)) return undefined;
  return { largestToMean: sorted.at(-1)! / mean, percentile99ToMean: percentile(sorted, 0.99) / mean };
}

/** Between two values in proportion: of few values the last percentiles are not all the largest one. */
function percentile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place % 1);
}
