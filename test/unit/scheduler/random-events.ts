import fc from 'fast-check';
import type { JobFacts, SchedulerEvent } from '../../../core/scheduler/events.ts';
import type { Oracle } from './oracle.ts';

/** Numbers from which a step of a night is made, once it is known what there is to choose from. */
export interface Step {
  readonly kind: number;
  readonly which: number;
  readonly size: number;
  readonly passedMs: number;
}

export const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.nat(99),
    which: fc.nat(1000),
    size: fc.nat(1000),
    passedMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: fc.nat(30) }, fc.nat(400)),
  }),
  { minLength: 1, maxLength: 150, size: 'max' },
);

const pools = ['night', 'important'];
/** The last one is what jobs share that are the tasks of one content: its width. */
const resources = ['source', 'target', 'third', 'width'];
const hosts = ['a', 'b', 'c'];
const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

/** An event that fits what there is: it names jobs that are there, tasks that run, and a cut that was asked for. */
export function eventOf({ kind, which, size }: Step, step: number, now: number, oracle: Oracle): SchedulerEvent {
  const job = pick([...oracle.jobs.keys()], which);
  const running = pick(oracle.running(), which);
  const asked = [...oracle.jobs.values()].find(({ isAsked }) => isAsked);
  if (asked !== undefined && kind % 2 === 0) {
    const task = { id: 1000 + step, weightMs: 1 + (size % 50) };
    return kind % 4 === 0 ? { type: 'uncut', job: asked.facts.job } : { type: 'add', job: asked.facts.job, task };
  }
  if (kind < 35 && running !== undefined) return { type: 'ended', job: running[0], task: running[1] };
  if (kind < 42 && running !== undefined) {
    return { type: 'again', job: running[0], task: running[1], notBefore: now + (size % 3 === 0 ? 0 : size % 90) };
  }
  if (kind < 60 || job === undefined) return { type: 'submit', job: jobOf(`job ${step}`, which, size, now) };
  if (kind < 72) {
    const slots = size % 3 === 0 ? { night: size % 7 } : { night: size % 6, important: which % 4 };
    return { type: 'host', host: pick(hosts, which)!, slots, spareCpu: size % 8 };
  }
  if (kind < 75) return { type: 'host lost', host: pick(hosts, which)! };
  if (kind < 81) return { type: 'limit', resource: pick(resources, which)!, maxRunning: size % 5 };
  if (kind < 82) return { type: 'resource gone', resource: pick(resources, which)! };
  if (kind < 86) return { type: 'width', job, maxRunning: size % 5 };
  if (kind < 89) return { type: 'pause', job };
  if (kind < 93)
    return {
      type: 'unpause',
      job:
        pick(
          [...oracle.jobs].filter(([, { isPaused }]) => isPaused),
          which,
        )?.[0] ?? job,
    };
  if (kind < 96) return { type: 'priority', job, priority: size % 10 };
  if (kind < 98) return { type: 'remove', job };
  return { type: 'tick' };
}

function jobOf(name: string, which: number, size: number, now: number): JobFacts {
  const tasks = Array.from({ length: size % 7 }, (_, id) => ({ id, weightMs: 1 + ((which + id) % 50) }));
  return {
    job: name,
    priority: which % 10,
    ...(size % 4 === 0 ? { deadlineAt: now + (which % 5) * 100 } : {}),
    pool: pick(pools, Math.floor(size / 7))!,
    resources: resources.filter((_, index) => (which >> index) % 2 === 1).slice(0, 3),
    firstRound: Math.max(1, size % 9),
    maxRunning: 1 + (which % 6),
    isCuttable: which % 2 === 0,
    tasks,
  };
}

/** Everything is opened, and all tasks end. */
export function* lastEvents(oracle: Oracle): Generator<SchedulerEvent> {
  for (const resource of resources) yield { type: 'limit', resource, maxRunning: 3 };
  yield { type: 'host', host: 'last', slots: { night: 2, important: 2 }, spareCpu: 2 };
  for (const host of hosts) yield { type: 'host', host, slots: { night: 1, important: 1 }, spareCpu: 2 };
  for (const job of [...oracle.jobs.keys()]) {
    yield { type: 'width', job, maxRunning: 2 };
    yield { type: 'unpause', job };
  }
  for (let left = 5000; oracle.jobs.size > 0 && left > 0; left--) {
    const [running] = oracle.running();
    yield running === undefined ? { type: 'tick' } : { type: 'ended', job: running[0], task: running[1] };
  }
}
