import { isDeepStrictEqual } from 'node:util';
import type { PluginRef } from '../registry/plugin-ref.ts';
import {
  asDrayError,
  type ErrorWire,
  type Json,
  type PluginContext,
  type Reader,
  type ReaderPlugin,
  type TransformerPlugin,
  type WriterPlugin,
} from '../sdk/index.ts';
import { BatchPace } from './batch-pace.ts';
import { cancelGraceMs, orAborted } from './or-aborted.ts';
import type { ReaderSource } from './reader-source.ts';
import { runTask, type TaskPlugins } from './run-task.ts';
import { runTogether } from './run-together.ts';
import { type EndSpec, type LaneSpec, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from './spec.ts';

/** Loads the plugins that tasks name. */
export interface PluginLoader {
  reader(ref: PluginRef): Promise<ReaderPlugin>;
  writer(ref: PluginRef): Promise<WriterPlugin>;
  transformer(ref: PluginRef): Promise<TransformerPlugin>;
}

/** An open reader, and whose it is. */
interface Kept {
  readonly run: string;
  readonly end: EndSpec;
  readonly reader: Reader;
  /** Its context's signal: fires when it is given up. */
  readonly life: AbortController;
  /** True once it reads in a snapshot. */
  hasJoined: boolean;
  /** A task has it. */
  isTaken: boolean;
}

/**
 * One place where tasks run one after the other: in this thread, or in one of its own. Keeps one reader open for all tasks of a content, because a connection
 * per task costs 2 to 5 %, and because a reader that has joined a snapshot holds it by its session.
 */
export class Lane {
  readonly #load: PluginLoader;
  #kept: Kept | undefined;
  /** The snapshot in which tasks of this reader read, also after the reader had to be opened again. */
  #joined: LaneSpec | undefined;
  /** The task that runs; what the reader says between tasks waits for the next one. */
  #listener: TaskListener | undefined;
  #unsaid: string[] = [];
  /** What the tasks of a content have shown of its target. */
  #pace: { readonly run: string; readonly content: number; readonly pace: BatchPace } | undefined;

  constructor(load: PluginLoader) {
    this.#load = load;
  }

  /** Opens the reader, and joins it to the snapshot; nothing happens if that has been done. Never rejects. */
  async join(spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    if (isDeepStrictEqual(this.#joined, spec)) return undefined;
    try {
      if (this.#joined !== undefined || this.#kept?.isTaken === true || !this.#isKeptFor(spec)) await this.#drop();
      this.#joined = spec.snapshot === undefined ? undefined : spec;
      const kept = this.#kept ?? (await this.#opened(spec, await this.#load.reader(spec.reader.plugin), signal));
      if (this.#joined === undefined) await orAborted((async () => kept.reader.connect?.())(), signal, cancelGraceMs);
      else await this.#enter(kept, signal);
      return undefined;
    } catch (error) {
      this.#joined = undefined;
      await this.#drop();
      return asDrayError(error, { side: 'source' }).toWire();
    }
  }

  /** Loads the plugins a task names and runs it in this thread. Never rejects. */
  async run(spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    this.#listener = listener;
    for (const message of this.#unsaid.splice(0)) listener.warn(message);
    try {
      const reader = await this.#load.reader(spec.reader.plugin);
      const plugins = await Promise.all([spec, ...(spec.beside ?? [])].map((one) => this.#pluginsOf(one, reader)));
      const source = this.#source(spec, reader);
      if (spec.beside === undefined) return await runTask(spec, plugins[0]!, listener, signal, source, this.#paceOf(spec));
      return await runTogether(spec, plugins, listener, signal, source);
    } catch (error) {
      return { state: 'failed', counters: zeroCounters(), error: asDrayError(error).toWire() };
    } finally {
      this.#listener = undefined;
    }
  }

  /** Closes the reader. */
  async close(): Promise<void> {
    this.#joined = undefined;
    await this.#drop();
  }

  async #pluginsOf(spec: TaskSpec, reader: ReaderPlugin): Promise<TaskPlugins> {
    const writer = await this.#load.writer(spec.writer.plugin);
    const transformers = await Promise.all(spec.transformers.map(({ plugin }) => this.#load.transformer(plugin)));
    return { reader, writer, transformers };
  }

  #paceOf({ run, content, batch }: TaskSpec): BatchPace {
    if (this.#pace?.run !== run || this.#pace.content !== content) this.#pace = { run, content, pace: new BatchPace(batch.maxBytes) };
    return this.#pace.pace;
  }

  #source(spec: TaskSpec, plugin: ReaderPlugin): ReaderSource {
    let taken: Kept | undefined;
    let release: (() => void) | undefined;
    return {
      take: async ({ signal }) => {
        // A reader that was not given back hangs in a call that did not heed its signal.
        if (this.#kept?.isTaken === true || !this.#isKeptFor(spec)) await this.#drop();
        const kept = this.#kept ?? (await this.#opened(spec, plugin, signal));
        kept.isTaken = true;
        taken = kept;
        // What it has open goes at once, also where a plugin heeds only the signal of its context; one in a snapshot lives on.
        const giveUp = () => {
          if (!kept.hasJoined) kept.life.abort(signal.reason);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        // A task that fails behind its last row has no say over the reader any more: the next task has it.
        release = () => signal.removeEventListener('abort', giveUp);
        if (signal.aborted) giveUp();
        return kept.reader;
      },
      giveBack: async (_reader, isReusable) => {
        const kept = taken!;
        kept.isTaken = false;
        release?.();
        const isUsable = isReusable && !kept.life.signal.aborted;
        if (!isUsable && !kept.hasJoined && this.#kept === kept) await this.#drop();
      },
    };
  }

  async #opened(
    { run, job, reader: end }: Pick<TaskSpec, 'run' | 'job' | 'reader'>,
    plugin: ReaderPlugin,
    signal: AbortSignal,
  ): Promise<Kept> {
    signal.throwIfAborted();
    const life = new AbortController();
    const giveUp = () => life.abort(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const reader = await plugin.open(end.options, this.#context(run, job, life.signal));
      const kept: Kept = { run, end, reader, life, hasJoined: false, isTaken: false };
      this.#kept = kept;
      await this.#enter(kept, signal);
      return kept;
    } catch (error) {
      await this.#drop();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Has a reader join the snapshot that is meant for it, if there is one. */
  async #enter(kept: Kept, signal: AbortSignal): Promise<void> {
    const joined = this.#joined;
    if (kept.hasJoined || joined?.snapshot === undefined || joined.run !== kept.run || !isDeepStrictEqual(joined.reader, kept.end)) return;
    await orAborted(joinSnapshot(kept.reader, joined.snapshot), signal, cancelGraceMs);
    kept.hasJoined = true;
  }

  #isKeptFor({ run, reader }: Pick<LaneSpec, 'run' | 'reader'>): boolean {
    return this.#kept?.run === run && isDeepStrictEqual(this.#kept.end, reader);
  }

  #context(run: string, job: string, signal: AbortSignal): PluginContext {
    const warn = (message: string) => {
      if (this.#listener === undefined) this.#unsaid.push(message);
      else this.#listener.warn(message);
    };
    return { run, job, warn, print: (text) => this.#listener?.print(text), signal };
  }

  /** Releases the reader; one that is still busy is not waited for. */
  async #drop(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    if (kept.isTaken) kept.life.abort();
    // What fails then has nothing left to spoil.
    const closed = Promise.resolve(kept.reader.close?.()).catch(() => undefined);
    if (!kept.isTaken) await closed;
  }
}

async function joinSnapshot(reader: Reader, token: Json): Promise<void> {
  await reader.joinSnapshot?.(token);
}
