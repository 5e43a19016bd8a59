/** A task as the scheduler knows it. */
export interface TaskFacts {
  /** Unique within its job. */
  readonly id: number;
  /** How long it is thought to run, in milliseconds; also what it counts for in fair shares. */
  readonly weightMs: number;
}

/** What is scheduled: those tasks of one content of one run that read from the same servers and write to the same. */
export interface JobFacts {
  readonly job: string;
  /** 0–9; 9 goes first. */
  readonly priority: number;
  /** When it should have ended, on the clock of the events. */
  readonly deadlineAt?: number | undefined;
  /** Whose slots it takes. */
  readonly pool: string;
  /** Data sources at both ends, whose budgets each of its tasks takes from; and whatever else has a limit that it shares with other jobs. Each once. */
  readonly resources: readonly string[];
  /** Tasks side by side that the wanted end asks for. If there are no more tasks than this, all of them run on one host, and the difference is kept free there until it is paused, removed or over. */
  readonly firstRound: number;
  /** Most tasks side by side. */
  readonly maxRunning: number;
  /** True if the rest of a running task can be given to an idle slot. */
  readonly isCuttable?: boolean | undefined;
  /** True if no task starts before `unpause`. */
  readonly isPaused?: boolean | undefined;
  readonly tasks: readonly TaskFacts[];
}

export type SchedulerEvent =
  | { readonly type: 'submit'; readonly job: JobFacts }
  /** A task more: the rest of one that was cut, told before that one ends. */
  | { readonly type: 'add'; readonly job: string; readonly task: TaskFacts }
  /** Nothing could be cut off a running task of the job; it is asked again when one of them has ended. */
  | { readonly type: 'uncut'; readonly job: string }
  /** A started task will not come back. Not to be told of a task that ran on a lost host: it may have started again elsewhere. */
  | { readonly type: 'ended'; readonly job: string; readonly task: number }
  /** A started task is to start again, not before that time. */
  | { readonly type: 'again'; readonly job: string; readonly task: number; readonly notBefore: number }
  | { readonly type: 'priority'; readonly job: string; readonly priority: number }
  | { readonly type: 'width'; readonly job: string; readonly maxRunning: number }
  /** No task of the job starts any more until `unpause`; running ones end. */
  | { readonly type: 'pause' | 'unpause'; readonly job: string }
  /** Its waiting tasks never start; running ones end. */
  | { readonly type: 'remove'; readonly job: string }
  /** What a host can carry now; the first time, it joins. A pool that is not named has no slots there. */
  | { readonly type: 'host'; readonly host: string; readonly slots: Readonly<Record<string, number>>; readonly spareCpu: number }
  /** The tasks that ran there wait again. */
  | { readonly type: 'host lost'; readonly host: string }
  /** Most tasks at once at a data source; one that was never named has no limit. */
  | { readonly type: 'limit'; readonly resource: string; readonly maxRunning: number }
  /** No job will name it again: it is forgotten with the last one that does, and has no limit until then. */
  | { readonly type: 'resource gone'; readonly resource: string }
  /** Time has passed. */
  | { readonly type: 'tick' };

/** Why a task started now, and there. */
export interface StartReason {
  readonly waitedMs: number;
  readonly priority: number;
  /** The priority it had risen to by waiting; 10: it had waited longest of all. */
  readonly level: number;
  readonly budgets: readonly { readonly resource: string; readonly running: number; readonly limit: number }[];
  /** `together`: where tasks of its job run; `one host`: where all of them will. */
  readonly place: 'most spare' | 'together' | 'one host';
}

/** Where a job stands. */
export interface JobLook {
  /** Tasks that are to start, the delayed ones among them. */
  readonly waiting: number;
  /** Those that start again, but not yet. */
  readonly delayed: number;
  readonly running: number;
  /** The priority it has risen to. */
  readonly level: number;
}

export type Decision =
  | {
      readonly type: 'start';
      readonly job: string;
      readonly task: number;
      readonly host: string;
      readonly pool: string;
      readonly why: StartReason;
    }
  /** A slot is idle and no task can start there: give away the unread half of the job's longest task, and answer with `add` or `uncut`. */
  | { readonly type: 'cut'; readonly job: string }
  | { readonly type: 'promoted'; readonly job: string; readonly level: number };
