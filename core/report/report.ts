import type { DrayError, ErrorWire, Guarantee } from '../sdk/index.ts';
import type { TaskCounters } from '../task/spec.ts';

/** `not started`: the job ended before its turn came. */
export type TaskState = 'done' | 'failed' | 'not started';
export type RunState = 'done' | 'failed' | 'cancelled';

/** `read = written + filtered + dirty`, always, for one target: what a failed task wrote was undone and counts as not read. */
export interface RowCounts {
  readonly read: number;
  readonly written: number;
  readonly dirty: number;
  readonly filtered: number;
}

/** Bytes of packed rows (COPY text), not of any wire or file. */
export interface ByteCounts {
  readonly read: number;
  readonly written: number;
}

/** Seconds, summed over tasks: `reader` waited for the writer or a rate limit, `writer` waited for the reader. */
export interface Waits {
  readonly reader: number;
  readonly writer: number;
}

export interface Tally {
  readonly rows: RowCounts;
  readonly bytes: ByteCounts;
  readonly waits: Waits;
}

/** One start of a task. */
export interface AttemptReport {
  /** Grows with each start, also over the processes of a run. */
  readonly attempt: number;
  readonly state: 'done' | 'failed';
  /** On which thread it started, and why then: how long it had waited, its priority, and what its data sources had left. */
  readonly start: string;
  readonly seconds: number;
  readonly error?: ReportedError;
}

export interface TaskReport extends Tally {
  readonly id: number;
  /** Number of the content in the job file, from 0. */
  readonly content: number;
  /** Number of the target among its `writers`, from 0; absent: there is one. */
  readonly target?: number;
  readonly split: string;
  readonly state: TaskState;
  readonly seconds: number;
  /** Those of this process. */
  readonly attempts: readonly AttemptReport[];
  /** True if an earlier process of this run has committed it. */
  readonly isFromEarlierProcess?: true;
}

/** One of several targets. `read = written + filtered + dirty` holds for each. */
export interface TargetReport extends Tally {
  readonly writer: string;
  readonly state: TaskState;
  readonly guarantee?: Guarantee;
  /** Why it failed. */
  readonly error?: ReportedError;
  readonly isFromEarlierProcess?: true;
}

/** How the tasks of a content read together. */
export interface SnapshotReport {
  readonly mode: 'consistent' | 'per-task' | 'none';
  /** Where it stands in the source's log, if known. */
  readonly position?: string;
  /** Points in time that were read at; more than 1 if a snapshot was lost on the way. */
  readonly points: number;
  /** What stood against `consistent`. */
  readonly why?: string;
}

export interface ContentReport extends Tally {
  readonly reader: string;
  readonly writer: string;
  readonly state: TaskState;
  readonly tasks: number;
  /** It ended after its deadline, or took longer than `finishWithin`: what was due, and how much later it ended. */
  readonly missed?: { readonly due: string; readonly seconds: number };
  /** Most tasks side by side, and why so many. */
  readonly channels?: number;
  readonly channelsWhy?: string;
  readonly guarantee?: Guarantee;
  readonly snapshot?: SnapshotReport;
  /** Rows of the source that were not read, because the job says so (`"collisions": "keep-first"`), as they were when the run was planned; absent: none. */
  readonly leftOut?: number;
  /** Of a content with `writers`. Its own rows and bytes are then read once, and those written, dirty and filtered added up over the targets. */
  readonly targets?: readonly TargetReport[];
  /** True if an earlier process of this run has published it; its rows are not counted again. */
  readonly isFromEarlierProcess?: true;
}

/** An error as machines get it: stacks are for `DRAY_DEBUG=1`. */
export type ReportedError = Omit<ErrorWire, 'stack'>;

/** What `--json` prints. A stable interface: keys are added, never changed. */
export interface RunReport extends Tally {
  readonly run: string;
  readonly job: string;
  readonly state: RunState;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** The weakest of the contents. */
  readonly guarantee: Guarantee;
  readonly channels: number;
  readonly contents: readonly ContentReport[];
  readonly tasks: readonly TaskReport[];
  readonly error?: ReportedError;
  /** What can be done about an end that was not good: `dray resume RUN` goes on with what is missing. */
  readonly isResumable?: true;
  /** File of the dirty records, if there are any. */
  readonly quarantine?: string;
}

/** Counters of an ended task as they belong into the report. */
export function tallyOf(counters: Readonly<TaskCounters>, isDone: boolean): Tally {
  const { rowsDirty: dirty, rowsWritten, rowsFiltered, bytesRead, bytesWritten, readerWaitMs, writerWaitMs } = counters;
  const written = isDone ? rowsWritten : 0;
  const filtered = isDone ? rowsFiltered : 0;
  return {
    rows: { read: written + filtered + dirty, written, dirty, filtered },
    bytes: isDone ? { read: bytesRead, written: bytesWritten } : { read: 0, written: 0 },
    waits: { reader: round(readerWaitMs / 1000), writer: round(writerWaitMs / 1000) },
  };
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = (pick: (tally: Tally) => number) => tallies.reduce((total, tally) => total + pick(tally), 0);
  return {
    rows: {
      read: sum(({ rows }) => rows.read),
      written: sum(({ rows }) => rows.written),
      dirty: sum(({ rows }) => rows.dirty),
      filtered: sum(({ rows }) => rows.filtered),
    },
    bytes: { read: sum(({ bytes }) => bytes.read), written: sum(({ bytes }) => bytes.written) },
    waits: { reader: round(sum(({ waits }) => waits.reader)), writer: round(sum(({ waits }) => waits.writer)) },
  };
}

/** The report of a job that ended before there was anything to run: its file is wrong. */
export function reportWithoutRun({ run, job, error }: Pick<RunReport, 'run' | 'job'> & { readonly error: ReportedError }): RunReport {
  const nothing = { ...sumOf([]), seconds: 0, rowsPerSecond: 0, channels: 0, contents: [], tasks: [] };
  return { run, job, state: 'failed', ...nothing, guarantee: 'at-least-once', error };
}

export function reportedError(error: DrayError): ReportedError {
  const { stack: _, ...reported } = error.toWire();
  return reported;
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
