import type { JobFacts, TaskFacts } from './events.ts';
import { Gate } from './gate.ts';
import type { Heap } from './heap.ts';
import type { JobClass } from './job-class.ts';
import type { Pool, Seat } from './pool.ts';

/** The level above all priorities: jobs that have waited longest, in the order in which they began to wait. */
export const starved = 10;

/** A job with its tasks, waiting and running. */
export class QueuedJob {
  readonly facts: JobFacts;
  readonly pool: Pool;
  /** Those with the same data sources. */
  readonly class: JobClass;
  readonly width: Gate;
  /** Order of submission. */
  readonly number: number;
  /** When it should have ended; infinite without one. */
  readonly deadlineAt: number;
  readonly running = new Map<number, Running>();
  /** Tasks that wait until a time. */
  delayed = 0;
  priority: number;
  level: number;
  /** How much it has been given, in the virtual time of its priority (start-time fair queuing, Goyal, Vin and Cheng 1996). */
  tag = 0;
  /** The same in the virtual time of the level it has risen to. */
  rank = 0;
  /** Since when it waits for its next start. */
  waitingSince: number;
  /** Whether it is looked at when it may rise. */
  isWatched = false;
  isPaused: boolean;
  isRemoved = false;
  /** In `heap`. */
  place = -1;
  /** Where it is: in its class, or alone at a gate; undefined while it has nothing to start. */
  heap: Heap<QueuedJob> | undefined;
  /** The gate it stands at alone. */
  gate: Gate | undefined;
  /** Where its last task was started; with `isPinned`, where all of them are. */
  seat: Seat | undefined;
  isPinned: boolean;
  /** Slots kept free for it at `seat`. */
  reserved = 0;
  cut: 'no' | 'possible' | 'asked';
  readonly #tasks: TaskFacts[];
  #next = 0;
  /** Tasks that go before those that never ran; the last one first. */
  readonly #returned: TaskFacts[] = [];

  constructor(facts: JobFacts, at: { pool: Pool; gates: readonly Gate[]; number: number; now: number }) {
    this.facts = facts;
    this.pool = at.pool;
    this.class = at.pool.classOf(at.gates);
    this.width = new Gate(facts.job, facts.maxRunning);
    this.number = at.number;
    this.deadlineAt = facts.deadlineAt ?? Number.POSITIVE_INFINITY;
    this.priority = facts.priority;
    this.level = facts.priority;
    this.waitingSince = at.now;
    this.isPinned = facts.tasks.length <= facts.firstRound;
    this.isPaused = facts.isPaused === true;
    this.cut = facts.isCuttable === true ? 'possible' : 'no';
    this.#tasks = [...facts.tasks];
  }

  get waiting(): number {
    return this.#tasks.length - this.#next + this.#returned.length;
  }

  get isOver(): boolean {
    return this.waiting === 0 && this.running.size === 0 && this.delayed === 0;
  }

  next(): TaskFacts {
    const returned = this.#returned.pop();
    if (returned !== undefined) return returned;
    const task = this.#tasks[this.#next++]!;
    // What is behind is let go now and then, and not task by task, which would move all others.
    if (this.#next > 1024 && 2 * this.#next > this.#tasks.length) {
      this.#tasks.splice(0, this.#next);
      this.#next = 0;
    }
    return task;
  }

  add(task: TaskFacts): void {
    this.#tasks.push(task);
  }

  /** Takes a task back that has been started: it goes before those that never ran. */
  giveBack(task: TaskFacts): void {
    this.#returned.push(task);
  }

  clear(): void {
    this.#tasks.length = 0;
    this.#next = 0;
    this.#returned.length = 0;
  }

  get hasDeadline(): boolean {
    return this.facts.deadlineAt !== undefined;
  }

  /** Stands at a level as one that has just come there. */
  setLevel(level: number): void {
    this.level = level;
    const clock = this.class.clock(level, this.hasDeadline);
    this.rank = level === this.priority ? Math.max(this.tag, clock) : clock;
  }

  setPriority(priority: number): void {
    this.priority = priority;
    this.tag = this.class.clock(priority, this.hasDeadline);
    this.setLevel(priority);
  }

  /** While it could not start anything it has not earned a claim on others: it stands as one that has just come. */
  catchUp(): void {
    this.tag = Math.max(this.tag, this.class.clock(this.priority, this.hasDeadline));
    this.rank = Math.max(this.rank, this.class.clock(this.level, this.hasDeadline));
  }

  /** A task of this weight is started: it counts in the virtual time of its priority, even if a higher level has let it start. */
  charge(weightMs: number): void {
    this.class.advance(this.level, this.hasDeadline, this.rank);
    this.tag += weightMs;
    this.level = this.priority;
    this.rank = this.tag;
  }
}

export interface Running {
  readonly job: QueuedJob;
  readonly task: TaskFacts;
  readonly seat: Seat;
}

/** Which of two jobs of a class starts a task first: by level; within one by deadline, then by what they were given; the starved by how long they wait. */
export function isBefore(a: QueuedJob, b: QueuedJob): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.level === starved) return a.waitingSince === b.waitingSince ? a.number < b.number : a.waitingSince < b.waitingSince;
  if (a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  return a.rank === b.rank ? a.number < b.number : a.rank < b.rank;
}

/** The same for jobs of different classes or pools, which do not share a virtual time. */
export function isMoreUrgent(a: QueuedJob, b: QueuedJob): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.level !== starved && a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  return a.waitingSince === b.waitingSince ? a.number < b.number : a.waitingSince < b.waitingSince;
}
