import type { Decision, JobFacts, JobLook, SchedulerEvent, StartReason, TaskFacts } from './events.ts';
import { Gate } from './gate.ts';
import { Heap } from './heap.ts';
import { Hosts } from './hosts.ts';
import { Lines } from './lines.ts';
import { Pool, type Seat } from './pool.ts';
import { isMoreUrgent, QueuedJob, type Running } from './queued-job.ts';
import { Rising } from './rising.ts';

export interface SchedulerOptions {
  /** Waiting so long raises a job by one priority, until its next task starts. */
  readonly agingMs: number;
}

export const defaultAgingMs = 60_000;

/** Jobs that are looked at for one that can give something to an idle slot: the others get their turn at the next event. */
const tailsPerEvent = 8;

/** Jobs that rise in one event: where 200,000 came at the same time they rise over the next 200 events, and none of these takes a second. */
const risesPerEvent = 1000;

interface Delayed {
  readonly job: QueuedJob;
  readonly task: TaskFacts;
  readonly at: number;
  readonly number: number;
  place: number;
}

/**
 * Decides which task starts next, and where: a state machine without clock, threads or chance. Events go in with the time at which they happened, which never goes
 * back; decisions come out. docs/scheduling.md tells users the same, with the bound.
 *
 * * A slot goes to the job of the highest level: its priority, and one more for each `agingMs` that it has waited since its last start. Behind level 9 is one where
 *   those who wait longest go first; so a job of priority p is among them after (10 − p) × agingMs.
 * * Within a level the earliest deadline goes first; without deadlines each job gets the same share of slot time (start-time fair queuing).
 * * Tasks run to their end: others overtake at their edges.
 * * A job never exceeds the budgets of its data sources, nor its width; while it waits for one, others pass by. Only one job at a time, of those that wait longest,
 *   keeps room at one data source while it waits for the other.
 * * Tasks of a job go to the host where one was started last, if there is room, else to the one with most spare CPU. A job with no more tasks than its
 *   first round asks for has all of them on one host.
 *
 * No job starves. Let no task run longer than T, and F be the job that has waited longest of all that a closed data source or a pool without slots does not stop.
 * Once it is starved F goes before all others, at every gate and in every pool, and may take what another keeps. At each of its k gates a task ends within T if it is full; F
 * keeps that place then, so it passes all of them in kT. The next slot of its pool is its own, and, if it is pinned elsewhere, the next one of its host: (k + 2)T.
 * Whoever starts begins to wait anew, behind all others. So of a job with n others that wait longer a task starts within (10 − p) × agingMs + (n + 1)(k + 2)T, k being
 * 3 at most where a task reads from one server: width, source, target. Where all run in one pool and share at most one data source, a place there becomes free together with a slot, nothing is kept,
 * and it is T for each job that goes before, divided by the places there are.
 *
 * Each decision costs O(log n) for n waiting jobs, whatever the number of their tasks (benchmarks/README.md has figures). In addition, jobs with the same two data sources go together from the line of
 * one to that of the other when the one has room and the other has not, and all jobs that are pinned to a host try again when it has room.
 */
export class Scheduler {
  readonly #jobs = new Map<string, QueuedJob>();
  readonly #pools = new Map<string, Pool>();
  readonly #resources = new Map<string, Gate>();
  readonly #lines = new Lines();
  readonly #hosts = new Hosts(this.#lines);
  readonly #rising: Rising;
  readonly #delayed = new Heap<Delayed>((a, b) => (a.at === b.at ? a.number < b.number : a.at < b.at));
  #counter = 0;
  #decisions: Decision[] = [];

  constructor({ agingMs }: SchedulerOptions = { agingMs: defaultAgingMs }) {
    this.#rising = new Rising(agingMs);
  }

  /** Takes an event in. @param now milliseconds, never less than before */
  handle(event: SchedulerEvent, now: number): readonly Decision[] {
    if (event.type === 'submit' && this.#jobs.has(event.job.job)) throw new Error(`the job ${event.job.job} was submitted twice`);
    this.#decisions = [];
    this.#wakeDelayed(now);
    this.#raise(now);
    this.#take(event, now);
    this.#fill(now);
    return this.#decisions;
  }

  /** When a `tick` is due if nothing else happens: a delayed task may start then. */
  get nextAt(): number | undefined {
    return this.#delayed.first?.at;
  }

  /** Undefined once all of its tasks have ended. */
  look(job: string): JobLook | undefined {
    const known = this.#jobs.get(job);
    if (known === undefined) return undefined;
    const { waiting, delayed, running, level } = known;
    return { waiting: waiting + delayed, delayed, running: running.size, level };
  }

  #take(event: SchedulerEvent, now: number): void {
    switch (event.type) {
      case 'submit':
        this.#submit(event.job, now);
        break;
      case 'host':
        this.#hosts.set(event, (name) => this.#pool(name));
        break;
      case 'host lost':
        for (const running of this.#hosts.lose(event.host)) this.#runAgain(running, now, now);
        break;
      case 'limit':
      case 'resource gone': {
        const gate = this.#resource(event.resource);
        gate.isGone = event.type === 'resource gone';
        this.#lines.setLimit(gate, event.type === 'limit' ? event.maxRunning : Number.POSITIVE_INFINITY);
        this.#forgetIfGone(gate);
        break;
      }
      case 'tick':
        break;
      case 'add':
      case 'uncut':
      case 'ended':
      case 'again':
      case 'priority':
      case 'width':
      case 'pause':
      case 'unpause':
      case 'remove': {
        // Of one that is over something may still be said, by those who have not heard of it yet.
        const job = this.#jobs.get(event.job);
        if (job !== undefined) this.#takeOf(job, event, now);
      }
    }
  }

  #takeOf(
    job: QueuedJob,
    event: Exclude<SchedulerEvent, { type: 'submit' | 'host' | 'host lost' | 'limit' | 'resource gone' | 'tick' }>,
    now: number,
  ): void {
    switch (event.type) {
      case 'add':
        if (job.isRemoved) break;
        job.add(event.task);
        if (job.cut === 'asked') this.#setCut(job, 'possible');
        this.#enqueue(job, now);
        break;
      case 'uncut':
        if (job.cut === 'asked') this.#setCut(job, 'no');
        break;
      case 'ended': {
        const running = job.running.get(event.task);
        if (running !== undefined) this.#ended(running);
        break;
      }
      case 'again': {
        const running = job.running.get(event.task);
        if (running !== undefined) this.#runAgain(running, event.notBefore, now);
        break;
      }
      case 'priority':
        this.#lines.move(job, () => {
          job.waitingSince = now;
          job.setPriority(event.priority);
        });
        this.#rising.watch(job);
        break;
      case 'width':
        this.#lines.setLimit(job.width, event.maxRunning);
        break;
      case 'pause':
        job.isPaused = true;
        this.#lines.leave(job);
        this.#hosts.giveUpReserve(job);
        break;
      case 'unpause':
        job.isPaused = false;
        this.#enqueue(job, now);
        this.#lines.touched.add(job.pool);
        break;
      case 'remove':
        this.#remove(job);
    }
  }

  #submit(facts: JobFacts, now: number): void {
    const pool = this.#pool(facts.pool);
    const gates = facts.resources.map((name) => this.#resource(name));
    const job = new QueuedJob(facts, { pool, gates, number: ++this.#counter, now });
    this.#jobs.set(facts.job, job);
    for (const user of [job.class, ...gates]) user.users++;
    this.#enqueue(job, now);
    this.#forgetIfOver(job);
  }

  #remove(job: QueuedJob): void {
    job.isRemoved = true;
    job.clear();
    if (job.delayed > 0) for (const one of [...this.#delayed].filter((waiting) => waiting.job === job)) this.#delayed.remove(one);
    job.delayed = 0;
    job.pool.tails.delete(job);
    this.#lines.leave(job);
    this.#hosts.giveUpReserve(job);
    this.#forgetIfOver(job);
  }

  #ended(running: Running): void {
    const { job } = running;
    this.#release(running);
    if (job.cut === 'no' && job.facts.isCuttable === true) this.#setCut(job, 'possible');
    this.#forgetIfOver(job);
  }

  #runAgain(running: Running, notBefore: number, now: number): void {
    const { job, task } = running;
    this.#release(running);
    if (job.isRemoved) {
      this.#forgetIfOver(job);
    } else if (notBefore <= now) {
      job.giveBack(task);
      this.#enqueue(job, now);
    } else {
      job.delayed++;
      this.#delayed.put({ job, task, at: notBefore, number: ++this.#counter, place: -1 });
    }
  }

  #wakeDelayed(now: number): void {
    for (let first = this.#delayed.first; first !== undefined && first.at <= now; first = this.#delayed.first) {
      this.#delayed.take();
      first.job.delayed--;
      first.job.giveBack(first.task);
      this.#enqueue(first.job, first.at);
    }
  }

  /** Jobs that have waited long enough rise. */
  #raise(now: number): void {
    for (let rises = 0; rises < risesPerEvent; rises++) {
      const risen = this.#rising.next(now);
      if (risen === undefined) return;
      this.#lines.move(risen, () => risen.setLevel(this.#rising.levelOf(risen, now)));
      this.#rising.watch(risen);
      this.#decisions.push({ type: 'promoted', job: risen.facts.job, level: risen.level });
    }
  }

  /** A job with something to start gets in line. @param since when it could have started */
  #enqueue(job: QueuedJob, since: number): void {
    if (job.waiting > 0) job.pool.tails.delete(job);
    if (job.isPaused || job.heap !== undefined || job.waiting === 0) return;
    job.waitingSince = since;
    job.setLevel(job.priority);
    job.catchUp();
    this.#lines.beReady(job);
    this.#rising.watch(job);
  }

  /** Starts what can be started. Pools take turns by urgency: they may share data sources. */
  #fill(now: number): void {
    const { touched } = this.#lines;
    for (let job = mostUrgent(touched); job !== undefined; job = mostUrgent(touched)) {
      const full = this.#lines.obstacle(job);
      const seat = full === undefined ? this.#hosts.seatFor(job) : undefined;
      const gate = full ?? (seat!.room > 0 ? undefined : seat!);
      if (gate === undefined) this.#start(job, seat!, now);
      else this.#lines.waitAt(gate, job);
    }
    for (const pool of touched) if (pool.hasRoom) this.#askForRest(pool);
    touched.clear();
  }

  #start(job: QueuedJob, seat: Seat, now: number): void {
    const { pool } = job;
    const why = reason(job, seat, now);
    const task = job.next();
    const running: Running = { job, task, seat };
    job.running.set(task.id, running);
    this.#hosts.occupy(running);
    this.#lines.start(job, () => {
      job.charge(task.weightMs);
      job.waitingSince = now;
    });
    if (job.waiting > 0) this.#rising.watch(job);
    else if (job.cut === 'possible') pool.tails.add(job);
    this.#decisions.push({ type: 'start', job: job.facts.job, task: task.id, host: seat.host, pool: pool.name, why });
  }

  #setCut(job: QueuedJob, cut: 'no' | 'possible'): void {
    job.cut = cut;
    const canGive = cut === 'possible' && job.waiting === 0 && !job.isRemoved;
    if (canGive) job.pool.tails.add(job);
    this.#lines.touched.add(job.pool);
  }

  #askForRest(pool: Pool): void {
    let looks = tailsPerEvent;
    for (const job of pool.tails) {
      if (looks-- === 0) return;
      pool.tails.delete(job);
      const hasPlace = this.#lines.obstacle(job) === undefined && this.#hosts.seatFor(job).room > 0;
      if (hasPlace && !job.isPaused && job.running.size > 0) {
        job.cut = 'asked';
        this.#decisions.push({ type: 'cut', job: job.facts.job });
        return;
      }
      pool.tails.add(job);
    }
  }

  #release(running: Running): void {
    const { job, task } = running;
    job.running.delete(task.id);
    this.#lines.ended(job);
    this.#hosts.free(running);
  }

  #forgetIfOver(job: QueuedJob): void {
    if (!job.isOver || !this.#jobs.delete(job.facts.job)) return;
    job.pool.tails.delete(job);
    this.#hosts.forget(job);
    const { pool, class: its } = job;
    if (--its.users === 0) pool.forget(its);
    for (const gate of its.gates) {
      gate.users--;
      this.#forgetIfGone(gate);
    }
  }

  #forgetIfGone(gate: Gate): void {
    if (gate.isGone && gate.users === 0) this.#resources.delete(gate.name);
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

/** The job that is to start next in those of the pools that have a slot. */
function mostUrgent(pools: Iterable<Pool>): QueuedJob | undefined {
  let found: QueuedJob | undefined;
  for (const pool of pools) {
    const job = pool.hasRoom ? pool.ready.first?.first : undefined;
    if (job !== undefined && (found === undefined || isMoreUrgent(job, found))) found = job;
  }
  return found;
}

function reason(job: QueuedJob, seat: Seat, now: number): StartReason {
  const budgets = job.class.gates.filter(({ limit }) => Number.isFinite(limit));
  return {
    waitedMs: now - job.waitingSince,
    priority: job.priority,
    level: job.level,
    budgets: budgets.map(({ name, used, limit }) => ({ resource: name, running: used + 1, limit })),
    place: job.isPinned ? 'one host' : job.seat === seat ? 'together' : 'most spare',
  };
}
