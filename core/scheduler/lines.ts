import type { Gate } from './gate.ts';
import type { Heap } from './heap.ts';
import type { Pool } from './pool.ts';
import type { QueuedJob } from './queued-job.ts';

/**
 * Where jobs stand that have something to start: ready in their pool, or at a gate that was full when it was their turn. Whenever a gate has room and somebody
 * of a pool stands at it, at least one of them has been woken and is ready: whoever starts, or meets another full gate, wakes the next.
 */
export class Lines {
  /** Pools in which something may start now. */
  readonly touched = new Set<Pool>();

  stand(job: QueuedJob, heap: Heap<QueuedJob>): void {
    job.heap = heap;
    heap.put(job);
  }

  leave(job: QueuedJob): void {
    job.heap?.remove(job);
    job.heap = undefined;
    this.passOn(job);
  }

  /** A job that a gate has let try is out of line again: if there is still room, the next one may try. */
  passOn(job: QueuedJob): void {
    const gate = job.wokenBy;
    job.wokenBy = undefined;
    if (gate !== undefined) this.#wakeIn(gate, job.pool);
  }

  /** Lets one of those that stand at a gate try again, in each pool. */
  wake(gate: Gate): void {
    for (const pool of gate.pools) this.#wakeIn(gate, pool);
  }

  setLimit(gate: Gate, limit: number): void {
    gate.limit = limit;
    this.wake(gate);
  }

  #wakeIn(gate: Gate, pool: Pool): void {
    if (gate.room <= 0) return;
    const job = gate.waitingOf(pool).take();
    if (job === undefined) return;
    job.wokenBy = gate;
    this.stand(job, pool.ready);
    this.touched.add(pool);
  }
}
