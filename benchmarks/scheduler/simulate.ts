import type { Decision, SchedulerEvent } from '../../core/scheduler/events.ts';
import { Due } from './due.ts';
import type { Policy } from './policy.ts';
import { factsOf, type HostState, hour, type NightJob, resourceName, type Workload } from './workload.ts';

export interface JobResult {
  readonly job: NightJob;
  /** From its arrival until its first task started, and until its last one ended. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

export interface Sample {
  readonly at: number;
  readonly running: number;
  /** What the hosts would let run. */
  readonly slots: number;
}

export interface NightResult {
  readonly policy: string;
  readonly jobs: readonly JobResult[];
  /** One a minute. */
  readonly samples: readonly Sample[];
  readonly endsAt: number;
  /** Minutes that a data source had more tasks than it carries, over all of them. */
  readonly overloadMinutes: number;
  readonly decisions: number;
  /** Of this machine, for the whole night and in the policy alone. */
  readonly seconds: number;
  readonly policySeconds: number;
}

interface Host extends HostState {
  readonly running: Set<number>;
}

interface Run {
  readonly job: NightJob;
  readonly task: number;
  readonly host: Host;
}

const minute = hour / 60;

/**
 * A night on a clock that jumps from event to event. A task takes as long as its size asks for, by the speed of its host, longer where more tasks run than the host has slots left
 * or than a data source carries: as many times longer as there are more of them, so that crowding costs no throughput by itself. All is as it is when the task starts.
 */
export class Simulation {
  readonly #workload: Workload;
  readonly #policy: Policy;
  readonly #due = new Due();
  readonly #runs: (Run | undefined)[] = [];
  readonly #unused: number[] = [];
  readonly #hosts = new Map<string, Host>();
  readonly #usersOf = new Map<number, number>();
  readonly #firstStart: Float64Array;
  readonly #left: Int32Array;
  readonly #overloadedSince = new Map<number, number>();
  readonly #results: JobResult[] = [];
  readonly #samples: Sample[] = [];
  #now = 0;
  #running = 0;
  #slots = 0;
  #overloadMs = 0;
  #decisions = 0;
  #policyMs = 0;

  constructor(workload: Workload, policy: Policy) {
    this.#workload = workload;
    this.#policy = policy;
    this.#firstStart = new Float64Array(workload.jobs.length).fill(-1);
    this.#left = Int32Array.from(workload.jobs, ({ taskMs }) => taskMs.length);
  }

  /** @throws Error if a job does not come to its end */
  run(policy: string): NightResult {
    const began = performance.now();
    const { jobs, hostStates, budgets } = this.#workload;
    for (const [resource, maxRunning] of budgets) this.#tell({ type: 'limit', resource: resourceName(resource), maxRunning });
    let [nextJob, nextState] = [0, 0];
    while (this.#results.length < jobs.length) {
      const arrival = jobs[nextJob]?.arrivesAt ?? Number.POSITIVE_INFINITY;
      const change = hostStates[nextState]?.at ?? Number.POSITIVE_INFINITY;
      const at = Math.min(arrival, change, this.#due.nextAt, this.#policy.nextAt ?? Number.POSITIVE_INFINITY);
      if (!Number.isFinite(at)) throw new Error(`${jobs.length - this.#results.length} jobs never end with the policy ${policy}`);
      this.#passTo(at);
      if (at === change) this.#change(hostStates[nextState++]!);
      else if (at === arrival) this.#tell({ type: 'submit', job: factsOf(jobs[nextJob++]!) });
      else if (at === this.#due.nextAt) this.#end(this.#due.take());
      else this.#tell({ type: 'tick' });
    }
    return {
      policy,
      jobs: this.#results,
      samples: this.#samples,
      endsAt: this.#now,
      overloadMinutes: this.#overloadMs / minute,
      decisions: this.#decisions,
      seconds: (performance.now() - began) / 1000,
      policySeconds: this.#policyMs / 1000,
    };
  }

  #passTo(at: number): void {
    while (this.#samples.length * minute <= at)
      this.#samples.push({ at: this.#samples.length * minute, running: this.#running, slots: this.#slots });
    this.#now = at;
  }

  #tell(event: SchedulerEvent): void {
    const before = performance.now();
    const decisions = this.#policy.handle(event, this.#now);
    this.#policyMs += performance.now() - before;
    this.#decisions += decisions.length;
    for (const decision of decisions) if (decision.type === 'start') this.#start(decision);
  }

  #change(state: HostState): void {
    const name = `h${state.host}`;
    const before = this.#hosts.get(name);
    this.#slots += state.slots - (before?.slots ?? 0);
    this.#hosts.set(name, { ...state, running: before?.running ?? new Set() });
    if (state.slots > 0) {
      this.#tell({ type: 'host', host: name, slots: { night: state.slots }, spareCpu: state.slots - (before?.running.size ?? 0) });
    } else if (before !== undefined && before.slots > 0) {
      for (const id of before.running) this.#forget(id);
      before.running.clear();
      this.#tell({ type: 'host lost', host: name });
    }
  }

  #start({ job: name, task, host: hostName }: Decision & { readonly type: 'start' }): void {
    const job = this.#workload.jobs[Number(name)]!;
    const host = this.#hosts.get(hostName)!;
    if (this.#firstStart[job.number]! < 0) this.#firstStart[job.number] = this.#now;
    const id = this.#unused.pop() ?? this.#runs.length;
    this.#runs[id] = { job, task, host };
    host.running.add(id);
    this.#running++;
    const crowd = Math.max(this.#use(job.source, 1), this.#use(job.target, 1), 1);
    const cores = Math.max(1, host.running.size / host.slots);
    this.#due.put(this.#now + (job.taskMs[task]! / host.speed) * cores * crowd, id);
  }

  /** @returns how many times more tasks use it than it carries */
  #use(resource: number, change: 1 | -1): number {
    const users = (this.#usersOf.get(resource) ?? 0) + change;
    this.#usersOf.set(resource, users);
    const budget = this.#workload.budgets.get(resource)!;
    const since = this.#overloadedSince.get(resource);
    if (users > budget && since === undefined) this.#overloadedSince.set(resource, this.#now);
    if (users <= budget && since !== undefined) {
      this.#overloadMs += this.#now - since;
      this.#overloadedSince.delete(resource);
    }
    return users / budget;
  }

  /** A task ends, or has ended with its host before. */
  #end(id: number): void {
    const run = this.#runs[id];
    this.#unused.push(id);
    if (run === undefined) return;
    run.host.running.delete(id);
    this.#forget(id);
    const { job, task } = run;
    this.#left[job.number]!--;
    if (this.#left[job.number] === 0) {
      const waitedMs = this.#firstStart[job.number]! - job.arrivesAt;
      this.#results.push({ job, waitedMs, tookMs: this.#now - job.arrivesAt });
    }
    this.#tell({ type: 'ended', job: `${job.number}`, task });
  }

  #forget(id: number): void {
    const { job } = this.#runs[id]!;
    this.#runs[id] = undefined;
    this.#running--;
    this.#use(job.source, -1);
    this.#use(job.target, -1);
  }
}
