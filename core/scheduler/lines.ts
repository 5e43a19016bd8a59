import type { Gate } from './gate.ts';
import { Holding } from './holding.ts';
import type { Pool } from './pool.ts';
import { isBefore, type QueuedJob, starved } from './queued-job.ts';

/**
 * Where jobs stand that have something to start: ready in their pool, or at a gate that was full when it was their turn. Whenever a gate has room and somebody
 * of a pool stands at it, one that goes before all of them has been woken and is ready: whoever starts, or meets another full gate, wakes the next.
 */
export class Lines {
  /** Pools in which something may start now. */
  readonly touched = new Set<Pool>();
  readonly #holding = new Holding();

  /** The first gate that holds the job up, if any. */
  obstacle(job: QueuedJob): Gate | undefined {
    return job.gates.find((gate) => !this.#holding.hasRoom(job, gate));
  }

  beReady(job: QueuedJob): void {
    job.gate = undefined;
    job.heap = job.pool.ready;
    job.heap.put(job);
    this.touched.add(job.pool);
  }

  waitAt(gate: Gate, job: QueuedJob): void {
    job.gate = gate;
    job.heap = gate.waitingOf(job.pool);
    job.heap.put(job);
    this.#passOn(job);
  }

  /** The job starts a task: what was kept for it is its own now. */
  started(job: QueuedJob): void {
    for (const gate of job.gates) gate.used++;
    this.#wakeAll(this.#holding.started(job));
    this.#passOn(job);
  }

  leave(job: QueuedJob): void {
    job.heap?.remove(job);
    job.heap = undefined;
    job.gate = undefined;
    this.#passOn(job);
    this.#wakeAll(this.#holding.release(job));
  }

  /** Gives a job in line another place in the order. @param change sets what the order is made of */
  move(job: QueuedJob, change: () => void): void {
    const { heap, gate } = job;
    heap?.remove(job);
    change();
    if (job.level !== starved) this.#wakeAll(this.#holding.release(job));
    if (heap === undefined) return;
    if (gate !== undefined && !this.#holding.hasRoom(job, gate)) {
      heap.put(job);
      return;
    }
    // Those it went before may go before it now.
    this.#passOn(job);
    job.wokenBy = gate;
    this.beReady(job);
    if (gate !== undefined) this.#wakeAll(this.#holding.keep(job, gate));
  }

  /** The gate at which a job stands is none of its gates any more. */
  retry(job: QueuedJob): void {
    job.heap?.remove(job);
    this.beReady(job);
  }

  /** Lets one of those that stand at a gate try again, in each pool. */
  wake(gate: Gate): void {
    let longest: QueuedJob | undefined;
    for (const pool of gate.pools) {
      const job = this.#wakeIn(gate, pool);
      if (job?.level === starved && (longest === undefined || isBefore(job, longest))) longest = job;
    }
    if (longest !== undefined) this.#wakeAll(this.#holding.keep(longest, gate));
  }

  setLimit(gate: Gate, limit: number): void {
    const isLower = limit < gate.limit;
    gate.limit = limit;
    if (isLower) this.#wakeAll(this.#holding.reconsider());
    this.wake(gate);
  }

  /** A pool has lost slots. */
  lostSlots(): void {
    this.#wakeAll(this.#holding.reconsider());
  }

  /** A job that a gate has let try does not need that any more: if there is still room, the next one may try. */
  #passOn(job: QueuedJob): void {
    const gate = job.wokenBy;
    job.wokenBy = undefined;
    if (gate === undefined) return;
    const next = this.#wakeIn(gate, job.pool);
    if (next?.level === starved) this.#wakeAll(this.#holding.keep(next, gate));
  }

  #wakeIn(gate: Gate, pool: Pool): QueuedJob | undefined {
    const line = gate.waitingOf(pool);
    const job = line.first;
    if (job === undefined || !this.#holding.hasRoom(job, gate)) return undefined;
    line.take();
    job.wokenBy = gate;
    job.catchUp();
    this.beReady(job);
    return job;
  }

  #wakeAll(gates: readonly Gate[]): void {
    for (const gate of gates) this.wake(gate);
  }
}
