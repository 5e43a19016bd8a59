import { Scheduler } from '../../core/scheduler/scheduler.ts';
import { Random } from './random.ts';

export interface DecisionCost {
  readonly jobs: number;
  /** Queued while it was measured. */
  readonly tasks: number;
  /** Of one start or rise, in microseconds of CPU time, with all that the events need around it: other work on the machine counts in the other figures. */
  readonly decisionUs: number;
  /** Of one event, most of which end a task and start another. */
  readonly meanUs: number;
  readonly p99Us: number;
  readonly slowestUs: number;
}

const slots = 32_000;
const agingMs = 60_000;

/**
 * What a decision costs where so much waits: tasks end in random order, 200 in each second of the virtual clock, and each end starts another. Jobs have all priorities,
 * a third of them a deadline, each two of 500 data sources, of which one in ten has fewer places than are wanted. A job that is over is followed by one like it.
 */
export function measureDecisions(jobs: number, tasks: number, { events = 200_000, seed = 1 } = {}): DecisionCost {
  const random = new Random(seed);
  const scheduler = new Scheduler({ agingMs });
  const [each, running] = [Math.max(1, Math.round(tasks / jobs)), [] as { job: string; task: number }[]];
  let [submitted, now] = [0, 0];
  const tell = (event: Parameters<Scheduler['handle']>[0]) => {
    for (const decision of scheduler.handle(event, now)) if (decision.type === 'start') running.push(decision);
  };
  const submit = () => {
    const source = random.below(250);
    const deadline = random.next() < 0.33 ? { deadlineAt: now + random.below(4) * 3_600_000 } : {};
    const list = Array.from({ length: each }, (_, id) => ({ id, weightMs: 1000 + random.below(60_000) }));
    const facts = {
      priority: random.below(10),
      pool: 'p',
      resources: [`s${source}`, `t${random.below(250)}`],
      firstRound: 0,
      maxRunning: 1000,
    };
    tell({ type: 'submit', job: { job: `${++submitted}`, ...facts, ...deadline, tasks: list } });
  };
  for (let host = 0; host < slots / 32; host++)
    tell({ type: 'host', host: `h${host}`, slots: { p: Math.min(32, Math.ceil(tasks / 64)) }, spareCpu: 32 });
  for (let source = 0; source < 250; source++) {
    tell({ type: 'limit', resource: `s${source}`, maxRunning: source % 10 === 0 ? 16 : 1000 });
    tell({ type: 'limit', resource: `t${source}`, maxRunning: source % 10 === 0 ? 16 : 1000 });
  }
  for (let job = 0; job < jobs; job++) submit();
  const took = new Float64Array(events);
  let made = 0;
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < events; index++) {
    now += 5;
    const place = random.below(running.length);
    const one = running[place]!;
    running[place] = running.at(-1)!;
    running.pop();
    const before = performance.now();
    const decisions = scheduler.handle({ type: 'ended', job: one.job, task: one.task }, now);
    took[index] = (performance.now() - before) * 1000;
    made += decisions.length;
    for (const decision of decisions) if (decision.type === 'start') running.push(decision);
    if (scheduler.look(one.job) === undefined) submit();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = took.sort();
  const sum = sorted.reduce((total, one) => total + one, 0);
  return {
    jobs,
    tasks,
    decisionUs: (user + system) / made,
    meanUs: sum / events,
    p99Us: sorted[Math.floor(events * 0.99)]!,
    slowestUs: sorted[events - 1]!,
  };
}
