import type { Decision, JobFacts, SchedulerEvent, StartReason, TaskFacts } from './events.ts';
import { Gate } from './gate.ts';
import { Heap } from './heap.ts';
import { Lines } from './lines.ts';
import { Pool, Seat } from './pool.ts';
import { QueuedJob, type Running, starved } from './queued-job.ts';

export interface SchedulerOptions {
  /** Waiting so long raises a job by one priority, until its next task starts. */
  readonly agingMs: number;
}

export const defaultAgingMs = 60_000;

interface Delayed {
  readonly job: QueuedJob;
  readonly task: TaskFacts;
  readonly at: number;
  readonly number: number;
}

/**
 * Decides which task starts next, and where: a state machine without clock, threads or chance. Events go in with the time at which they happened, which never goes
 * back; decisions come out.
 *
 * * A slot goes to the job of the highest level: its priority, and one more for each `agingMs` that it has waited since its last start. Behind level 9 is one where
 *   those who wait longest go first; so a job of priority p is among them after (10 − p) × agingMs.
 * * Within a level the earliest deadline goes first; without deadlines each job gets the same share of slot time (start-time fair queuing).
 * * Tasks run to their end: others overtake at their edges.
 * * A job never exceeds the budgets of its data sources, nor its width; while it waits for one, others pass by.
 * * Tasks of a job go to the host where one was started last, if there is room, else to the one with most spare CPU. A job with no more tasks than its
 *   first round asks for has all of them on one host.
 *
 * Each start costs O(log n) for n waiting jobs, whatever the number of their tasks.
 */
export class Scheduler {
  readonly #agingMs: number;
  readonly #jobs = new Map<string, QueuedJob>();
  readonly #pools = new Map<string, Pool>();
  readonly #hosts = new Map<string, Map<Pool, Seat>>();
  readonly #resources = new Map<string, Gate>();
  /** Jobs with something to start, by when they rise. */
  readonly #rising = new Heap<QueuedJob>((a, b) => {
    const [atA, atB] = [this.#risesAt(a), this.#risesAt(b)];
    return atA === atB ? a.number < b.number : atA < atB;
  });
  readonly #delayed = new Heap<Delayed>((a, b) => (a.at === b.at ? a.number < b.number : a.at < b.at));
  #counter = 0;
  #decisions: Decision[] = [];
  readonly #lines = new Lines();

  constructor({ agingMs }: SchedulerOptions = { agingMs: defaultAgingMs }) {
    this.#agingMs = agingMs;
  }

  /** Takes an event in. @param now milliseconds, never less than before */
  handle(event: SchedulerEvent, now: number): readonly Decision[] {
    this.#decisions = [];
    this.#wakeDelayed(now);
    this.#raise(now);
    this.#take(event, now);
    for (const pool of this.#lines.touched) this.#fill(pool, now);
    this.#lines.touched.clear();
    return this.#decisions;
  }

  /** When a `tick` is due if nothing else happens: a delayed task may start then. */
  get nextAt(): number | undefined {
    return this.#delayed.first?.at;
  }

  /** Waiting and running tasks of a job; undefined once all have ended. */
  look(job: string): { waiting: number; running: number; level: number } | undefined {
    const known = this.#jobs.get(job);
    return known === undefined ? undefined : { waiting: known.waiting + known.delayed, running: known.running.size, level: known.level };
  }

  #take(event: SchedulerEvent, now: number): void {
    switch (event.type) {
      case 'submit':
        this.#submit(event.job, now);
        break;
      case 'host':
        this.#setHost(event);
        break;
      case 'host lost':
        this.#loseHost(event.host, now);
        break;
      case 'limit':
        this.#lines.setLimit(this.#resource(event.resource), event.maxRunning);
        break;
      case 'tick':
        break;
      default: {
        // Of one that is over something may still be said, by those who have not heard of it yet.
        const job = this.#jobs.get(event.job);
        if (job !== undefined) this.#takeOf(job, event, now);
      }
    }
  }

  #takeOf(job: QueuedJob, event: Exclude<SchedulerEvent, { type: 'submit' | 'host' | 'host lost' | 'limit' | 'tick' }>, now: number): void {
    switch (event.type) {
      case 'add':
        if (job.cut === 'asked') job.cut = 'possible';
        job.add(event.task, false);
        this.#enqueue(job, now);
        break;
      case 'uncut':
        if (job.cut === 'asked') job.cut = 'no';
        break;
      case 'ended':
        this.#ended(job, event.task);
        break;
      case 'again':
        this.#again(job, event.task, event.notBefore, now);
        break;
      case 'priority':
        job.priority = event.priority;
        job.waitingSince = now;
        this.#setLevel(job, event.priority);
        break;
      case 'width':
        this.#lines.setLimit(job.width, event.maxRunning);
        break;
      case 'pause':
        job.isPaused = true;
        this.#withdraw(job);
        break;
      case 'unpause':
        job.isPaused = false;
        this.#enqueue(job, now);
        break;
      case 'remove':
        this.#remove(job);
    }
  }

  #submit(facts: JobFacts, now: number): void {
    if (this.#jobs.has(facts.job)) throw new Error(`the job ${facts.job} was submitted twice`);
    const pool = this.#pool(facts.pool);
    const gates = facts.resources.map((name) => this.#resource(name));
    const job = new QueuedJob(facts, { pool, gates, number: ++this.#counter, now, tag: pool.clocks[facts.priority]! });
    this.#jobs.set(facts.job, job);
    job.isPinned = facts.tasks.length <= facts.firstRound;
    this.#enqueue(job, now);
    this.#forgetIfOver(job);
  }

  #remove(job: QueuedJob): void {
    job.isRemoved = true;
    job.clear();
    for (const one of [...this.#delayed].filter((waiting) => waiting.job === job)) this.#delayed.remove(one);
    job.delayed = 0;
    this.#withdraw(job);
    this.#forgetIfOver(job);
  }

  #ended(job: QueuedJob, task: number): void {
    if (!this.#release(job, task)) return;
    if (job.cut === 'no' && job.facts.isCuttable === true) job.cut = 'possible';
    this.#forgetIfOver(job);
  }

  #again(job: QueuedJob, task: number, notBefore: number, now: number): void {
    const facts = job.running.get(task)?.task;
    if (facts === undefined || !this.#release(job, task)) return;
    if (job.isRemoved) {
      this.#forgetIfOver(job);
    } else if (notBefore <= now) {
      job.add(facts, true);
      this.#enqueue(job, now);
    } else {
      job.delayed++;
      this.#delayed.put({ job, task: facts, at: notBefore, number: ++this.#counter });
    }
  }

  #wakeDelayed(now: number): void {
    for (let first = this.#delayed.first; first !== undefined && first.at <= now; first = this.#delayed.first) {
      this.#delayed.take();
      first.job.delayed--;
      first.job.add(first.task, true);
      this.#enqueue(first.job, now);
    }
  }

  #risesAt({ waitingSince, level, priority }: QueuedJob): number {
    return level >= starved ? Number.POSITIVE_INFINITY : waitingSince + (level - priority + 1) * this.#agingMs;
  }

  /** Jobs that have waited long enough rise. */
  #raise(now: number): void {
    for (let first = this.#rising.first; first !== undefined && this.#risesAt(first) <= now; first = this.#rising.first) {
      const levels = Math.floor((now - first.waitingSince) / this.#agingMs);
      this.#setLevel(first, Math.min(starved, first.priority + levels));
      this.#decisions.push({ type: 'promoted', job: first.facts.job, level: first.level });
    }
  }

  /** In the virtual time of another level a job is as one that has just come. */
  #setLevel(job: QueuedJob, level: number): void {
    const { heap, pool } = job;
    heap?.remove(job);
    this.#rising.remove(job);
    job.level = level;
    job.rank = Math.max(level === job.priority ? job.tag : 0, pool.clocks[level]!);
    if (heap === undefined) return;
    heap.put(job);
    this.#rising.put(job);
    this.#lines.touched.add(pool);
  }

  /** A job with something to start gets in line. */
  #enqueue(job: QueuedJob, now: number): void {
    if (job.isPaused || job.heap !== undefined || job.waiting === 0) return;
    job.pool.tails.delete(job);
    job.waitingSince = now;
    job.rank = Math.max(job.rank, job.pool.clocks[job.level]!);
    this.#lines.stand(job, job.pool.ready);
    this.#rising.put(job);
    this.#lines.touched.add(job.pool);
  }

  #withdraw(job: QueuedJob): void {
    this.#rising.remove(job);
    this.#lines.leave(job);
  }

  /** Starts what can be started in a pool. */
  #fill(pool: Pool, now: number): void {
    while (pool.hasRoom) {
      const job = pool.ready.take();
      if (job === undefined) break;
      job.heap = undefined;
      const full = job.gates.find(({ room }) => room <= 0);
      const seat = full === undefined ? this.#seatFor(job) : undefined;
      const gate = full ?? (seat!.room > 0 ? undefined : seat!);
      if (gate === undefined) {
        this.#start(job, seat!, now);
      } else {
        this.#lines.stand(job, gate.waitingOf(pool));
        this.#lines.passOn(job);
      }
    }
    if (pool.hasRoom) this.#askForRests(pool);
  }

  #seatFor(job: QueuedJob): Seat {
    if (job.seat !== undefined && (job.isPinned || job.seat.room > 0)) return job.seat;
    return job.pool.seats.first!;
  }

  #start(job: QueuedJob, seat: Seat, now: number): void {
    const { pool } = job;
    const why = this.#reason(job, seat, now);
    const task = job.next();
    const running: Running = { job, task, seat };
    job.running.set(task.id, running);
    seat.running.add(running);
    for (const gate of job.gates) gate.used++;
    if (job.isPinned && job.seat === undefined) this.#pin(job, seat);
    job.seat = seat;
    seat.used++;
    seat.spareCpu--;
    pool.seats.put(seat);
    pool.clocks[job.level] = Math.max(pool.clocks[job.level]!, job.rank);
    job.tag = Math.max(job.tag, pool.clocks[job.priority]!) + task.weightMs;
    job.level = job.priority;
    job.rank = job.tag;
    job.waitingSince = now;
    if (job.waiting > 0) {
      this.#lines.stand(job, pool.ready);
      this.#rising.put(job);
    } else {
      this.#rising.remove(job);
      if (job.facts.isCuttable === true) pool.tails.add(job);
    }
    this.#lines.passOn(job);
    this.#decisions.push({ type: 'start', job: job.facts.job, task: task.id, host: seat.host, pool: pool.name, why });
  }

  #reason(job: QueuedJob, seat: Seat, now: number): StartReason {
    const budgets = job.gates.filter((gate) => gate !== job.width && Number.isFinite(gate.limit));
    return {
      waitedMs: now - job.waitingSince,
      priority: job.priority,
      level: job.level,
      budgets: budgets.map(({ name, used, limit }) => ({ resource: name, running: used + 1, limit })),
      place: job.isPinned ? 'one host' : job.seat === seat ? 'together' : 'most spare',
    };
  }

  #pin(job: QueuedJob, seat: Seat): void {
    job.reserved = Math.max(0, Math.min(job.facts.firstRound - job.facts.tasks.length, seat.room - job.facts.tasks.length));
    seat.reserved += job.reserved;
    seat.pinned.add(job);
  }

  #unpin(job: QueuedJob): void {
    const { seat } = job;
    if (seat === undefined || !seat.pinned.delete(job)) return;
    seat.reserved -= job.reserved;
    job.reserved = 0;
    this.#roomier(seat, job.pool);
  }

  #askForRests(pool: Pool): void {
    for (const job of pool.tails) {
      if (job.cut !== 'possible' || job.isPaused || job.gates.some(({ room }) => room <= 0)) continue;
      job.cut = 'asked';
      this.#decisions.push({ type: 'cut', job: job.facts.job });
      return;
    }
  }

  /** @returns false if the task does not run any more: its host was lost */
  #release(job: QueuedJob, task: number): boolean {
    const running = job.running.get(task);
    if (running === undefined) return false;
    const { seat } = running;
    job.running.delete(task);
    seat.running.delete(running);
    seat.used--;
    seat.spareCpu++;
    for (const gate of job.gates) {
      gate.used--;
      this.#lines.wake(gate);
    }
    this.#roomier(seat, job.pool);
    return true;
  }

  #roomier(seat: Seat, pool: Pool): void {
    if (pool.seats.has(seat)) pool.seats.put(seat);
    this.#lines.wake(seat);
    this.#lines.touched.add(pool);
  }

  #forgetIfOver(job: QueuedJob): void {
    if (!job.isOver) return;
    this.#jobs.delete(job.facts.job);
    job.pool.tails.delete(job);
    this.#unpin(job);
  }

  #setHost({ host, slots, spareCpu }: Extract<SchedulerEvent, { type: 'host' }>): void {
    const seats = this.#hosts.get(host) ?? new Map<Pool, Seat>();
    this.#hosts.set(host, seats);
    for (const [name, limit] of Object.entries(slots)) {
      const pool = this.#pool(name);
      const seat = seats.get(pool) ?? new Seat(host, ++this.#counter, limit, spareCpu);
      seats.set(pool, seat);
      seat.limit = limit;
      seat.spareCpu = spareCpu;
      pool.seats.put(seat);
      this.#roomier(seat, pool);
    }
  }

  #loseHost(host: string, now: number): void {
    for (const [pool, seat] of this.#hosts.get(host) ?? []) {
      pool.seats.remove(seat);
      seat.limit = 0;
      for (const job of [...seat.pinned]) {
        this.#unpin(job);
        job.isPinned = false;
      }
      const waiting = seat.waitingOf(pool);
      for (let job = waiting.take(); job !== undefined; job = waiting.take()) this.#lines.stand(job, pool.ready);
      for (const { job, task } of [...seat.running].reverse()) {
        this.#release(job, task.id);
        if (!job.isRemoved) job.add(task, true);
        this.#enqueue(job, now);
        this.#forgetIfOver(job);
      }
      for (const job of this.#jobs.values()) if (job.seat === seat) job.seat = undefined;
      this.#lines.touched.add(pool);
    }
    this.#hosts.delete(host);
  }

  #pool(name: string): Pool {
    const pool = this.#pools.get(name) ?? new Pool(name);
    this.#pools.set(name, pool);
    return pool;
  }

  #resource(name: string): Gate {
    const gate = this.#resources.get(name) ?? new Gate(name, Number.POSITIVE_INFINITY);
    this.#resources.set(name, gate);
    return gate;
  }
}
