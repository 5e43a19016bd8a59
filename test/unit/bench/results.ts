import type { BenchResult, LaneResult, Series } from '../../../core/bench/results.ts';

/** All runs of a command, by their seconds. */
export function series(title: string, isRival: boolean, ...seconds: number[]): Series {
  const runs = seconds.map((one) => ({ seconds: one, cpuSeconds: one / 2, peakBytes: 100e6, memoryCurve: [50e6, 80e6, 100e6, 90e6] }));
  return { title, isRival, runs };
}

export function lane(name: string, ...its: Series[]): LaneResult {
  return { lane: name, type: 'throughput', rows: 1000, series: its };
}

export function result(...lanes: LaneResult[]): BenchResult {
  const machine = { date: '2026-11-21', cpu: 'a CPU', cores: 2, memoryBytes: 2 ** 30, node: '20', servers: ['a server'], loadBefore: 0 };
  return { machine, lanes };
}
