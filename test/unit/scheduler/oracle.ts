import { expect } from 'vitest';
import type { Decision, JobFacts, SchedulerEvent, StartReason } from '../../../core/scheduler/events.ts';

interface OracleJob {
  readonly facts: JobFacts;
  readonly number: number;
  readonly running: Map<number, string>;
  /** Tasks that wait, by when they may start. */
  readonly waiting: Map<number, number>;
  readonly ended: Set<number>;
  priority: number;
  maxRunning: number;
  waitingSince: number;
  isPaused: boolean;
  isRemoved: boolean;
  isPinned: boolean;
  host: string | undefined;
  reserved: number;
  isAsked: boolean;
}

const starved = 10;

/**
 * What the scheduler promises, in the most naive words: everything is counted again, over all jobs, whenever it is asked. Follows the events and the decisions, and
 * fails at the first decision that breaks a promise.
 */
export class Oracle {
  readonly jobs = new Map<string, OracleJob>();
  readonly hosts = new Map<string, Map<string, number>>();
  readonly limits = new Map<string, number>();
  /** By host, in the order in which they were pinned. */
  readonly #pinned: OracleJob[] = [];
  readonly #agingMs: number;
  #submitted = 0;

  constructor(agingMs: number) {
    this.#agingMs = agingMs;
  }

  follow(event: SchedulerEvent, decisions: readonly Decision[], now: number, look: (job: string) => unknown): void {
    this.#wake(now);
    this.#take(event, now);
    for (const job of this.jobs.values()) if (job.waiting.size + job.running.size === 0) this.#unpin(job);
    for (const decision of decisions) this.#check(decision, now);
    for (const [name, job] of this.jobs) {
      if (this.#canStart(job, now) && !this.#isKeptOut(job, now)) expect.fail(`${name} could have started after ${JSON.stringify(event)}`);
      const [waiting, running] = [job.waiting.size, job.running.size];
      if (waiting + running === 0) {
        expect(look(name), `${name} is over`).toBeUndefined();
        this.jobs.delete(name);
      } else {
        const level = this.#isInLine(job, now) ? this.level(job, now) : expect.anything();
        const delayed = [...job.waiting.values()].filter((at) => at > 0).length;
        expect(look(name), name).toEqual({ waiting, delayed, running, level });
      }
    }
  }

  level(job: OracleJob, now: number): number {
    return Math.min(starved, job.priority + Math.floor((now - job.waitingSince) / this.#agingMs));
  }

  /** The job and the tasks that run now. */
  running(): [job: string, task: number][] {
    return [...this.jobs].flatMap(([name, { running }]) => [...running.keys()].map((task): [string, number] => [name, task]));
  }

  #wake(now: number): void {
    for (const job of this.jobs.values()) {
      const due = [...job.waiting.values()].filter((at) => at > 0 && at <= now);
      if (due.length === 0) continue;
      const was = this.#hasReady(job, 0);
      for (const [task, at] of job.waiting) if (at <= now) job.waiting.set(task, 0);
      if (!was) job.waitingSince = Math.min(...due);
    }
  }

  #take(event: SchedulerEvent, now: number): void {
    if (event.type === 'submit') {
      const { job: facts } = event;
      const isPinned = facts.tasks.length <= facts.firstRound;
      const { priority, maxRunning } = facts;
      const none = { isPaused: false, isRemoved: false, host: undefined, reserved: 0, isAsked: false };
      const waiting = new Map(facts.tasks.map(({ id }) => [id, 0]));
      const fresh = { facts, number: this.#submitted++, running: new Map(), waiting, ended: new Set<number>() };
      this.jobs.set(facts.job, { ...fresh, priority, maxRunning, isPinned, waitingSince: now, ...none });
    } else if (event.type === 'host') this.#setHost(event.host, new Map(Object.entries(event.slots)));
    else if (event.type === 'host lost') {
      this.#setHost(event.host, new Map());
      this.hosts.delete(event.host);
      for (const job of this.jobs.values()) {
        if (job.host === event.host) job.host = 'a host that was lost';
        for (const [task, host] of job.running) if (host === event.host) this.#stop(job, task, 0, now);
      }
    } else if (event.type === 'limit') this.limits.set(event.resource, event.maxRunning);
    else if (event.type === 'resource gone') this.limits.delete(event.resource);
    else if (event.type !== 'tick') {
      const job = this.jobs.get(event.job);
      if (job !== undefined) this.#takeOf(job, event, now);
    }
  }

  #takeOf(
    job: OracleJob,
    event: Exclude<SchedulerEvent, { type: 'submit' | 'host' | 'host lost' | 'limit' | 'resource gone' | 'tick' }>,
    now: number,
  ): void {
    switch (event.type) {
      case 'add':
        job.isAsked = false;
        if (job.isRemoved) break;
        if (!this.#hasReady(job, now)) job.waitingSince = now;
        job.waiting.set(event.task.id, 0);
        break;
      case 'uncut':
        job.isAsked = false;
        break;
      case 'ended':
        if (job.running.delete(event.task)) job.ended.add(event.task);
        break;
      case 'again':
        if (job.running.has(event.task)) this.#stop(job, event.task, event.notBefore > now ? event.notBefore : 0, now);
        break;
      case 'priority':
        job.priority = event.priority;
        job.waitingSince = now;
        break;
      case 'width':
        job.maxRunning = event.maxRunning;
        break;
      case 'pause':
        job.isPaused = true;
        job.reserved = 0;
        break;
      case 'unpause':
        if (job.isPaused) job.waitingSince = now;
        job.isPaused = false;
        break;
      case 'remove':
        job.isRemoved = true;
        job.reserved = 0;
        job.waiting.clear();
    }
  }

  #stop(job: OracleJob, task: number, notBefore: number, now: number): void {
    job.running.delete(task);
    if (job.isRemoved) return;
    if (notBefore === 0 && !this.#hasReady(job, now)) job.waitingSince = now;
    job.waiting.set(task, notBefore);
  }

  #setHost(host: string, slots: Map<string, number>): void {
    const before = this.hosts.get(host) ?? new Map<string, number>();
    this.hosts.set(host, slots);
    for (const [pool, had] of before) {
      const has = slots.get(pool) ?? 0;
      if (has >= had) continue;
      for (const job of this.#pinned.filter((one) => one.host === host && one.facts.pool === pool).reverse()) {
        if (has === 0) {
          this.#unpin(job);
          job.isPinned = false;
          continue;
        }
        const over = this.#reserved(host, pool) - has + 1;
        if (over > 0) job.reserved -= Math.min(job.reserved, over);
      }
    }
  }

  #unpin(job: OracleJob): void {
    job.reserved = 0;
    if (this.#pinned.includes(job)) this.#pinned.splice(this.#pinned.indexOf(job), 1);
  }

  #check(decision: Decision, now: number): void {
    const job = this.jobs.get(decision.job)!;
    expect(job, 'decisions are about known jobs').toBeDefined();
    if (decision.type === 'promoted') expect(decision.level, `level of ${decision.job}`).toBe(Math.min(starved, decision.level));
    else if (decision.type === 'start') this.#checkStart(job, decision, now);
    else {
      expect({ ...job, waiting: job.waiting.size, isPaused: job.isPaused }).toMatchObject({
        isAsked: false,
        isPaused: false,
        isRemoved: false,
      });
      expect(job.facts.isCuttable, 'only what is cuttable is cut').toBe(true);
      expect(this.#hasReady(job, now), 'no task waits').toBe(false);
      expect(job.running.size, 'there is something to cut').toBeGreaterThan(0);
      expect(this.#blocker(job), 'the rest could start').toBeUndefined();
      job.isAsked = true;
    }
  }

  #checkStart(job: OracleJob, { task, host, pool, why }: Decision & { readonly type: 'start' }, now: number): void {
    const name = job.facts.job;
    expect(job.waiting.get(task), `${name} has the task ${task} waiting`).toBe(0);
    expect([job.isPaused, job.isRemoved, pool], name).toEqual([false, false, job.facts.pool]);
    expect(this.#blocker(job), `what holds up ${name}`).toBeUndefined();
    expect(this.#roomAt(host, pool), `room at ${host} for ${name}`).toBeGreaterThan(0);
    if (job.isPinned && job.host !== undefined) expect(host, `${name} is pinned`).toBe(job.host);
    this.#checkWhy(job, host, why, now);
    for (const other of this.jobs.values()) {
      const isWronged = other !== job && goesBefore(other, job, this, now) && this.#canStart(other, now) && !this.#isKeptOut(other, now);
      if (isWronged) expect.fail(`${name} started before ${other.facts.job}`);
    }
    if (job.isPinned && job.host === undefined) {
      const tasks = job.facts.tasks.length;
      job.reserved = Math.max(0, Math.min(job.facts.firstRound - tasks, this.#roomAt(host, pool) - tasks));
      this.#pinned.push(job);
    }
    job.waiting.delete(task);
    job.running.set(task, host);
    job.host = host;
    job.waitingSince = now;
  }

  #checkWhy(job: OracleJob, host: string, why: StartReason, now: number): void {
    const limited = job.facts.resources.filter((name) => Number.isFinite(this.limits.get(name) ?? Number.POSITIVE_INFINITY));
    const budgets = limited.map((resource) => ({ resource, running: this.#usersOf(resource) + 1, limit: this.limits.get(resource) }));
    const place = job.isPinned ? 'one host' : job.host === host ? 'together' : 'most spare';
    expect(why).toMatchObject({ waitedMs: now - job.waitingSince, priority: job.priority, level: this.level(job, now), budgets });
    expect(why.place).toBe(place);
  }

  #hasReady(job: OracleJob, now: number): boolean {
    return [...job.waiting.values()].some((at) => at <= now);
  }

  #isInLine(job: OracleJob, now: number): boolean {
    return !job.isPaused && this.#hasReady(job, now);
  }

  #usersOf(resource: string): number {
    return [...this.jobs.values()].reduce((sum, { facts, running }) => sum + (facts.resources.includes(resource) ? running.size : 0), 0);
  }

  #reserved(host: string, pool: string): number {
    const here = this.#pinned.filter((job) => job.host === host && job.facts.pool === pool);
    return here.reduce((sum, { reserved }) => sum + reserved, 0);
  }

  #roomAt(host: string, pool: string): number {
    const running = [...this.jobs.values()].filter(({ facts }) => facts.pool === pool).flatMap((job) => [...job.running.values()]);
    return (this.hosts.get(host)?.get(pool) ?? 0) - running.filter((at) => at === host).length - this.#reserved(host, pool);
  }

  #roomIn(resource: string): number {
    return (this.limits.get(resource) ?? Number.POSITIVE_INFINITY) - this.#usersOf(resource);
  }

  /** The first thing that a task of the job would exceed. */
  #blocker(job: OracleJob): string | undefined {
    if (job.running.size >= job.maxRunning) return 'width';
    const full = job.facts.resources.find((resource) => this.#roomIn(resource) <= 0);
    if (full !== undefined) return full;
    const hosts = job.isPinned && job.host !== undefined ? [job.host] : [...this.hosts.keys()];
    return hosts.some((host) => this.#roomAt(host, job.facts.pool) > 0) ? undefined : 'slots';
  }

  #canStart(job: OracleJob, now: number): boolean {
    return this.#isInLine(job, now) && this.#blocker(job) === undefined;
  }

  /** One of those that waited longest may keep one place at a data source, or several, while it waits for another. */
  #isKeptOut(job: OracleJob, now: number): boolean {
    const scarce = job.facts.resources.filter((resource) => this.#roomIn(resource) === 1);
    const mayKeep = (other: OracleJob) =>
      other !== job && this.level(other, now) === starved && this.#isInLine(other, now) && !this.#canStart(other, now);
    return scarce.some((resource) => [...this.jobs.values()].some((other) => other.facts.resources.includes(resource) && mayKeep(other)));
  }
}

/** The documented order, but for shares. */
function goesBefore(a: OracleJob, b: OracleJob, oracle: Oracle, now: number): boolean {
  const [levelA, levelB] = [oracle.level(a, now), oracle.level(b, now)];
  if (levelA !== levelB) return levelA > levelB;
  if (levelA === starved) return a.waitingSince === b.waitingSince ? a.number < b.number : a.waitingSince < b.waitingSince;
  return (a.facts.deadlineAt ?? Number.POSITIVE_INFINITY) < (b.facts.deadlineAt ?? Number.POSITIVE_INFINITY);
}
