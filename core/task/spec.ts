import type { PluginRef } from '../registry/plugin-ref.ts';
import type { ErrorWire, Guarantee, Json, Schema, Side, Split, Target, TargetForms } from '../sdk/index.ts';
import type { ChannelLimits } from '../transport/channel.ts';
import type { Rates } from '../transport/rate-limit.ts';

/** Plugin and validated options of one end of a task. */
export interface EndSpec {
  readonly plugin: PluginRef;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Made `by` the reader itself, or by the task, from the reader's text: then a batch with a cell that is not beyond doubt stays text. */
export interface AgreedForms {
  readonly forms: TargetForms;
  readonly by: 'reader' | 'task';
}

export interface BatchLimits {
  readonly maxBytes: number;
  readonly maxRows: number;
}

/** Everything a task needs, as structured-cloneable values: the same on this thread, on another one, or on another host. */
export interface TaskSpec {
  readonly run: string;
  /** Name of the job. */
  readonly job: string;
  /** Number of the task within its run, from 0. */
  readonly id: number;
  /** From 1; each start of the task has a higher one. */
  readonly attempt: number;
  readonly guarantee: Guarantee;
  /** Number of the content it belongs to, from 0. */
  readonly content: number;
  readonly reader: EndSpec;
  readonly writer: EndSpec;
  /** What is done to the rows in between, in order. */
  readonly transformers: readonly EndSpec[];
  /** Columns that the reader delivers. */
  readonly source: Schema;
  /** Columns behind the transformers: what the writer gets. */
  readonly delivered: Schema;
  readonly target: Target;
  readonly split: Split;
  /** The first try goes straight on: a row that the target refuses is not looked for, but fails it. Absent: it does not. */
  readonly isStraight?: boolean | undefined;
  /** How rows reach the writer; absent: as text. Only if it is straight. */
  readonly agreed?: AgreedForms | undefined;
  readonly batch: BatchLimits;
  readonly channel: ChannelLimits;
  readonly rates: Rates;
  /** Clocks of the job's rate limit. */
  readonly rateClocks: SharedArrayBuffer;
  /** Limits of bytes of the servers that it uses (ServerFlow). */
  readonly flows: readonly SharedArrayBuffer[];
  /** Most dirty records of the whole job; null is no limit by count. */
  readonly maxDirtyRecords: number | null;
  /** The job's count of dirty records; of a content with several targets, each one's own. */
  readonly dirtyCount: SharedArrayBuffer;
  /** What becomes of the tasks beside it when its own target fails it for good; absent: they end, too. */
  readonly onFailure?: OnFailure;
  /** Tasks that write the same rows into other targets: read once, together with this one. Their readers, splits and rates are those of this one. */
  readonly beside?: readonly TaskSpec[];
}

/** When one of several targets fails for good: `fail-all` ends the content for all of them, `go-on` leaves it out. */
export type OnFailure = 'fail-all' | 'go-on';

/** Rows and packed bytes of one task so far. */
export interface TaskCounters {
  rowsRead: number;
  rowsWritten: number;
  rowsDirty: number;
  rowsFiltered: number;
  bytesRead: number;
  bytesWritten: number;
  /** Milliseconds the reader waited for the channel, and the writer. */
  readerWaitMs: number;
  writerWaitMs: number;
}

/** What a commit keeps of an attempt: `attempt` says whose dirty records count. */
export type TaskTally = Readonly<TaskCounters> & { readonly attempt: number };

export function zeroCounters(): TaskCounters {
  return {
    rowsRead: 0,
    rowsWritten: 0,
    rowsDirty: 0,
    rowsFiltered: 0,
    bytesRead: 0,
    bytesWritten: 0,
    readerWaitMs: 0,
    writerWaitMs: 0,
  };
}

/** What several tasks, or contents, have done together. */
export function sumOfCounters(all: Iterable<Readonly<TaskCounters>>): TaskCounters {
  const sum = zeroCounters();
  for (const one of all) for (const key of Object.keys(sum) as (keyof TaskCounters)[]) sum[key] += one[key];
  return sum;
}

/** A row that was refused. Says where and why, never what. */
export interface DirtyRecord {
  /** Who refused it. */
  readonly side: Side | 'transformer';
  readonly task: number;
  readonly split: string;
  /** Position of the row among those its split delivered, from 1; 0 if the reader could not even deliver it. */
  readonly row: number;
  readonly column?: string;
  readonly cause: string;
  /** The row as the reader delivered it, for the quarantine alone; absent if it could not even do that. */
  readonly cells?: readonly (string | null)[];
}

export type TaskOutcome =
  | {
      readonly state: 'done';
      readonly counters: Readonly<TaskCounters>;
      readonly commit: Json;
      /** The attempt that committed: this one, or an earlier one that was found in the target's ledger. */
      readonly attempt: number;
      readonly beside?: readonly TaskOutcome[];
    }
  | {
      readonly state: 'failed';
      readonly counters: TaskCounters;
      readonly error: ErrorWire;
      /** How each of the tasks beside it ended; absent: as this one, or there are none. */
      readonly beside?: readonly TaskOutcome[];
    };

/** What a running task tells its Controller. */
export interface TaskListener {
  progress(counters: TaskCounters): void;
  dirty(record: DirtyRecord): void;
  /** All rows are at the target and wait for the commit. Resolves when the Controller has written down what must be; rejects if the task must not commit. */
  readonly mayCommit: (tally: TaskTally) => Promise<void>;
  /**
   * The task has begun: `cut` gives away half of the members of its split that it has not begun to read, and returns how many it keeps; undefined if there is
   * nothing to give.
   */
  readonly cuttable?: (cut: () => number | undefined) => void;
  readonly warn: (message: string) => void;
  readonly print: (text: string) => void;
  /** Who listens to one of the tasks beside it; absent: there are none. */
  readonly beside?: (task: number) => TaskListener;
}

/** What a lane needs to open its reader in a snapshot, before its first task. */
export interface LaneSpec {
  readonly run: string;
  /** Name of the job. */
  readonly job: string;
  readonly reader: EndSpec;
  /** The token of the reader's `openSnapshot`. Absent: the reader is only opened and connected, ahead of the snapshot. */
  readonly snapshot?: Json;
}

/**
 * Runs tasks somewhere: inline, on threads, on other hosts. The Controller does not know which. It has lanes, places side by side; tasks of one lane run one
 * after the other, and share one open reader.
 */
export interface Executor {
  /** Number of lanes; they are numbered from 0. */
  readonly lanes: number;
  /**
   * Has the lane's reader opened and joined to a snapshot, in which the lane's tasks of this run and this reader then read. Called for all lanes at once before
   * their first task; and before that without a snapshot, because some sources are locked until all have joined, and to start a thread and to connect takes
   * longer than anybody should have to wait for that. Never rejects.
   * @returns what kept it from joining
   */
  join(lane: number, spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined>;
  /**
   * Never rejects: a task's failure is an outcome. When `signal` fires the task is stopped and its work undone. SNAPSHOT_LOST: this lane has joined a snapshot
   * and has lost it; so it will be with all further tasks of the lane.
   */
  run(lane: number, task: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome>;
  /** Asks the task that runs on a lane to give away half of what it has not begun to read. @returns how many members it keeps; undefined: nothing is given */
  cut(lane: number): Promise<number | undefined>;
  /** Closes what the lanes hold open. */
  close(): Promise<void>;
}
