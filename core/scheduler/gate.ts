import { Heap } from './heap.ts';
import type { Pool } from './pool.ts';
import { isBefore, type QueuedJob } from './queued-job.ts';

/** Something of which only so many tasks at once may have a part: a data source, the slots of a host, the width of a job. Jobs it holds up wait at it. */
export class Gate {
  readonly name: string;
  limit: number;
  used = 0;
  /** Kept for the job that has waited longest. */
  held = 0;
  /** By pool: a job for which there is no slot must not stand before one for which there is. */
  readonly #waiting = new Map<Pool, Heap<QueuedJob>>();

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
  }

  /** Tasks that may still start; below zero after the limit was lowered. */
  get room(): number {
    return this.limit - this.used - this.held;
  }

  waitingOf(pool: Pool): Heap<QueuedJob> {
    const heap = this.#waiting.get(pool) ?? new Heap<QueuedJob>(isBefore);
    this.#waiting.set(pool, heap);
    return heap;
  }

  /** Pools whose jobs have waited here. */
  get pools(): Iterable<Pool> {
    return this.#waiting.keys();
  }
}
