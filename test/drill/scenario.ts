import { Random } from './random.ts';

export type Database = 'postgres' | 'mysql';
export type End = Database | 'textfile' | 'sftp';

export const pairs = [
  'postgres-postgres',
  'postgres-mysql',
  'mysql-postgres',
  'mysql-mysql',
  'postgres-textfile',
  'mysql-textfile',
  'postgres-sftp',
  'textfile-postgres',
  'textfile-mysql',
] as const;
export type Pair = (typeof pairs)[number];

/** What is done to a run; `source` and `target` where there are two that it can be done to. */
export const faultKinds = {
  kill: 'the process of the run gets SIGKILL',
  sleep: 'the process is stopped for longer than its lease, another one resumes the run, and the first one wakes',
  thread: 'a thread of tasks ends by process.exit',
  'crash source': 'the server of the source gets SIGKILL and starts again',
  'crash target': 'the same of the target',
  'cut source': 'all connections to the source are reset',
  'cut target': 'the same to the target',
  'freeze source': 'connections to the source that are open pass nothing on any more, and nobody is told',
  'freeze target': 'the same to the target',
  'disk full': 'the disk of the target is full',
  deadlock: 'another session locks rows of the target in another order',
} as const;
export type FaultKind = keyof typeof faultKinds;

export interface Fault {
  readonly kind: FaultKind;
  /** It strikes when the journal of the run has so many lines … */
  readonly afterEvents: number;
  /** … and so much time has gone by. */
  readonly delayMs: number;
  /** Of a crash: how long the server stays away. */
  readonly downSeconds: number;
  /** Of `thread`: where in a task. */
  readonly moment: Moment;
}

export const moments = ['write', 'before commit', 'after commit'] as const;
export type Moment = (typeof moments)[number];

/** A job, and what will happen to it. */
export interface Scenario {
  readonly seed: number;
  readonly pair: Pair;
  readonly source: End;
  readonly target: End;
  readonly guarantee: 'at-least-once' | 'exactly-once' | 'exactly-once-if-possible';
  readonly publish: 'direct' | 'atomic' | 'atomic-append';
  readonly writeMode: 'insert' | 'update';
  /** Without one, rows that are written twice are there twice; with one, they are refused. */
  readonly hasTargetKey: boolean;
  readonly snapshot: 'consistent' | 'per-task' | undefined;
  /** Of PostgreSQL: false: the table is cut by blocks, which a resumed run refuses. */
  readonly isAnalyzed: boolean;
  /** Rows of the source are updated while the job runs. */
  readonly isMutated: boolean;
  readonly channels: number;
  /** Tables, or files, of the source. */
  readonly tables: number;
  /** Of all tables together. */
  readonly rows: number;
  /** Characters of each row's longest cell. */
  readonly width: number;
  readonly oldRows: number;
  readonly dirtyRows: number;
  /** Limit of the run, so that it lasts long enough to be hit. */
  readonly bytesPerSecond: number;
  readonly faults: readonly Fault[];
}

/**
 * @param among pairs to choose from
 * @param only faults to choose from, where they are possible
 */
export function scenarioOf(seed: number, among: readonly Pair[], only: readonly FaultKind[]): Scenario {
  const random = new Random(seed);
  const pair = random.pick(among);
  const [source, target] = pair.split('-') as [End, End];
  const isTable = target === 'postgres' || target === 'mysql';
  const publish = isTable ? random.pick(['direct', 'direct', 'atomic', 'atomic', 'atomic-append'] as const) : 'direct';
  const writeMode = isTable && publish !== 'atomic-append' && random.isLikely(0.2) ? 'update' : 'insert';
  const tables = source === 'textfile' || random.isLikely(0.6) ? random.between(4, 14) : 1;
  const width = 32 * random.between(6, 22);
  // A table is cut into parts of 20,000 rows or 4 MB; small ones that are bigger than 1 MB are tasks of their own.
  const bytes = (tables === 1 ? random.between(20, 40) : random.between(11, 16) * 0.1 * tables) * 1e6;
  const guarantee = random.isLikely(0.2) ? 'at-least-once' : isTable ? 'exactly-once' : 'exactly-once-if-possible';
  const tasks = tables === 1 ? 6 : tables;
  const scenario = {
    seed,
    pair,
    source,
    target,
    guarantee,
    publish,
    writeMode,
    hasTargetKey: writeMode === 'update' || random.isLikely(0.4),
    snapshot: random.pick(['consistent', 'per-task', undefined, undefined, undefined] as const),
    isAnalyzed: random.isLikely(0.9),
    isMutated: source !== 'textfile' && random.isLikely(0.6),
    channels: random.between(1, 4),
    tables,
    rows: Math.round(bytes / (width + 90)),
    width,
    oldRows: random.between(0, 500),
    dirtyRows: isTable && random.isLikely(0.4) ? random.between(1, 12) : 0,
    bytesPerSecond: Math.round(bytes / random.between(3, 6)),
  } as const;
  return { ...scenario, faults: faultsOf(scenario, tasks, random, only) };
}

function faultsOf(scenario: Omit<Scenario, 'faults'>, tasks: number, random: Random, only: readonly FaultKind[]): Fault[] {
  const possible = possibleFaults(scenario);
  const wanted = possible.filter((kind) => only.includes(kind));
  const kinds = wanted.length > 0 ? wanted : possible;
  const count = random.pick([1, 1, 2, 2, 3]);
  const faults = Array.from({ length: count }, (): Fault => {
    return {
      kind: random.pick(kinds),
      afterEvents: random.between(1, 5 + 2 * tasks),
      delayMs: random.between(0, 400),
      downSeconds: random.between(0, 30) / 10,
      moment: random.pick(moments),
    };
  });
  return faults.sort((one, other) => one.afterEvents - other.afterEvents);
}

/** What can happen to a job, as often as its weight: what takes long comes seldom. */
function possibleFaults({ source, target, writeMode, publish }: Omit<Scenario, 'faults'>): FaultKind[] {
  const kinds: FaultKind[] = ['kill', 'kill', 'kill', 'kill', 'sleep'];
  if (source !== 'textfile') kinds.push('crash source', 'crash source', 'cut source', 'cut source', 'cut source', 'freeze source');
  if (target === 'postgres' || target === 'mysql') kinds.push('crash target', 'crash target', 'crash target', 'thread', 'thread', 'thread');
  if (target === 'textfile') kinds.push('disk full', 'disk full');
  else kinds.push('cut target', 'cut target', 'cut target', 'freeze target');
  if (writeMode === 'update' && publish === 'direct') kinds.push('deadlock', 'deadlock', 'deadlock', 'deadlock');
  return kinds;
}
