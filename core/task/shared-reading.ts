import type { DrayError, PluginContext, Reader, RecordBatch, RecordOutput, Split } from '../sdk/index.ts';
import { RateLimit } from '../transport/rate-limit.ts';
import { allOf } from './all-limits.ts';
import { ChannelOutput } from './output.ts';
import type { ReaderSource } from './reader-source.ts';
import type { TaskSpec } from './spec.ts';

/** One of several tasks that share a reader: where it gets its reader from. */
export interface Branch extends ReaderSource {
  /** The task has ended, however: the others do not wait for it any more. */
  leave(): Promise<void>;
}

/** What a task reads just now. */
interface Reading {
  readonly split: Split;
  readonly out: RecordOutput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads once for several tasks of the same split. Each part is read when all of them ask for it; each batch goes to all, by reference, and the slowest is waited
 * for. A task that fails is left out, and the others go on; when none is left the reader is stopped.
 */
export class SharedReading {
  readonly #source: ReaderSource;
  readonly #output: ChannelOutput;
  readonly #rate: ReturnType<typeof allOf>;
  readonly #stop = new AbortController();
  /** Tasks that have not read to their end. */
  readonly #living: Set<number>;
  /** What each of them wants to read, or reads. */
  readonly #readings = new Map<number, Reading>();
  /** How many tasks still look at a batch. */
  readonly #users = new WeakMap<RecordBatch, number>();
  #taken: Promise<Reader> | undefined;
  /** The reader's `read`, while it is under way. */
  #underWay: Promise<void> | undefined;
  #isBroken = false;

  /** @param spec whose split, rates and batches hold for all */
  constructor(source: ReaderSource, spec: TaskSpec, count: number) {
    this.#source = source;
    this.#living = new Set(Array.from({ length: count }, (_, index) => index));
    this.#rate = allOf(new RateLimit(spec.rates, spec.rateClocks), spec.flows);
    this.#output = new ChannelOutput(
      spec.source,
      spec.batch,
      { push: (batch) => this.#deliver(batch) },
      { batch: (batch) => batch, reject: (fault) => this.#refuse(fault) },
    );
  }

  branch(index: number): Branch {
    let signal: AbortSignal | undefined;
    const onAbort = () => this.#fail(index, signal!.reason);
    const end = () => {
      signal?.removeEventListener('abort', onAbort);
      this.#readings.delete(index);
      if (this.#living.delete(index)) this.#readIfAllWait();
    };
    return {
      leave: async () => {
        end();
        // A reader that hangs is left to whoever lent it.
        if (this.#underWay === undefined) await this.#giveBack();
      },
      take: async (context) => {
        signal = context.signal;
        signal.addEventListener('abort', onAbort, { once: true });
        if (signal.aborted) onAbort();
        return this.#readerFor(index, await this.#take(context));
      },
      giveBack: async () => {
        end();
        // It may still be on its way out of a read that nobody waits for.
        if (this.#living.size === 0) await this.#underWay;
        await this.#giveBack();
      },
    };
  }

  /** Once, by the last one. */
  async #giveBack(): Promise<void> {
    const taken = this.#taken;
    if (this.#living.size > 0 || taken === undefined) return;
    this.#taken = undefined;
    const reader = await taken.catch(() => undefined);
    if (reader !== undefined) await this.#source.giveBack(reader, !this.#isBroken);
  }

  #take(context: PluginContext): Promise<Reader> {
    this.#taken ??= this.#source.take({ ...context, signal: this.#stop.signal });
    return this.#taken;
  }

  /** The reader, as one of the tasks sees it. */
  #readerFor(index: number, reader: Reader): Reader {
    return {
      schema: () => reader.schema(),
      expect: (splits) => reader.expect?.(splits),
      read: (split, out, signal) =>
        new Promise((resolve, reject) => {
          if (out instanceof ChannelOutput) out.feed = this.#feed;
          this.#readings.set(index, { split, out, resolve, reject });
          if (signal.aborted) this.#fail(index, signal.reason);
          else this.#readIfAllWait();
        }),
      // Who waits for another task does not wait for the source.
      isAlive: async () => this.#underWay === undefined || this.#output.isWaiting || (await reader.isAlive?.()) !== false,
    };
  }

  get #feed() {
    const builder = this.#output.builder;
    return {
      get pendingRows() {
        return builder.rowCount;
      },
      reuse: (batch: RecordBatch) => {
        const left = this.#users.get(batch)! - 1;
        this.#users.set(batch, left);
        if (left === 0) builder.reuse(batch);
      },
    };
  }

  #readIfAllWait(): void {
    const [first] = this.#readings.values();
    if (first === undefined || this.#underWay !== undefined || this.#readings.size < this.#living.size) return;
    this.#underWay = this.#read(first.split).finally(() => {
      this.#underWay = undefined;
      this.#readIfAllWait();
    });
  }

  /** Never rejects: how it ends is told to the tasks. */
  async #read(split: Split): Promise<void> {
    const reader = await this.#taken!;
    try {
      await reader.read(split, this.#output, this.#stop.signal);
      await this.#output.flush();
    } catch (error) {
      this.#isBroken = true;
      for (const { reject } of this.#readings.values()) reject(error);
      this.#readings.clear();
      return;
    }
    const ended = [...this.#readings.values()];
    this.#readings.clear();
    for (const { resolve } of ended) resolve();
  }

  /** Gives a batch to all tasks; resolves when each has room for another one. */
  async #deliver(batch: RecordBatch): Promise<void> {
    if (!this.#rate.isUnlimited) await this.#rate.take(batch.bytes.length, batch.rowCount, this.#stop.signal);
    const readings = [...this.#readings];
    this.#users.set(batch, readings.length);
    await Promise.all(readings.map(([index, { out }]) => out.send(batch).catch((error: unknown) => this.#fail(index, error))));
    this.#stop.signal.throwIfAborted();
  }

  #refuse(fault: DrayError): void {
    for (const [index, { out }] of [...this.#readings]) {
      try {
        out.reject(fault);
      } catch (error) {
        this.#fail(index, error);
      }
    }
    this.#stop.signal.throwIfAborted();
  }

  #fail(index: number, error: unknown): void {
    this.#readings.get(index)?.reject(error);
    this.#readings.delete(index);
    if (!this.#living.delete(index)) return;
    if (this.#living.size === 0) this.#stop.abort(error);
    else this.#readIfAllWait();
  }
}
