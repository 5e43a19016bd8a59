import { Heap } from './heap.ts';
import { hasFirst, type JobClass } from './job-class.ts';
import type { Pool } from './pool.ts';
import { isBefore, type QueuedJob } from './queued-job.ts';

/** Something of which only so many tasks at once may have a part: a data source, the slots of a host, the width of a job. Those it holds up wait at it. */
export class Gate {
  readonly name: string;
  limit: number;
  used = 0;
  /** Kept for the job that has waited longest. */
  held = 0;
  /** Jobs that are not over, of all that it can hold up; only for data sources. */
  users = 0;
  /** It is to be forgotten with the last of them. */
  isGone = false;
  /** By pool: those for which there is no slot must not stand before those for which there is. */
  readonly #classes = new Map<Pool, Heap<JobClass>>();
  #jobs: Heap<QueuedJob> | undefined;

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
  }

  /** Tasks that may still start; below zero after the limit was lowered. */
  get room(): number {
    return this.limit - this.used - this.held;
  }

  /** Jobs that this gate holds up alone: a data source holds up their class. */
  get jobs(): Heap<QueuedJob> {
    this.#jobs ??= new Heap<QueuedJob>(isBefore);
    return this.#jobs;
  }

  classesOf(pool: Pool): Heap<JobClass> {
    const heap = this.#classes.get(pool) ?? new Heap<JobClass>(hasFirst);
    this.#classes.set(pool, heap);
    return heap;
  }

  /** Pools whose jobs have waited here. */
  get pools(): Iterable<Pool> {
    return this.#classes.keys();
  }
}
