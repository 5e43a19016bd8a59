import type { Decision, JobFacts, SchedulerEvent } from '../../../core/scheduler/events.ts';
import { Scheduler } from '../../../core/scheduler/scheduler.ts';

export type Start = Decision & { readonly type: 'start' };

/** A job of the pool `p` with so many tasks of one second, of priority 5 and as wide as it likes, which never runs on one host only. */
export function jobOf(job: string, tasks: number, facts: Partial<JobFacts> & { readonly weightMs?: number } = {}): JobFacts {
  const { weightMs = 1000, ...others } = facts;
  const common = { job, priority: 5, pool: 'p', resources: [], firstRound: 0, maxRunning: 1000 };
  return { ...common, tasks: Array.from({ length: tasks }, (_, id) => ({ id, weightMs })), ...others };
}

/** A scheduler with a clock that is set by hand, and a record of what was started. */
export class Night {
  readonly scheduler: Scheduler;
  readonly starts: (Start & { readonly at: number })[] = [];
  readonly others: Decision[] = [];
  now = 0;

  constructor({ slots = 1, agingMs = 1e9 }: { slots?: number; agingMs?: number } = {}) {
    this.scheduler = new Scheduler({ agingMs });
    if (slots > 0) this.host('a', slots);
  }

  host(host: string, slots: number, { spareCpu = slots, pool = 'p' }: { spareCpu?: number; pool?: string } = {}): string[] {
    return this.do({ type: 'host', host, slots: { [pool]: slots }, spareCpu });
  }

  limit(resource: string, maxRunning: number): string[] {
    return this.do({ type: 'limit', resource, maxRunning });
  }

  submit(...job: Parameters<typeof jobOf>): string[] {
    return this.do({ type: 'submit', job: jobOf(...job) });
  }

  end(job: string, task: number): string[] {
    return this.do({ type: 'ended', job, task });
  }

  /** @returns what it started: `job/task@host` */
  do(event: SchedulerEvent): string[] {
    const decisions = this.scheduler.handle(event, this.now);
    const started = decisions.filter((decision): decision is Start => decision.type === 'start');
    this.starts.push(...started.map((start) => ({ ...start, at: this.now })));
    this.others.push(...decisions.filter(({ type }) => type !== 'start'));
    return started.map(({ job, task, host }) => `${job}/${task}@${host}`);
  }
}
