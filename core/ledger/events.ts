import type { Guarantee, Json, Schema, Split, Target } from '../sdk/index.ts';

/** What a content delivers, and in which tasks. */
export interface PlannedContent {
  readonly reader: string;
  readonly writer: string;
  readonly source: Schema;
  readonly splits: readonly Split[];
  /** Number of the task of the first split; the others follow. */
  readonly firstTask: number;
  /** Numbers of the tasks of those splits, at the end, that were cut off others while they ran. */
  readonly cutOff?: readonly number[];
  readonly guarantee: Guarantee;
}

/** Number of the task that reads a split. */
export function taskOf({ firstTask, splits, cutOff = [] }: Pick<PlannedContent, 'firstTask' | 'splits' | 'cutOff'>, place: number): number {
  return cutOff[place - (splits.length - cutOff.length)] ?? firstTask + place;
}

/** What somebody has set about a run at a server, over what it was submitted with. */
export interface RunChange {
  readonly priority?: number | undefined;
  readonly channels?: number | undefined;
  readonly isPaused?: boolean | undefined;
}

/** What a run writes down, in its order. A resumed run goes on in the same journal. */
export type RunEvent =
  | {
      readonly type: 'begun';
      readonly run: string;
      readonly job: string;
      /** Absolute path. */
      readonly file: string;
      /** Of the job's text, secrets masked. */
      readonly digest: string;
      /** `-p name=value`, without secrets. */
      readonly parameters: Readonly<Record<string, string>>;
      /** Names of parameters that are secrets: they must be given again. */
      readonly secretParameters: readonly string[];
      readonly at: string;
      readonly guarantee: string;
      readonly channels: number;
      /** With what it was given to a server (`dray submit`), which runs it in its turn. */
      readonly submitted?: { readonly priority?: number; readonly channels?: number; readonly isLenient?: true };
    }
  /** Its turn to begin has come: until then nothing was connected. */
  | { readonly type: 'opened' }
  /** What somebody has changed about it while it waited or ran, as a part of a sentence: `priority 9`. */
  | ({ readonly type: 'changed'; readonly change: string } & RunChange)
  | { readonly type: 'resumed'; readonly epoch: number; readonly at: string }
  | ({ readonly type: 'planned'; readonly content: number } & PlannedContent)
  | { readonly type: 'prepared'; readonly content: number; readonly target: Target }
  /** The content reads at one more point in time. */
  | { readonly type: 'snapshot'; readonly content: number; readonly position?: string }
  /** With what the scheduler had to say about it. */
  | { readonly type: 'started'; readonly task: number; readonly attempt: number; readonly why: string }
  /** A task that runs keeps only so many members of its split; another one reads the rest. Stands before either of them commits. */
  | { readonly type: 'cut'; readonly content: number; readonly task: number; readonly keeps: number; readonly rest: number }
  /** The task is about to commit: without `committed` behind it, it is not known here whether it did. */
  | { readonly type: 'committing'; readonly task: number; readonly attempt: number }
  | { readonly type: 'committed'; readonly task: number; readonly attempt: number; readonly commit: Json; readonly tally: Json }
  | { readonly type: 'failed'; readonly task: number; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'published'; readonly content: number; readonly published: Json }
  | { readonly type: 'discarded'; readonly content: number }
  | { readonly type: 'rolled back'; readonly content: number; readonly at: string }
  /** Rows of the quarantine, by their ids, are about to be loaded, as one task of this number; and once more before its commit, without those that were refused. */
  | { readonly type: 'replaying'; readonly content: number; readonly task: number; readonly rows: readonly string[] }
  | { readonly type: 'replayed'; readonly task: number; readonly at: string }
  | {
      readonly type: 'ended';
      readonly state: 'done' | 'failed' | 'cancelled';
      readonly at: string;
      readonly rows: Readonly<Record<string, number>>;
      readonly error?: { readonly code: string; readonly message: string };
    };

/** An event as it stands in the journal: with the number of the process that wrote it, so that one that has lost the run changes nothing any more. */
export type StoredEvent = RunEvent & {
  readonly epoch?: number;
  /** When it was written, as of Date.now(), where `at` does not say it. */
  readonly ms?: number;
};
