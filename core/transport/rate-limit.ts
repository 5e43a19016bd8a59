import { setTimeout as sleep } from 'node:timers/promises';

/** Most of each per second that may pass; 0 is no limit. */
export interface Rates {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/**
 * A limit shared by all tasks of a job, on whatever thread they run: each rate is one virtual clock in shared memory that says when the
 * next byte (record) may pass, pushed on by everyone who takes (generic cell rate algorithm, ITU-T I.371 Annex A). No thread owns it,
 * nobody has to hand out shares, and the sum holds however unevenly the tasks run.
 */
export class RateLimit {
  readonly shared: SharedArrayBuffer;
  readonly rates: Rates;
  readonly #clocks: BigInt64Array;

  /** @param shared memory of the limit to join, as got from another thread; absent: a new limit */
  constructor(rates: Rates, shared = new SharedArrayBuffer(16)) {
    this.rates = rates;
    this.shared = shared;
    this.#clocks = new BigInt64Array(shared);
  }

  get isUnlimited(): boolean {
    return this.rates.bytesPerSecond === 0 && this.rates.recordsPerSecond === 0;
  }

  /** Waits until this much may pass. Rejects with the signal's reason when it fires. */
  async take(bytes: number, records: number, signal: AbortSignal): Promise<void> {
    const waitNs = Math.max(this.#advance(0, bytes, this.rates.bytesPerSecond), this.#advance(1, records, this.rates.recordsPerSecond));
    if (waitNs <= 1e6) return;
    try {
      await sleep(waitNs / 1e6, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Books `amount` on one clock; returns how many ns to wait before it may pass. */
  #advance(clock: 0 | 1, amount: number, perSecond: number): number {
    if (perSecond === 0 || amount === 0) return 0;
    const cost = BigInt(Math.ceil((amount / perSecond) * 1e9));
    for (;;) {
      const now = process.hrtime.bigint();
      const booked = Atomics.load(this.#clocks, clock);
      const start = booked > now ? booked : now;
      if (Atomics.compareExchange(this.#clocks, clock, booked, start + cost) === booked) return Number(start - now);
    }
  }
}
