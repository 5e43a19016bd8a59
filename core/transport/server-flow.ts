import { setTimeout as sleep } from 'node:timers/promises';

/** While it waits, a taker looks so often whether the limit is another one by now. */
const lookMs = 200;
/** Places in the shared memory: when the next byte may pass, in ns of process.hrtime; most bytes per second, 0 is no limit; bytes so far. */
const [next, rate, total] = [0, 1, 2];

/**
 * What all tasks together move from or to one server, on whatever thread they run: counted, and held to a limit that may change at any time. As RateLimit a virtual
 * clock in shared memory, pushed on by everyone who takes.
 */
export class ServerFlow {
  readonly shared: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  /** @param shared memory of the flow to join, as got from another thread; absent: a new one without a limit */
  constructor(shared = new SharedArrayBuffer(24)) {
    this.shared = shared;
    this.#cells = new BigInt64Array(shared);
  }

  /** Bytes that have been taken so far, of all threads. */
  get bytes(): number {
    return Number(Atomics.load(this.#cells, total));
  }

  /** 0: no limit. */
  get bytesPerSecond(): number {
    return Number(Atomics.load(this.#cells, rate));
  }

  /** From now on, also for what waits: it waits longer, or less long. For one thread only. */
  limit(bytesPerSecond: number): void {
    const after = BigInt(Math.ceil(bytesPerSecond));
    const before = Atomics.exchange(this.#cells, rate, after);
    if (before === after) return;
    for (;;) {
      const now = process.hrtime.bigint();
      const booked = Atomics.load(this.#cells, next);
      const waiting = booked > now ? booked - now : 0n;
      const turn = before === 0n || after === 0n ? now : now + (waiting * before) / after;
      if (Atomics.compareExchange(this.#cells, next, booked, turn) === booked) return;
    }
  }

  /** Counts the bytes, and waits until they may pass. Rejects with the signal's reason when it fires. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    Atomics.add(this.#cells, total, BigInt(bytes));
    let perSecond = this.bytesPerSecond;
    let waitMs = perSecond === 0 ? 0 : this.#book(bytes, perSecond);
    while (waitMs > 1) {
      const startedAt = performance.now();
      await sleep(Math.min(waitMs, lookMs), undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
      waitMs -= performance.now() - startedAt;
      const current = this.bytesPerSecond;
      if (current === 0) return;
      waitMs *= perSecond / current;
      perSecond = current;
    }
  }

  /** @returns how many ms to wait before they may pass */
  #book(bytes: number, perSecond: number): number {
    const cost = BigInt(Math.ceil((bytes / perSecond) * 1e9));
    for (;;) {
      const now = process.hrtime.bigint();
      const booked = Atomics.load(this.#cells, next);
      const start = booked > now ? booked : now;
      if (Atomics.compareExchange(this.#cells, next, booked, start + cost) === booked) return Number(start - now) / 1e6;
    }
  }
}
