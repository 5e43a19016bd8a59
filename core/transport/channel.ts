import type { RecordBatch } from '../sdk/index.ts';
import type { RateLimit } from './rate-limit.ts';

export interface ChannelLimits {
  /** Bytes of batches that may wait in the channel. One batch always fits, however big. */
  readonly maxBytes: number;
  readonly maxBatches: number;
}

/**
 * The reader is woken this long after the writer has taken a batch. Both share a thread, and what the reader does at once would come
 * between two batches, while the target has nothing to do: MySQL to PostgreSQL took 12 % longer. A writer without a batch wakes it at once.
 */
const wakeDelayMs = 1;

/**
 * Carries batches from the reader to the writer of one task, by reference. Bounded: `push` resolves when there is room for the next
 * batch, so a slow writer makes the reader wait, down to its socket. Measures how long either side waited.
 */
export class Channel {
  readonly #limits: ChannelLimits;
  readonly #rate: Pick<RateLimit, 'isUnlimited' | 'take'>;
  readonly #signal: AbortSignal;
  readonly #queue: RecordBatch[] = [];
  #queuedBytes = 0;
  #isEnded = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #readerWaitMs = 0;
  #writerWaitMs = 0;

  constructor(limits: ChannelLimits, rate: Pick<RateLimit, 'isUnlimited' | 'take'>, signal: AbortSignal) {
    this.#limits = limits;
    this.#rate = rate;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wakeBoth(), { once: true });
  }

  /** Milliseconds the reader waited for room (the writer or a rate limit was slower). */
  get readerWaitMs(): number {
    return this.#readerWaitMs;
  }

  /** Milliseconds the writer waited for a batch (the reader was slower). */
  get writerWaitMs(): number {
    return this.#writerWaitMs;
  }

  /**
   * Hands a batch over; resolves when there is room for another one. Rejects with the signal's reason when the task is aborted.
   * @param limitedBytes what the limits of bytes per second count
   */
  async push(batch: RecordBatch, limitedBytes = batch.bytes.length): Promise<void> {
    this.#signal.throwIfAborted();
    const start = performance.now();
    if (!this.#rate.isUnlimited) await this.#rate.take(limitedBytes, batch.rowCount, this.#signal);
    this.#queue.push(batch);
    this.#queuedBytes += batch.bytes.length;
    this.#wakeWriter?.();
    while (this.#isFull && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    this.#wakeReader = undefined;
    this.#readerWaitMs += performance.now() - start;
    this.#signal.throwIfAborted();
  }

  /** No batch will follow. */
  end(): void {
    this.#isEnded = true;
    this.#wakeWriter?.();
  }

  /** The next batch; undefined after the last one. Rejects with the signal's reason when the task is aborted. */
  async next(): Promise<RecordBatch | undefined> {
    this.#signal.throwIfAborted();
    if (this.#queue.length === 0 && !this.#isEnded) {
      const start = performance.now();
      this.#wakeReader?.();
      while (this.#queue.length === 0 && !this.#isEnded && !this.#signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
      }
      this.#wakeWriter = undefined;
      this.#writerWaitMs += performance.now() - start;
      this.#signal.throwIfAborted();
    }
    const batch = this.#queue.shift();
    if (batch !== undefined) this.#queuedBytes -= batch.bytes.length;
    if (!this.#isFull && this.#wakeReader !== undefined) setTimeout(() => this.#wakeReader?.(), wakeDelayMs);
    return batch;
  }

  get #isFull(): boolean {
    return this.#queue.length >= this.#limits.maxBatches || this.#queuedBytes >= this.#limits.maxBytes;
  }

  #wakeBoth(): void {
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }
}
