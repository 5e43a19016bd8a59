/** A write that takes less is not held up by the way to the target, so that bigger batches would only take memory. */
const briefMs = 80;
/** One that takes longer keeps locks, progress and a cancellation waiting. */
const longMs = 1000;
/** Writes of full batches that are looked at before anything is changed. */
const writesPerLook = 4;
/** A bigger batch must be so much faster to be worth its memory. */
const worthwhile = 1.25;
/** Nothing is tried again for so many looks, after it was of no use. */
const restLooks = 50;
const leastBytes = 64 << 10;
/** Three or four batches of a task are in memory: one becomes so many times as big as planned, and no bigger than this. */
const mostTimes = 4;
const mostBytes = 4 << 20;

/**
 * How many bytes a batch should have, by what writes to one target have taken: twice as many as long as that makes them faster, as where the way to a server
 * is long and each batch waits for its answer; half as many where one write takes longer than a second. It starts with what was planned, and stays there where
 * transformers make the batches that are written much smaller or bigger than those that are read.
 */
export class BatchPace {
  #bytes: number;
  readonly #most: number;
  /** Bytes per millisecond of the size before, while a bigger one is tried. */
  #before: number | undefined;
  #rest = 0;
  /** Of this look. */
  #writes = 0;
  #written = 0;
  #ms = 0;

  /** @param planned bytes of a batch, the first guess */
  constructor(planned: number) {
    this.#bytes = planned;
    this.#most = Math.max(planned, Math.min(planned * mostTimes, mostBytes));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A batch was written.
   * @param bytes of the batch
   * @param ms from handing it over to the answer
   */
  wrote(bytes: number, ms: number): void {
    // Some on the way have the size before, the last one of a split is smaller, and rows can be so big that they alone decide.
    if (bytes < this.#bytes * 0.75 || bytes > this.#bytes * 1.5) return;
    this.#written += bytes;
    this.#ms += ms;
    if (++this.#writes < writesPerLook) return;
    this.#look(this.#written / Math.max(this.#ms, 1e-3), this.#ms / this.#writes);
    this.#writes = 0;
    this.#written = 0;
    this.#ms = 0;
  }

  #look(rate: number, msPerWrite: number): void {
    const before = this.#before;
    this.#before = undefined;
    if (this.#rest > 0) this.#rest--;
    if (before !== undefined && rate < before * worthwhile) {
      this.#bytes /= 2;
      this.#rest = restLooks;
    } else if (msPerWrite > longMs) this.#bytes = Math.min(this.#bytes, Math.max(leastBytes, Math.floor(this.#bytes / 2)));
    else if (msPerWrite > briefMs && msPerWrite < longMs / 2 && this.#rest === 0 && this.#bytes * 2 <= this.#most) {
      this.#before = rate;
      this.#bytes *= 2;
    }
  }
}
