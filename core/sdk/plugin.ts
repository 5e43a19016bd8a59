import type { z } from 'zod';
import type { BatchBuilder } from './batch-builder.ts';
import type { DrayError } from './errors.ts';
import type { Cell, RecordBatch } from './record-batch.ts';
import type { Resource, SourceHealth } from './resource.ts';
import type { Schema } from './schema.ts';
import type { KeySource, LeftOut, Split, SplitKey } from './split.ts';
import type { TargetForms } from './target-forms.ts';

/** What can be written as JSON; splits and commits travel between threads and hosts as such. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What the framework gives a plugin when it is opened. */
export interface PluginContext {
  /** Name of the job: that of its file. */
  readonly job: string;
  /** Identifies the run in names a plugin makes up (temporary files, staging tables). Letters, digits and `-`. */
  readonly run: string;
  /** Says something to the person running the job, once per occurrence; on stderr, with secrets masked. */
  readonly warn: (message: string) => void;
  /** Writes text to the standard output of the command (stderr under `--json`). Only for plugins whose target is the screen. */
  readonly print: (text: string) => void;
  /** Fires when the run is cancelled or has failed elsewhere. Pending calls should reject soon. */
  readonly signal: AbortSignal;
}

export interface SplitHint {
  /** How many tasks will run side by side. */
  readonly channels: number;
  /**
   * Bytes of the source that one task should read where all parts together have so many: the rule by which the Splitter cuts tables. For readers that cut by
   * something else than keys.
   */
  readonly bytesPerTask: (totalBytes: number) => number;
}

/** Where a reader puts rows. Everything pushed goes through the Channel, whose limits make the reader wait. */
export interface RecordOutput {
  readonly schema: Schema;
  /** For readers that write packed text themselves; call `flush` when it is full. Rows of an earlier split may stand in it: look at how it grows, not at what it has. */
  readonly builder: BatchBuilder;
  /** Given if the reader has said that it `deliversForms`: `builder` then takes rows in this layout, each cell in the form of its column, and `push` is no use. */
  readonly forms?: TargetForms | undefined;
  /**
   * Adds one row, one text or NULL per column of the schema. A row that is not Unicode text becomes a dirty record.
   * Returns false when a batch is full: then `await drain()` before the next push, so that memory stays bounded.
   */
  push(cells: readonly Cell[]): boolean;
  /** Hands over full batches and waits until the Channel has room. Rejects when the task was cancelled. */
  drain(): Promise<void>;
  /** Hands over what is in `builder`, full or not, and waits for room. Not needed at the end of a split: what is left then may share a batch with the next split of a pack. */
  flush(): Promise<void>;
  /** Hands over a ready batch, behind what is in `builder`, and waits for room. */
  send(batch: RecordBatch): Promise<void>;
  /** Counts a row of the source that cannot become a record. `fault` is a ROW_REJECTED that says why; never the value. */
  reject(fault: DrayError): void;
}

/** An open reader. The Controller opens one to plan; each thread of tasks opens one of its own, and keeps it for them as long as no `read` fails. */
export interface Reader {
  /**
   * Columns this content will deliver. Once per run, in the main thread, before anything else.
   * @param planned splits of an earlier process of the run, which is resumed: the parts are those, whatever patterns would find now
   */
  schema(planned?: readonly Split[]): Promise<Schema> | Schema;
  /**
   * Names the parts of the content (tables, files), with what metadata tells of their sizes and keys. Once per run, after `schema`. The
   * Splitter then cuts big parts by one of their keys and packs small ones together. Absent: one part.
   */
  split?(hint: SplitHint): Promise<Split[]> | Split[];
  /**
   * Whether `read` can deliver the columns in these forms, those that the target takes (`Target.forms`). In the main thread, after `schema`; only where
   * nothing has to look at cells on their way that are not the canonical text any more (of bare rows NULL and the `same` ones are looked at). What cannot be told before may still be refused by `read`, with NOT_STRAIGHT: the task is then read again as
   * text. Absent: it cannot.
   */
  deliversForms?(source: Schema, forms: TargetForms): boolean;
  /** Opens what the source knows of a key, for the Splitter to cut a split by. In the main thread, for splits that offer `keys`. */
  openKey?(split: Split, key: SplitKey): Promise<KeySource> | KeySource;
  /**
   * Rows of a split that are there and will not be read. In the main thread, once for each split (of a pack: each member), when all have been cut; what it returns
   * comes back in `read` as `split.leftOut`, also when the run is resumed. undefined: every row is read. Absent: so it is with all.
   */
  leftOut?(split: Split): LeftOut | undefined;
  /**
   * Makes sure that what will be read is whole and genuine (digests, signatures). Once per run, in the main thread, after the plan and before the target is
   * touched or any row is read; what it throws ends the run with nothing loaded. Absent: there is nothing to make sure of.
   * @param splits that will be read
   */
  verify?(splits: readonly Split[]): Promise<void>;
  /**
   * Told in a task, before the first `read`, which splits of a pack it will read one after the other: what they all need can be looked up at once then. Some may
   * be given to other tasks after all.
   */
  expect?(splits: readonly Split[]): void;
  /**
   * Reads one split to its end; resolves when the last row has been pushed. Called once per Task, and for a pack of small splits once for
   * each, one after the other.
   * The target may not be open yet, and may turn out not to be reachable.
   * When `signal` fires it should stop soon, also at the server (kill the query), and reject with anything.
   */
  read(split: Split, out: RecordOutput, signal: AbortSignal): Promise<void>;
  /**
   * Begins one point in time at which all tasks of the run read. Once per run, in the main thread, after `prepare` of the target. Rejects with what stands against
   * it (SNAPSHOT_REFUSED: rights, engine); the run then reads without, or ends, as its `setting.snapshot` says. Absent: the source does not change while it
   * is read, or has no such thing.
   */
  openSnapshot?(plan: SnapshotPlan): Promise<OpenSnapshot>;
  /** Opens the connections that `read` needs. In the thread of the tasks, ahead of `openSnapshot`, so that what keeps the source still need not wait for them. */
  connect?(): Promise<void>;
  /**
   * From now on this reader reads in the snapshot. Once, in the thread of the tasks, before the first `read`; a reader that joined is kept for all tasks of
   * its thread.
   * @param token that of `openSnapshot`
   */
  joinSnapshot?(token: Json): Promise<void>;
  /**
   * Whether a `read` that has delivered nothing for ten seconds is still worth waiting for: false if the connection is dead, or if the server waits for us as we
   * wait for it. Asked while `read` is pending, through a connection of its own; taking more than ten seconds is a no.
   */
  isAlive?(): Promise<boolean>;
  /**
   * The server that a split is read from, for the budgets that all jobs keep there together. In the main thread, after `split`; for a pack of small splits it
   * is asked about each member. Looks nothing up. Absent: the source is no server, and has no budget.
   * @param split undefined: the first one
   */
  resource?(split?: Split): Resource;
  /**
   * How a server is that `resource` named. In the main thread, every few seconds while tasks read from it, on a connection of its own, which is opened at the
   * first call. A figure that cannot be had is left out; a rejection means that the server does not answer, and slows the tasks down. Absent: it cannot be told.
   * @param signal fires when nobody waits for the answer any more: the connection is then given up
   */
  health?(resource: Resource, signal: AbortSignal): Promise<SourceHealth>;
  /** Releases everything. Always called, also after errors. */
  close?(): Promise<void>;
}

export interface SnapshotPlan {
  readonly splits: readonly Split[];
  /** How many readers will join it, each in a thread of its own. */
  readonly readers: number;
}

/** A snapshot that is open for others to join. */
export interface OpenSnapshot {
  /** What `joinSnapshot` needs. */
  readonly token: Json;
  /** Where it stands in the source's log (LSN; binary log file and offset, or GTID), if that can be told. */
  readonly position?: string;
  /** Called when all readers have joined: locks that kept the source still are released. The snapshot itself ends with `close` of the reader. */
  joined?(): Promise<void>;
}

/** What a writer found at its target. Plain JSON: it travels to the tasks. */
export interface Target {
  /** Columns that will be written, in the order of the source's columns, with the limits of the target's types. */
  readonly schema: Schema;
  /** In which forms `write` takes rows beside canonical text, from one batch of a task to the next (`RecordBatch.layout`). Absent: it takes text alone. */
  readonly forms?: TargetForms;
  /** For the writer alone. */
  readonly state?: Json;
}

/** `exactly-once`: a task that is run again after a crash leaves its rows once. */
export type Guarantee = 'at-least-once' | 'exactly-once';

/** How a run means to write. */
export interface WriteIntent {
  readonly guarantee: Guarantee;
  /**
   * `resume`: an earlier process of the same run has prepared the target, and tasks of it may have committed: nothing is emptied, no preSql is run.
   * `replay`: rows that were refused by an earlier run are added to what is there; nothing is emptied or replaced, neither preSql nor postSql is run.
   */
  readonly mode: 'run' | 'resume' | 'replay';
}

export interface TaskFacts {
  /** Number of the task within its run. */
  readonly id: number;
  /** From 1; each time the task is started it is higher, also after the run was resumed by another process. */
  readonly attempt: number;
  readonly guarantee: Guarantee;
  /** The writer may go straight on: see `TaskWriter.isStraight`. Absent: it may not. */
  readonly isStraight?: boolean | undefined;
  readonly source: Schema;
  readonly target: Target;
}

/** What an earlier attempt of a task has committed. */
export interface EarlierCommit {
  /** What its `commit` returned. */
  readonly commit: Json;
  /** What its `commit` was given. */
  readonly tally: Json;
}

/** An open writer. The Controller opens one to prepare and publish; each Task opens its own in its thread. */
export interface Writer {
  /** Looks at the target without changing anything. Called by `dray check`, and by `prepare`. */
  inspect(source: Schema): Promise<Target> | Target;
  /**
   * What stands against `exactly-once` at this target (no rights to create a ledger, an engine without transactions), as a part of a sentence; undefined: nothing.
   * Changes nothing. Before `prepare`, and only if the job asks for that guarantee. Absent: the writer cannot do it.
   */
  refusesExactlyOnce?(): Promise<string | undefined>;
  /** Makes the target ready (preSql, folders, ledger). Once per run, in the main thread, before the first task. Absent: `inspect`. */
  prepare?(source: Schema, intent: WriteIntent): Promise<Target>;
  /** Starts writing one split. Once per attempt of a Task, in its thread; beside the reader's `read`, unless under exactly-once. */
  openTask(task: TaskFacts): Promise<TaskWriter>;
  /**
   * Makes everything visible (postSql, renames). Once, after every task has committed; and again with the same commits when the process died before it
   * was known to have ended: what was published by then stays as it is.
   * @returns what `rollback` needs to bring back what was there before; nothing if that is not kept
   */
  publish?(commits: readonly Json[], intent: WriteIntent): Promise<Json | void>;
  /** Brings back what was there before `publish`. For `dray rollback`. @throws DrayError ROLLBACK_IMPOSSIBLE if it is not there any more */
  rollback?(published: Json): Promise<void>;
  /** Removes what unpublished tasks left, also those of an earlier process of the run. If the content failed for good or was given up. */
  discard?(): Promise<void>;
  /** The server that tasks write to. In the main thread, after `prepare`; as that of the reader. */
  resource?(): Resource;
  /** As that of the reader, while tasks write. */
  health?(resource: Resource, signal: AbortSignal): Promise<SourceHealth>;
  /** Releases everything. Always called, also after errors. */
  close?(): Promise<void>;
}

/** One split on its way into the target. Calls never overlap. */
export interface TaskWriter {
  /**
   * Only where the task's facts allow it: rows are sent without waiting for the target's word on each batch. A `write` then may leave some of its batch on the way, and it
   * or a later one, or `finish`, rejects with ROW_REJECTED if the target has refused any row so far. The framework undoes the task, and starts it again
   * without this. It settles only when the batch's memory is free.
   */
  readonly isStraight?: boolean;
  /**
   * Under `exactly-once`: an earlier attempt has committed. The framework then reads and writes nothing, and calls only `abort`, which releases.
   * A writer must see to it that no earlier attempt can commit once this one is open (it is fenced: its session ended, its number refused).
   */
  readonly earlier?: EarlierCommit | undefined;
  /**
   * Accepts all rows of the batch, or none of them. The batch's memory is used again once the call has settled: copy what must live longer.
   * @throws DrayError ROW_REJECTED if the target refuses a row; nothing of this batch may then remain. The framework finds the row by
   * calling again with parts of the batch. Any other error fails the task.
   */
  write(batch: RecordBatch): Promise<void>;
  /**
   * No batch comes any more: settles when the target has taken all rows, as far as that can be known before `commit`. What goes wrong here leaves nothing in doubt, and is
   * cancelled at once. Called once, before `commit`. Absent: each `write` waits for the target's word.
   * @throws DrayError as `write`
   */
  finish?(): Promise<void>;
  /**
   * Makes the rows durable; afterwards the task counts as done. What it returns is given to `publish`.
   * @param tally what the framework wants to know again if this commit is found by a later attempt; a ledger keeps it
   * @throws DrayError COMMIT_UNKNOWN if the connection was lost in between and nothing tells whether the rows are there; FENCED if a later attempt has taken over
   */
  commit(tally: Json): Promise<Json | void>;
  /** Undoes everything this task wrote. Called instead of `commit`, also after a failed commit. */
  abort(): Promise<void>;
  /** As that of the reader, for a `write`, `finish` or `commit` that has been pending for ten seconds. */
  isAlive?(): Promise<boolean>;
}

type Options = z.ZodObject;

/** Something that a plugin does otherwise than DataX's of that name with the same parameter: for `dray docs datax` and `dray import datax`. Markdown, without an end. */
export interface Difference {
  readonly what: string;
  readonly datax: string;
  readonly here: string;
  /** An imported job is given a comment about it when its parameter has, or has not, this option. */
  readonly tell?: { readonly option: string; readonly when: 'present' | 'absent' };
}

/** What every plugin says of itself. */
export interface PluginDefinition<O extends Options> {
  /** Name in job files. DataX's name of the same thing, where there is one, belongs into `aliases`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /**
   * DataX's names of plugins for other systems that this one reads or writes as well, because they speak the same protocol: a job file with such a name is refused,
   * and the message tells this one's name.
   */
  readonly servesFor?: readonly string[];
  readonly differences?: readonly Difference[];
  /** One line for `dray plugins`. */
  readonly summary: string;
  /** The `parameter` object of the job file, as a zod strictObject. Each key with `.describe(…)`. */
  readonly options: O;
  /** A `parameter` object that is right, for `dray template`. */
  readonly example?: Json;
  /**
   * Imports the modules that `open` will import, and connects to nothing. In threads that will run tasks, and of a writer in the main thread, too, beside what planning
   * waits for. What it rejects with is not told: `open` meets it again. Absent: `open` takes the time.
   */
  load?(): Promise<unknown>;
}

export interface ReaderDefinition<O extends Options = Options> extends PluginDefinition<O> {
  /** How `dray files verify` names what it reads: `sftp://host/path`; the `parameter` object that such an address stands for. `file` is a path. */
  readonly address?: { readonly scheme: string; readonly parameter: (address: string) => object };
  /**
   * Options for each source (a table, a query) that these name, in the order in which DataX makes one task of each: where a writer names as many targets, they are
   * read as contents of their own. Asks nobody. Absent: its tasks cannot be told so.
   * @param channels of the job; undefined: it does not say
   * @returns a clause that says why they cannot be told
   */
  eachSource?(options: z.output<O>, channels: number | undefined): readonly z.output<O>[] | string;
  /** Called with valid options, in the main thread to plan and in the thread of each task to read. */
  open(options: z.output<O>, context: PluginContext): Promise<Reader> | Reader;
}

export interface WriterDefinition<O extends Options = Options> extends PluginDefinition<O> {
  /** Options for each target that these name; `open` is given one of them. Asks nobody. Absent: they name one. */
  eachTarget?(options: z.output<O>): readonly z.output<O>[];
  open(options: z.output<O>, context: PluginContext): Promise<Writer> | Writer;
}

export type ReaderPlugin = ReaderDefinition & { readonly kind: 'reader' };
export type WriterPlugin = WriterDefinition & { readonly kind: 'writer' };

/** Declares a reader. The module's default export, or any export, is the result. */
export function defineReader<O extends Options>(definition: ReaderDefinition<O>): ReaderPlugin {
  return { ...(definition as unknown as ReaderDefinition), kind: 'reader' };
}

/** Declares a writer. The module's default export, or any export, is the result. */
export function defineWriter<O extends Options>(definition: WriterDefinition<O>): WriterPlugin {
  return { ...(definition as unknown as WriterDefinition), kind: 'writer' };
}
