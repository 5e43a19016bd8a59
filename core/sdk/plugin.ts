import type { z } from 'zod';
import type { BatchBuilder } from './batch-builder.ts';
import type { DrayError } from './errors.ts';
import type { Cell, RecordBatch } from './record-batch.ts';
import type { Schema } from './schema.ts';
import type { KeySource, Split, SplitKey } from './split.ts';

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
}

/** Where a reader puts rows. Everything pushed goes through the Channel, whose limits make the reader wait. */
export interface RecordOutput {
  readonly schema: Schema;
  /** For readers that write packed text themselves; call `flush` when it is full. */
  readonly builder: BatchBuilder;
  /**
   * Adds one row, one text or NULL per column of the schema. A row that is not Unicode text becomes a dirty record.
   * Returns false when a batch is full: then `await drain()` before the next push, so that memory stays bounded.
   */
  push(cells: readonly Cell[]): boolean;
  /** Hands over full batches and waits until the Channel has room. Rejects when the task was cancelled. */
  drain(): Promise<void>;
  /** Hands over what is in `builder`, full or not, and waits for room. */
  flush(): Promise<void>;
  /** Hands over a ready batch, and waits for room. */
  send(batch: RecordBatch): Promise<void>;
  /** Counts a row of the source that cannot become a record. `fault` is a ROW_REJECTED that says why; never the value. */
  reject(fault: DrayError): void;
}

/** An open reader. The Controller opens one to plan; each Task opens its own in its thread. */
export interface Reader {
  /** Columns this content will deliver. Once per run, in the main thread, before anything else. */
  schema(): Promise<Schema> | Schema;
  /**
   * Names the parts of the content (tables, files), with what metadata tells of their sizes and keys. Once per run, after `schema`. The
   * Splitter then cuts big parts by one of their keys and packs small ones together. Absent: one part.
   */
  split?(hint: SplitHint): Promise<Split[]> | Split[];
  /** Opens what the source knows of a key, for the Splitter to cut a split by. In the main thread, for splits that offer `keys`. */
  openKey?(split: Split, key: SplitKey): Promise<KeySource> | KeySource;
  /**
   * Makes sure that what will be read is whole and genuine (digests, signatures). Once per run, in the main thread, after the plan and before the target is
   * touched or any row is read; what it throws ends the run with nothing loaded. Absent: there is nothing to make sure of.
   */
  verify?(): Promise<void>;
  /**
   * Reads one split to its end; resolves when the last row has been pushed. Called once per Task, and for a pack of small splits once for
   * each, one after the other.
   * When `signal` fires it should stop soon, also at the server (kill the query), and reject with anything.
   */
  read(split: Split, out: RecordOutput, signal: AbortSignal): Promise<void>;
  /** Releases everything. Always called, also after errors. */
  close?(): Promise<void>;
}

/** What a writer found at its target. Plain JSON: it travels to the tasks. */
export interface Target {
  /** Columns that will be written, in the order of the source's columns, with the limits of the target's types. */
  readonly schema: Schema;
  /** For the writer alone. */
  readonly state?: Json;
}

export interface TaskFacts {
  readonly id: number;
  readonly source: Schema;
  readonly target: Target;
}

/** An open writer. The Controller opens one to prepare and publish; each Task opens its own in its thread. */
export interface Writer {
  /** Looks at the target without changing anything. Called by `dray check`, and by `prepare`. */
  inspect(source: Schema): Promise<Target> | Target;
  /** Makes the target ready (preSql, folders). Once per run, in the main thread, before the first task. Absent: `inspect`. */
  prepare?(source: Schema): Promise<Target>;
  /** Starts writing one split. Once per Task, in its thread. */
  openTask(task: TaskFacts): Promise<TaskWriter>;
  /** Makes everything visible (postSql, renames). Once, after every task has committed. */
  publish?(commits: readonly Json[]): Promise<void>;
  /** Removes what unpublished tasks left. Once, if the content failed or was cancelled after `prepare`. */
  discard?(): Promise<void>;
  /** Releases everything. Always called, also after errors. */
  close?(): Promise<void>;
}

/** One split on its way into the target. Calls never overlap. */
export interface TaskWriter {
  /**
   * Accepts all rows of the batch, or none of them. The batch's memory is used again once the call has settled: copy what must live longer.
   * @throws DrayError ROW_REJECTED if the target refuses a row; nothing of this batch may then remain. The framework finds the row by
   * calling again with parts of the batch. Any other error fails the task.
   */
  write(batch: RecordBatch): Promise<void>;
  /** Makes the rows durable; afterwards the task counts as done. What it returns is given to `publish`. */
  commit(): Promise<Json | void>;
  /** Undoes everything this task wrote. Called instead of `commit`, also after a failed commit. */
  abort(): Promise<void>;
}

type Options = z.ZodObject;

interface Definition<O extends Options> {
  /** Name in job files. DataX's name of the same thing, where there is one, belongs into `aliases`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for `dray plugins`. */
  readonly summary: string;
  /** The `parameter` object of the job file, as a zod strictObject. Each key with `.describe(…)`. */
  readonly options: O;
  /** A `parameter` object that is right, for `dray template`. */
  readonly example?: Json;
}

export interface ReaderDefinition<O extends Options = Options> extends Definition<O> {
  /** How `dray files verify` names what it reads: `sftp://host/path`; the `parameter` object that such an address stands for. `file` is a path. */
  readonly address?: { readonly scheme: string; readonly parameter: (address: string) => object };
  /** Called with valid options, in the main thread to plan and in the thread of each task to read. */
  open(options: z.output<O>, context: PluginContext): Promise<Reader> | Reader;
}

export interface WriterDefinition<O extends Options = Options> extends Definition<O> {
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
