import type { Gate } from './gate.ts';
import { isMoreUrgent, type QueuedJob, starved } from './queued-job.ts';

/**
 * The one job that may keep room at a gate while it waits for more: of those that wait longest, the first that a gate has let try. Without this a job that needs
 * two data sources at once could wait for ever, since each would be taken whenever the other is free. It is one job only, so that no two wait for each other.
 */
export class Holding {
  #job: QueuedJob | undefined;
  readonly #gates = new Set<Gate>();

  /** @returns whether the job may start a task as far as this gate is concerned: what is kept there is also for those that wait longer */
  hasRoom(job: QueuedJob, gate: Gate): boolean {
    if (gate.room > 0) return true;
    return (
      this.#job !== undefined && this.#gates.has(gate) && gate.used < gate.limit && (job === this.#job || isMoreUrgent(job, this.#job))
    );
  }

  /** A task of the job has started. @returns gates that have room again */
  started(job: QueuedJob): readonly Gate[] {
    const hasTaken = job === this.#job || job.class.gates.some((gate) => gate.room < 0 && this.#gates.has(gate));
    return hasTaken ? this.#releaseAll() : [];
  }

  /** A starved job that this gate has let try keeps room there. @returns gates that have room again, because another job kept it until now */
  keep(job: QueuedJob, gate: Gate): readonly Gate[] {
    if (job.level !== starved || !canEverStart(job)) return [];
    if (this.#job !== undefined && this.#job !== job && !isMoreUrgent(job, this.#job)) return [];
    const freed = this.#job === job ? [] : this.#releaseAll();
    this.#job = job;
    if (!this.#gates.has(gate)) {
      this.#gates.add(gate);
      gate.held++;
    }
    return freed;
  }

  /** A job keeps nothing any more. @returns gates that have room again */
  release(job: QueuedJob): readonly Gate[] {
    return job === this.#job ? this.#releaseAll() : [];
  }

  /** A gate or a pool has become smaller. @returns gates that have room again */
  reconsider(): readonly Gate[] {
    return this.#job === undefined || canEverStart(this.#job) ? [] : this.#releaseAll();
  }

  #releaseAll(): readonly Gate[] {
    const freed = [...this.#gates];
    for (const gate of freed) gate.held--;
    this.#gates.clear();
    this.#job = undefined;
    return freed;
  }
}

/** False while a data source is closed, or no host has a slot: such a job must not keep others waiting. */
function canEverStart(job: QueuedJob): boolean {
  return job.pool.slots > 0 && [job.width, ...job.class.gates].every(({ limit }) => limit > 0);
}
