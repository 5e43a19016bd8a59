import type { Gate } from './gate.ts';
import { Holding } from './holding.ts';
import type { JobClass } from './job-class.ts';
import type { Pool } from './pool.ts';
import { isMoreUrgent, type QueuedJob, starved } from './queued-job.ts';

/**
 * Where jobs stand that have something to start: in their class, which is ready in its pool or at a data source that was full when it was its turn; or alone, at the host they are pinned to, or
 * at their width. Whenever a data source has room and some class of a pool stands at it, one that goes before all of them has been woken and is ready: when its first job starts, or
 * it meets another full data source, it wakes the next.
 */
export class Lines {
  /** Pools in which something may start now. */
  readonly touched = new Set<Pool>();
  readonly #holding = new Holding();

  /** The first gate that holds the job up, but for the slots of hosts. */
  obstacle(job: QueuedJob): Gate | undefined {
    return job.class.gates.find((gate) => !this.#holding.hasRoom(job, gate)) ?? (job.width.room > 0 ? undefined : job.width);
  }

  /** A job gets in line. */
  beReady(job: QueuedJob): void {
    job.gate = undefined;
    job.heap = job.class.jobs;
    job.heap.put(job);
    this.#settle(job.class);
  }

  /** The first job of a class that is ready cannot start because of this gate. */
  waitAt(gate: Gate, job: QueuedJob): void {
    const { class: its } = job;
    if (its.gates.includes(gate)) {
      its.pool.ready.remove(its);
      its.gate = gate;
      its.put(gate.classesOf(its.pool));
      this.#passOn(its);
    } else {
      its.jobs.remove(job);
      job.gate = gate;
      job.heap = gate.jobs;
      job.heap.put(job);
      this.#settle(its);
    }
  }

  /** The first job of a class that is ready starts a task, and has another or leaves the line. @param change sets what the order is made of */
  start(job: QueuedJob, change: () => void): void {
    for (const gate of job.class.gates) gate.used++;
    job.width.used++;
    job.class.jobs.remove(job);
    change();
    if (job.waiting > 0) job.class.jobs.put(job);
    else job.heap = undefined;
    this.#settle(job.class);
    this.#wakeAll(this.#holding.started(job));
  }

  /** A task of the job runs no more. */
  ended(job: QueuedJob): void {
    job.width.used--;
    for (const gate of job.class.gates) gate.used--;
    this.wake(job.width);
    for (const gate of job.class.gates) this.wake(gate);
  }

  leave(job: QueuedJob): void {
    job.heap?.remove(job);
    job.heap = undefined;
    job.gate = undefined;
    this.#settle(job.class);
    this.#wakeAll(this.#holding.release(job));
  }

  /** Gives a job another place in the order. @param change sets what the order is made of */
  move(job: QueuedJob, change: () => void): void {
    const isInLine = job.heap?.remove(job) ?? false;
    change();
    if (isInLine) job.heap?.put(job);
    this.#settle(job.class);
    if (job.level !== starved) this.#wakeAll(this.#holding.release(job));
  }

  /** Lets those try again that stand at a gate: of each pool the class that goes first, and all that stand there alone, which are few. */
  wake(gate: Gate): void {
    let longest: QueuedJob | undefined;
    for (const pool of gate.pools) {
      const job = this.#wakeIn(gate, pool)?.first;
      if (job?.level === starved && (longest === undefined || isMoreUrgent(job, longest))) longest = job;
    }
    if (longest !== undefined) this.#wakeAll(this.#holding.keep(longest, gate));
    if (gate.room > 0) this.wakeAlone(gate);
  }

  /** Those that stand at a gate alone get in line again. */
  wakeAlone(gate: Gate): void {
    for (let job = gate.jobs.take(); job !== undefined; job = gate.jobs.take()) {
      job.catchUp();
      this.beReady(job);
    }
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

  /** Puts a class where it belongs after its jobs have changed. */
  #settle(its: JobClass): void {
    const { first, gate, heap } = its;
    if (first !== undefined && gate !== undefined && !this.#holding.hasRoom(first, gate)) {
      its.put(heap!);
      return;
    }
    if (first === undefined || gate !== undefined) heap?.remove(its);
    if (first !== undefined && gate !== undefined) its.catchUp();
    its.gate = undefined;
    if (first === undefined) its.heap = undefined;
    else its.put(its.pool.ready);
    // Those it went before may go before it now.
    this.#passOn(its);
    if (first === undefined) return;
    this.touched.add(its.pool);
    if (gate === undefined) return;
    its.wokenBy = gate;
    this.#wakeAll(this.#holding.keep(first, gate));
  }

  /** A class that a gate has let try does not need that any more: if there is still room, the next one may try. */
  #passOn(its: JobClass): void {
    const gate = its.wokenBy;
    its.wokenBy = undefined;
    if (gate === undefined) return;
    const next = this.#wakeIn(gate, its.pool);
    if (next !== undefined) this.#wakeAll(this.#holding.keep(next.first!, gate));
  }

  #wakeIn(gate: Gate, pool: Pool): JobClass | undefined {
    const line = gate.classesOf(pool);
    const its = line.first;
    if (its === undefined || !this.#holding.hasRoom(its.first!, gate)) return undefined;
    line.take();
    its.catchUp();
    its.gate = undefined;
    its.wokenBy = gate;
    its.put(pool.ready);
    this.touched.add(pool);
    return its;
  }

  #wakeAll(gates: readonly Gate[]): void {
    for (const gate of gates) this.wake(gate);
  }
}
