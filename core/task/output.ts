import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchBuilder, type Cell, DrayError, type RecordBatch, type RecordOutput, type Schema, type TargetForms } from '../sdk/index.ts';
import type { Channel } from '../transport/channel.ts';
import type { BatchLimits } from './spec.ts';

/** Rows that may be pushed after `push` said that a batch is full, before the reader is told that it forgot `drain`. */
const forgottenRows = 100_000;

/** A reader that computes its rows never leaves the thread by itself; after so long it is made to, for cancellation and progress. */
const turnMs = 50;

/** What a reader writes into: packs rows and hands full batches to the task's channel. */
export class ChannelOutput implements RecordOutput {
  readonly schema: Schema;
  readonly builder: BatchBuilder;
  readonly forms: TargetForms | undefined;
  /** Where batches come from that several tasks share; undefined: from its own `builder`. */
  feed: { readonly pendingRows: number; reuse(batch: RecordBatch): void } | undefined;
  readonly #channel: Pick<Channel, 'push'>;
  #turnStartedAt = performance.now();
  #isWaiting = false;
  readonly #onBatch: (batch: RecordBatch) => RecordBatch | undefined;
  readonly #onReject: (fault: DrayError) => void;

  /** @param events `batch` is told each batch, and returns what the channel gets in its place: a batch or nothing */
  constructor(
    schema: Schema,
    limits: BatchLimits & { readonly forms?: TargetForms | undefined },
    channel: Pick<Channel, 'push'>,
    events: { batch: (batch: RecordBatch) => RecordBatch | undefined; reject: (fault: DrayError) => void },
  ) {
    this.schema = schema;
    this.forms = limits.forms;
    this.builder = new BatchBuilder(schema, limits, limits.forms?.layout);
    this.#channel = channel;
    this.#onBatch = events.batch;
    this.#onReject = events.reject;
  }

  /** The reader has handed over a batch and waits for room: it is not the source that is slow. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Rows that were read and are in no batch yet. */
  get pendingRows(): number {
    return this.feed?.pendingRows ?? this.builder.rowCount;
  }

  /** From now on batches have so many bytes; those that several tasks share stay as they are. */
  resize(maxBytes: number): void {
    this.builder.resize(maxBytes);
  }

  /** Takes back the memory of a batch that was read, when nobody reads it here any more. */
  reuse(batch: RecordBatch): void {
    (this.feed ?? this.builder).reuse(batch);
  }

  push(cells: readonly Cell[]): boolean {
    try {
      this.builder.push(cells);
    } catch (fault) {
      if (!(fault instanceof DrayError) || fault.code !== 'ROW_REJECTED') throw fault;
      this.#onReject(fault);
    }
    if (!this.builder.isFull) return true;
    if (this.builder.rowCount > this.builder.maxRows + forgottenRows) {
      throw new DrayError('PLUGIN_BROKEN', 'the reader goes on pushing rows after push returned false, without awaiting drain');
    }
    return false;
  }

  async drain(): Promise<void> {
    if (this.builder.isFull) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.builder.take();
    if (batch !== undefined) await this.#hand(batch);
  }

  async send(batch: RecordBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    // Rows that an earlier split of a pack has left there come first.
    await this.flush();
    await this.#hand(batch);
  }

  async #hand(batch: RecordBatch): Promise<void> {
    const delivered = this.#onBatch(batch);
    if (delivered !== undefined) {
      this.#isWaiting = true;
      try {
        await this.#channel.push(delivered);
      } finally {
        this.#isWaiting = false;
      }
    }
    if (performance.now() - this.#turnStartedAt < turnMs) return;
    await nextTurn();
    this.#turnStartedAt = performance.now();
  }

  reject(fault: DrayError): void {
    this.#onReject(fault);
  }
}
