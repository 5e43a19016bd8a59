import type { Gate } from './gate.ts';
import { Heap } from './heap.ts';
import type { Pool } from './pool.ts';
import { isBefore, type QueuedJob, starved } from './queued-job.ts';

/**
 * Jobs of a pool that use the same data sources. A full one holds up all of them, so they stand in line together, by the one that goes first: else each would have to be sent
 * from the line of the source to that of the target and back, whenever the one has room and the other has not.
 */
export class JobClass {
  readonly pool: Pool;
  readonly gates: readonly Gate[];
  /** Those with something to start that only a data source may hold up. */
  readonly jobs = new Heap<QueuedJob>(isBefore);
  /** Jobs that are not over, in line or not. */
  users = 0;
  /** Where it is: ready, or at a gate; undefined while it is empty. */
  heap: Heap<JobClass> | undefined;
  /** In `heap`. */
  place = -1;
  /** The gate it stands at. */
  gate: Gate | undefined;
  /** The gate that has let it try again. */
  wokenBy: Gate | undefined;
  /** Of its first job, as it was when the class was put where it is: so that classes are compared without a look at their jobs. */
  level = 0;
  deadlineAt = 0;
  order = 0;
  number = 0;
  /** Lag behind the virtual time of each level that it does not make up for, since it could not start anything: of jobs without and with a deadline. */
  readonly #lags: readonly [number[], number[]] = [zeros(), zeros()];

  constructor(pool: Pool, gates: readonly Gate[]) {
    this.pool = pool;
    this.gates = gates;
  }

  get first(): QueuedJob | undefined {
    return this.jobs.first;
  }

  /** Virtual time at a level, as jobs of this class count it. */
  clock(level: number, hasDeadline: boolean): number {
    const kind = hasDeadline ? 1 : 0;
    return this.pool.clocks[kind][level]! - this.#lags[kind][level]!;
  }

  /** A job of this class starts a task at this level with this rank. */
  advance(level: number, hasDeadline: boolean, rank: number): void {
    const kind = hasDeadline ? 1 : 0;
    const clocks = this.pool.clocks[kind];
    clocks[level] = Math.max(clocks[level]!, rank + this.#lags[kind][level]!);
  }

  /** Puts itself where its first job says. Only if it has one. */
  put(heap: Heap<JobClass>): void {
    const { level, number, hasDeadline, deadlineAt, waitingSince, rank } = this.first!;
    this.level = level;
    this.number = number;
    this.deadlineAt = level === starved ? 0 : deadlineAt;
    this.order = level === starved ? waitingSince : rank + this.#lags[hasDeadline ? 1 : 0][level]!;
    this.heap = heap;
    heap.put(this);
  }

  /** While a data source held them up its jobs have not earned a claim on others. Only while it stands nowhere. */
  catchUp(): void {
    const first = this.first!;
    const kind = first.hasDeadline ? 1 : 0;
    const lag = this.clock(first.level, first.hasDeadline) - first.rank;
    if (lag > 0) this.#lags[kind][first.level]! += lag;
  }
}

/** Which of two classes of a pool starts a task first: as `isBefore` says of their first jobs, by ranks that count for all classes. */
export function hasFirst(a: JobClass, b: JobClass): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  return a.order === b.order ? a.number < b.number : a.order < b.order;
}

export function zeros(): number[] {
  return Array.from({ length: starved + 1 }, () => 0);
}
