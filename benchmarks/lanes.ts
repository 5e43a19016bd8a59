export type Kind = 'postgres' | 'mysql';

/** What dray is measured against: the servers' own programs. */
export type RivalName = 'psql-file' | 'psql-pipe' | 'load-data';

interface LaneEnds {
  readonly name: string;
  readonly source: Kind;
  readonly target: Kind;
}

/** Moves a large table; the rival and dray in turn. */
export interface ThroughputLane extends LaneEnds {
  readonly type: 'throughput';
  readonly rival: RivalName;
}

/** Moves a table of a few rows: the time is that of starting, planning and ending. */
export interface LatencyLane extends LaneEnds {
  readonly type: 'latency';
}

export type Lane = ThroughputLane | LatencyLane;

export const lanes: readonly Lane[] = [
  { type: 'throughput', name: 'mysql-postgres', source: 'mysql', target: 'postgres', rival: 'psql-file' },
  { type: 'throughput', name: 'postgres-postgres', source: 'postgres', target: 'postgres', rival: 'psql-pipe' },
  { type: 'throughput', name: 'mysql-mysql', source: 'mysql', target: 'mysql', rival: 'load-data' },
  { type: 'throughput', name: 'postgres-mysql', source: 'postgres', target: 'mysql', rival: 'load-data' },
  { type: 'latency', name: 'small-mysql-postgres', source: 'mysql', target: 'postgres' },
  { type: 'latency', name: 'small-postgres-postgres', source: 'postgres', target: 'postgres' },
];

/** What the memory lanes (`--memory`) move, on two channels. */
export const memoryLanes: readonly LaneEnds[] = [
  { name: 'memory-mysql-postgres', source: 'mysql', target: 'postgres' },
  { name: 'memory-postgres-postgres', source: 'postgres', target: 'postgres' },
];

export const memoryRows: readonly number[] = [1_000_000, 4_000_000];
export const memoryRuns = 3;
export const smallRows = 50;
export const smallRuns = 10;

export const laneNames: readonly string[] = lanes.map(({ name }) => name);
