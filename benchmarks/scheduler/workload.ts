import { estimate } from '../../core/scheduler/estimate.ts';
import type { JobFacts } from '../../core/scheduler/events.ts';
import { Random } from './random.ts';

export const hour = 3_600_000;
/** What one thread moves, in bytes a second: between databases, rows encoded and checked, as benchmarks/README.md measures it on slow cores. */
export const threadBytesPerSecond = 10e6;
/** The whole night begins two hours before midnight; times are milliseconds from then. */
export const midnight = 2 * hour;

export interface Scale {
  readonly hosts: number;
  readonly slotsPerHost: number;
  readonly jobs: number;
  readonly tasks: number;
  readonly seed: number;
  /** All jobs come at midnight; else half of them, and the others over six hours. */
  readonly isAtOnce: boolean;
}

export interface NightJob {
  readonly number: number;
  readonly arrivesAt: number;
  readonly priority: number;
  readonly deadlineAt: number | undefined;
  readonly source: number;
  readonly target: number;
  /** Of each task, in milliseconds, on an idle host of common speed. */
  readonly taskMs: Float64Array;
}

/** A host as it is from a time on. */
export interface HostState {
  readonly at: number;
  readonly host: number;
  /** Slots that others leave; 0: it is lost. */
  readonly slots: number;
  readonly speed: number;
}

export interface Workload {
  readonly scale: Scale;
  /** By arrival. */
  readonly jobs: readonly NightJob[];
  /** By time; the first of each host is at 0. */
  readonly hostStates: readonly HostState[];
  /** Most tasks at once that a data source carries without slowing down. */
  readonly budgets: ReadonlyMap<number, number>;
}

export const priorities = [9, 7, 5, 3, 1];
const priorityShares = [0.05, 0.15, 0.5, 0.2, 0.1];
const most = { tasksOfJob: 5000, sources: 2000, targets: 200 };

export function makeWorkload(scale: Scale): Workload {
  const random = new Random(scale.seed);
  const jobs = makeJobs(scale, random);
  return { scale, jobs, hostStates: makeHostStates(scale, random), budgets: makeBudgets(jobs) };
}

function makeJobs(scale: Scale, random: Random): NightJob[] {
  const raw = Array.from({ length: scale.jobs }, () => random.skewed(1.6));
  const sum = raw.reduce((total, one) => total + one, 0);
  const counts = raw.map((one) => Math.min(most.tasksOfJob, Math.max(1, Math.round((one / sum) * scale.tasks))));
  // What rounding and the largest have cost is dealt out again.
  for (let left = scale.tasks - counts.reduce((total, one) => total + one, 0); left !== 0; ) {
    const index = random.below(counts.length);
    const step = left > 0 ? Math.min(left, 50, most.tasksOfJob - counts[index]!) : -Math.min(-left, counts[index]! - 1, 50);
    counts[index] = counts[index]! + step;
    left -= step;
  }
  const jobs = counts.map((count) => makeJob(count, random, scale.isAtOnce));
  return jobs.sort((a, b) => a.arrivesAt - b.arrivesAt).map((job, number) => ({ ...job, number }));
}

function makeJob(count: number, random: Random, isAtOnce: boolean): Omit<NightJob, 'number'> {
  // Half of the jobs come at midnight, when yesterday is complete.
  const arrivesAt = random.next() < (isAtOnce ? 1 : 0.5) ? midnight + random.between(0, hour / 6) : random.between(0, 6 * hour);
  const meanMs = 85_000 * random.skewed(0.5);
  return {
    arrivesAt,
    priority: priorities[random.choose(priorityShares)]!,
    deadlineAt: random.next() < 0.2 ? arrivesAt + random.between(0.75, 3) * hour : undefined,
    // Few sources are asked for much: the square makes the first hundredth of them as wanted as the next three.
    source: Math.floor(random.next() ** 2 * most.sources),
    target: most.sources + Math.floor(random.next() ** 2 * most.targets),
    taskMs: Float64Array.from({ length: count }, () => meanMs * random.skewed(0.4)),
  };
}

/** Each database has been sized for its own night: alone, it could give or take all of it in an hour. */
function makeBudgets(jobs: readonly NightJob[]): Map<number, number> {
  const workMs = new Map<number, number>();
  for (const job of jobs) {
    const sum = job.taskMs.reduce((total, one) => total + one, 0);
    for (const resource of [job.source, job.target]) workMs.set(resource, (workMs.get(resource) ?? 0) + sum);
  }
  return new Map([...workMs].map(([resource, sum]) => [resource, Math.max(4, Math.ceil(sum / hour))]));
}

/** Every ten minutes or so others take something of a host, or give it back; one in a hundred hosts is lost for twenty minutes. */
function makeHostStates({ hosts, slotsPerHost }: Scale, random: Random): HostState[] {
  const states: HostState[] = [];
  for (let host = 0; host < hosts; host++) {
    const lostAt = random.next() < 0.01 ? random.between(1, 5) * hour : Number.POSITIVE_INFINITY;
    for (let at = 0; at < 24 * hour; at += at < 8 * hour ? random.between(0.5, 1.5) * (hour / 6) : hour) {
      const isLost = at > lostAt && at < lostAt + hour / 3;
      const slots = isLost ? 0 : Math.ceil(slotsPerHost * random.between(0.6, 1));
      states.push({ at, host, slots, speed: random.between(0.6, 1.2) });
    }
  }
  return states.sort((a, b) => a.at - b.at || a.host - b.host);
}

export function resourceName(resource: number): string {
  return `db${resource}`;
}

/** The job as the controller would submit it: how wide it begins is worked out from its size and its deadline. */
export function factsOf(job: NightJob): JobFacts {
  const workMs = job.taskMs.reduce((total, one) => total + one, 0);
  const { firstRound } = estimate(
    {
      tasks: job.taskMs.length,
      bytes: (workMs / 1000) * threadBytesPerSecond,
      bytesPerSecond: threadBytesPerSecond,
      finishWithinMs: job.deadlineAt === undefined ? undefined : job.deadlineAt - job.arrivesAt,
    },
    [{ what: 'the slots of a host', threads: 16 }],
  );
  return {
    job: `${job.number}`,
    priority: job.priority,
    deadlineAt: job.deadlineAt,
    pool: 'night',
    resources: [resourceName(job.source), resourceName(job.target)],
    firstRound,
    maxRunning: 1000,
    tasks: Array.from(job.taskMs, (weightMs, id) => ({ id, weightMs })),
  };
}
