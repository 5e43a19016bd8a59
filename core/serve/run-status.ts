import type { StoredState } from '../ledger/run-state.ts';
import type { StoredRun } from '../ledger/run-store.ts';
import type { ByteCounts, ReportedError, RowCounts } from '../report/report.ts';

/** A run as the server tells of it. A stable interface: keys are added, never changed. */
export interface RunStatus {
  readonly run: string;
  readonly job: string;
  /** Absolute path of the job file. */
  readonly file: string;
  /** `paused`: no task starts; those that run go on to their end. */
  readonly state: StoredState | 'paused';
  readonly isResumable: boolean;
  /** ISO times; `started`: its first task. */
  readonly submitted: string;
  readonly started?: string;
  readonly ended?: string;
  /** Absent for runs of other processes that have not ended. */
  readonly rows?: RowCounts;
  readonly bytes?: ByteCounts;
  readonly error?: Omit<ReportedError, 'remedy'> & { readonly remedy?: string };
  /** Absent for runs that this server has not had. */
  readonly priority?: number;
  /** The rest is there while the run is waiting, running or paused. */
  readonly rowsPerSecond?: number;
  /** Of all contents, by the estimate of their rows; 100 is for when it is over. */
  readonly percent?: number;
  /** Its tasks that have a slot, and that wait for one. */
  readonly slots?: { readonly running: number; readonly waiting: number };
  /** Most tasks side by side, if somebody has set it. */
  readonly channels?: number;
  /** What it is doing before its tasks run. */
  readonly planning?: string;
  /** Why no task of it starts, as a part of a sentence. */
  readonly waitsFor?: string;
  /** What people should know of its tasks: that it will be late, and who slows it down and why. */
  readonly remark?: string;
}

/** The status of a run that is none of this server's, by its journal. */
export function statusOfStored({ run, begun, ended, changes, state, isResumable }: StoredRun): RunStatus {
  const priority = changes.priority ?? begun.submitted?.priority;
  return {
    run,
    job: begun.job,
    file: begun.file,
    state,
    isResumable,
    submitted: begun.at,
    ...(priority === undefined ? {} : { priority }),
    ...(ended === undefined ? {} : { ended: ended.at, rows: ended.rows as unknown as RowCounts }),
    ...(ended?.error === undefined ? {} : { error: ended.error as ReportedError }),
  };
}
