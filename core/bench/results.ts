import type { Measurement } from './measured-run.ts';

/** How the result of a lane is told: with ratios, as milliseconds, or by its memory. */
export type LaneType = 'throughput' | 'latency' | 'memory';

/** All runs of one command in a lane. */
export interface Series {
  /** `dray, 2 channels` */
  readonly title: string;
  readonly isRival: boolean;
  readonly runs: readonly Measurement[];
  /** What each run left in files, where it wrote some. */
  readonly fileBytes?: readonly number[];
  /** Set if there are no runs, in words: the rival's program is not installed. */
  readonly absent?: string | undefined;
  /** Why its runs do not count: one of them failed or moved wrong data. */
  readonly failure?: string | undefined;
}

export interface LaneResult {
  readonly lane: string;
  readonly type: LaneType;
  /** Of its fixture. */
  readonly rows: number;
  readonly series: readonly Series[];
  /** Why the lane is void: a command failed or moved wrong data. */
  readonly failure?: string;
}

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly servers: readonly string[];
  /** Of the last minute, before the bench began: other work on the machine shows here. */
  readonly loadBefore: number;
}

export interface BenchResult {
  readonly machine: Machine;
  readonly lanes: readonly LaneResult[];
}

/** Whatever made a lane void, or one of its commands, in sentences. */
export function failuresOf({ failure, series }: LaneResult): string[] {
  return [...(failure === undefined ? [] : [failure]), ...series.flatMap((one) => one.failure ?? [])];
}

/** Of an even number of values the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2 : sorted[Math.floor(middle)]!;
}
