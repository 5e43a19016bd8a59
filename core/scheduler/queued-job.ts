import type { JobFacts, TaskFacts } from './events.ts';
import { Gate } from './gate.ts';
import type { Heap } from './heap.ts';
import type { Pool, Seat } from './pool.ts';

/** The level above all priorities: jobs that have waited longest, in the order in which they began to wait. */
export const starved = 10;

/** A job with its tasks, waiting and running. */
export class QueuedJob {
  readonly facts: JobFacts;
  readonly pool: Pool;
  /** Of its data sources, and its own width. */
  readonly gates: readonly Gate[];
  readonly width: Gate;
  /** Order of submission. */
  readonly number: number;
  readonly running = new Map<number, Running>();
  /** Tasks that wait until a time. */
  delayed = 0;
  priority: number;
  level: number;
  /** How much it has been given, in the virtual time of its priority (start-time fair queuing, Goyal, Vin and Cheng 1996). */
  tag: number;
  /** The same in the virtual time of the level it has risen to. */
  rank: number;
  /** Since when it waits for its next start. */
  waitingSince: number;
  isPaused: boolean;
  isRemoved = false;
  /** Where it is: ready, or at a gate; undefined while it has nothing to start. */
  heap: Heap<QueuedJob> | undefined;
  /** The gate that has let it try again. */
  wokenBy: Gate | undefined;
  /** Where its last task was started; with `isPinned`, where all of them are. */
  seat: Seat | undefined;
  isPinned = false;
  /** Slots kept free for it at `seat`. */
  reserved = 0;
  cut: 'no' | 'possible' | 'asked';
  readonly #tasks: TaskFacts[];
  #next = 0;

  constructor(facts: JobFacts, at: { pool: Pool; gates: readonly Gate[]; number: number; now: number; tag: number }) {
    this.facts = facts;
    this.pool = at.pool;
    this.width = new Gate(facts.job, facts.maxRunning);
    this.gates = [this.width, ...at.gates];
    this.number = at.number;
    this.priority = facts.priority;
    this.level = facts.priority;
    this.tag = at.tag;
    this.rank = at.tag;
    this.waitingSince = at.now;
    this.isPaused = facts.isPaused === true;
    this.cut = facts.isCuttable === true ? 'possible' : 'no';
    this.#tasks = [...facts.tasks];
  }

  get waiting(): number {
    return this.#tasks.length - this.#next;
  }

  get isOver(): boolean {
    return this.waiting === 0 && this.running.size === 0 && this.delayed === 0;
  }

  next(): TaskFacts {
    const task = this.#tasks[this.#next++]!;
    // What is behind is let go now and then, and not task by task, which would move all others.
    if (this.#next > 1024 && 2 * this.#next > this.#tasks.length) {
      this.#tasks.splice(0, this.#next);
      this.#next = 0;
    }
    return task;
  }

  /** @param isFirst tasks that come back go before those that never ran */
  add(task: TaskFacts, isFirst: boolean): void {
    if (!isFirst) this.#tasks.push(task);
    else if (this.#next > 0) this.#tasks[--this.#next] = task;
    else this.#tasks.unshift(task);
  }

  clear(): void {
    this.#tasks.length = 0;
    this.#next = 0;
  }
}

export interface Running {
  readonly job: QueuedJob;
  readonly task: TaskFacts;
  readonly seat: Seat;
}

/** Which of two jobs starts a task first: by level; within one by deadline, then by what they were given; the starved by how long they wait. */
export function isBefore(a: QueuedJob, b: QueuedJob): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.level === starved) return a.waitingSince === b.waitingSince ? a.number < b.number : a.waitingSince < b.waitingSince;
  const [deadlineA, deadlineB] = [a.facts.deadlineAt ?? Number.POSITIVE_INFINITY, b.facts.deadlineAt ?? Number.POSITIVE_INFINITY];
  if (deadlineA !== deadlineB) return deadlineA < deadlineB;
  return a.rank === b.rank ? a.number < b.number : a.rank < b.rank;
}
