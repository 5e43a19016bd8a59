import type { PluginRef } from '../registry/plugin-ref.ts';
import type { ErrorWire, Json, Schema, Side, Split, Target } from '../sdk/index.ts';
import type { ChannelLimits } from '../transport/channel.ts';
import type { Rates } from '../transport/rate-limit.ts';

/** Plugin and validated options of one end of a task. */
export interface EndSpec {
  readonly plugin: PluginRef;
  readonly options: Readonly<Record<string, unknown>>;
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
  /** Number of the content it belongs to, from 0. */
  readonly content: number;
  readonly reader: EndSpec;
  readonly writer: EndSpec;
  readonly source: Schema;
  readonly target: Target;
  readonly split: Split;
  readonly batch: BatchLimits;
  readonly channel: ChannelLimits;
  readonly rates: Rates;
  /** Clocks of the job's rate limit. */
  readonly rateClocks: SharedArrayBuffer;
  /** Most dirty records of the whole job; null is no limit by count. */
  readonly maxDirtyRecords: number | null;
  /** The job's count of dirty records. */
  readonly dirtyCount: SharedArrayBuffer;
}

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

/** A row that was refused. Says where and why, never what. */
export interface DirtyRecord {
  readonly side: Side;
  readonly task: number;
  readonly split: string;
  /** Position of the row among those its split delivered, from 1; 0 if the reader could not even deliver it. */
  readonly row: number;
  readonly column?: string;
  readonly cause: string;
}

export type TaskOutcome =
  | { readonly state: 'done'; readonly counters: TaskCounters; readonly commit: Json }
  | { readonly state: 'failed'; readonly counters: TaskCounters; readonly error: ErrorWire };

/** What a running task tells its Controller. */
export interface TaskListener {
  progress(counters: TaskCounters): void;
  dirty(record: DirtyRecord): void;
  readonly warn: (message: string) => void;
  readonly print: (text: string) => void;
}

/** Runs tasks somewhere: inline, on threads, on other hosts. The Controller does not know which. */
export interface Executor {
  /** Never rejects: a task's failure is an outcome. When `signal` fires the task is stopped and its work undone. */
  run(task: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome>;
  close(): Promise<void>;
}
