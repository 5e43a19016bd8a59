import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Decision, decide } from '../../../core/governor/decision.ts';
import { type GovernorEvent, type GovernorState, govern, newGovernorState } from '../../../core/governor/governor-state.ts';
import type { SourceLimits } from '../../../core/governor/limits.ts';
import type { SourceHealth } from '../../../core/sdk/index.ts';

const limits: SourceLimits = { maxConnections: 6, maxThreadsRunning: 32 };
const name = 'source 10.0.0.5:3306';
const good: SourceHealth = { threadsRunning: 5 };
const near: SourceHealth = { threadsRunning: 30 };
const bad: SourceHealth = { threadsRunning: 48 };
const terrible: SourceHealth = { threadsRunning: 200 };

/** A server with a clock that goes on by what is asked for. */
class Course {
  state: GovernorState;
  now = 0;

  constructor(given: SourceLimits = limits, running = 0) {
    this.state = newGovernorState(given, 0);
    for (let task = 0; task < running; task++) this.tell({ type: 'task started' });
  }

  get decision(): Decision {
    return decide(this.state, this.now, name);
  }

  tell(event: GovernorEvent, afterMs = 0): this {
    this.now += afterMs;
    this.state = govern(this.state, event, this.now);
    return this;
  }

  /** One answer after another, every so many milliseconds. */
  health(health: SourceHealth, times = 1, everyMs = 3000): this {
    for (let time = 0; time < times; time++) this.tell({ type: 'health', health }, everyMs);
    return this;
  }

  /** As many tasks run as may. */
  fill(wanted = 100): this {
    const { tasks, isPaused } = this.decision;
    while (this.state.running > tasks) this.tell({ type: 'task ended' });
    while (!isPaused && this.state.running < Math.min(wanted, tasks)) this.tell({ type: 'task started' });
    return this;
  }
}

test('a healthy server takes as many tasks as the budget says', () => {
  const course = new Course(limits, 6).health(good, 10);
  expect(course.decision).toEqual({ tasks: 6, isPaused: false, isSlowed: false, bytesPerSecond: 0, why: undefined });
});

test('bad health halves the tasks at once, and says why', () => {
  const course = new Course(limits, 6).health(bad);
  expect(course.decision).toMatchObject({ tasks: 3, isSlowed: true, isPaused: false });
  expect(course.decision.why).toBe('source 10.0.0.5:3306 slowed to 3 of 6 tasks: 48 threads running, limit 32');
});

test('what is halved is what runs, not what is allowed', () => {
  expect(new Course({ ...limits, maxConnections: 50 }, 4).health(bad).decision.tasks).toBe(2);
});

test('a server that is busy before anything of ours runs gets one task', () => {
  expect(new Course().health(bad).decision.tasks).toBe(1);
});

test('bad health that lasts halves again every five seconds, and one task goes on, slower and slower', () => {
  const course = new Course(limits, 6);
  for (let second = 0; second < 4; second++) course.tell({ type: 'moved', bytes: 6_000_000 }, 1000);
  const seen: [number, number][] = [];
  for (let time = 0; time < 6; time++) {
    const { tasks, bytesPerSecond } = course.health(bad, 1, time === 0 ? 0 : 6000).fill().decision;
    seen.push([tasks, bytesPerSecond]);
  }
  expect(seen).toEqual([
    [3, 3e6],
    [1, 1e6],
    [1, 5e5],
    [1, 2.5e5],
    [1, 1.25e5],
    [1, 1.25e5],
  ]);
  expect(course.decision.why).toBe('source 10.0.0.5:3306 slowed to 1 of 6 tasks and 0.1 MB/s: 48 threads running, limit 32');
});

test('good health adds one task every five seconds, up to the budget', () => {
  const course = new Course(limits, 6).health(bad).fill().health(bad, 1, 6000).fill();
  expect(course.decision.tasks).toBe(1);
  const seen: number[] = [];
  for (let second = 0; second < 40; second++) seen.push(course.health(good, 1, 1000).fill().decision.tasks);
  expect(seen.every((tasks, index) => index === 0 || [0, 1].includes(tasks - seen[index - 1]!))).toBe(true);
  expect(seen.at(-1)).toBe(6);
  expect(course.decision).toMatchObject({ isSlowed: false, bytesPerSecond: 0, why: undefined });
});

test('close to a limit nothing changes', () => {
  const course = new Course(limits, 6).health(bad).fill();
  expect(course.health(near, 30).decision.tasks).toBe(3);
});

test('with terrible health nothing new begins, for a minute at most, and then one task may', () => {
  const course = new Course(limits, 6).health(terrible);
  expect(course.decision).toMatchObject({ tasks: 1, isPaused: true });
  expect(course.decision.why).toBe('source 10.0.0.5:3306 paused, nothing new begins: 200 threads running, limit 32');
  expect(course.health(terrible, 19).decision.isPaused).toBe(true);
  expect(course.health(terrible, 1).decision).toMatchObject({ tasks: 1, isPaused: false });
  expect(course.health(terrible, 19).decision.isPaused).toBe(false);
  expect(course.health(terrible, 2).decision.isPaused).toBe(true);
});

test('a pause ends as soon as health is no longer terrible', () => {
  const course = new Course(limits, 6).health(terrible);
  expect(course.health(bad).decision.isPaused).toBe(false);
});

test('a server that does not answer is slowed, and with the third question in a row paused', () => {
  const course = new Course({}, 8);
  const silent: GovernorEvent = { type: 'unanswered', reason: 'no answer within 5 s' };
  expect(course.tell(silent, 8000).decision).toMatchObject({ tasks: 4, isPaused: false });
  expect(course.fill().tell(silent, 8000).decision).toMatchObject({ tasks: 2, isPaused: false });
  expect(course.fill().tell(silent, 8000).decision).toMatchObject({ tasks: 1, isPaused: true });
  expect(course.health({}).decision.isPaused).toBe(false);
});

test('half of the free connections are left to others, unless the job says how many it may have', () => {
  const health: SourceHealth = { maxConnections: 100, usedConnections: 80 };
  expect(new Course({}).health(health).decision.tasks).toBe(10);
  // Those of our tasks are among the 80.
  const course = new Course({}, 8).health(health);
  expect(course.decision.tasks).toBe(14);
  expect(course.fill().decision.why).toMatch('takes 14 tasks at once: the other half of its free connections is left to others');
  expect(new Course({ maxConnections: 18 }).health(health).decision.tasks).toBe(18);
});

test('connections that others take count at once, those they give back when they have stayed away', () => {
  const course = new Course({}).health({ maxConnections: 100, usedConnections: 20 });
  expect(course.health({ maxConnections: 100, usedConnections: 90 }).decision.tasks).toBe(5);
  expect(course.health({ maxConnections: 100, usedConnections: 20 }, 2).decision.tasks).toBe(5);
  expect(course.health({ maxConnections: 100, usedConnections: 20 }, 4).decision.tasks).toBe(40);
});

test('a server whose connections are nearly all taken is not well', () => {
  const course = new Course({ maxConnections: 50 }, 50).health({ maxConnections: 100, usedConnections: 97 });
  expect(course.decision.why).toBe(`${name} slowed to 25 of 50 tasks: 97 of 100 connections are taken`);
});

test('the limit of bytes is that of the job, and never more than that', () => {
  expect(new Course({ maxMegabytesPerSecond: 2.5 }).decision.bytesPerSecond).toBe(2_500_000);
});

test('a level that was too much is tried again later each time', () => {
  const course = new Course({ ...limits, maxConnections: 8 }).fill();
  const decreasedAt: number[] = [];
  for (let second = 0; second < 1800; second++) {
    const before = course.decision.tasks;
    course.health(course.state.running > 4 ? bad : good, 1, 1000).fill();
    if (course.decision.tasks < before) decreasedAt.push(second);
  }
  expect(decreasedAt.length).toBeLessThanOrEqual(12);
  expect(decreasedAt.length).toBeGreaterThanOrEqual(3);
  const pauses = decreasedAt.slice(1).map((at, index) => at - decreasedAt[index]!);
  expect(pauses.at(-1)).toBeGreaterThan(60);
});

const anyHealth: fc.Arbitrary<SourceHealth> = fc.record(
  {
    threadsRunning: fc.nat(200),
    replicaLagSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
    canaryMs: fc.double({ min: 0, max: 5000, noNaN: true }),
    maxConnections: fc.integer({ min: 1, max: 500 }),
    usedConnections: fc.nat(500),
  },
  { requiredKeys: [] },
);
const anyLimits: fc.Arbitrary<SourceLimits> = fc.record(
  {
    maxConnections: fc.integer({ min: 1, max: 40 }),
    maxMegabytesPerSecond: fc.integer({ min: 1, max: 100 }),
    maxThreadsRunning: fc.integer({ min: 1, max: 60 }),
    maxReplicaLagSeconds: fc.integer({ min: 1, max: 30 }),
    maxLatencyMs: fc.integer({ min: 1, max: 1000 }),
  },
  { requiredKeys: [] },
);
const anyEvent: fc.Arbitrary<GovernorEvent> = fc.oneof(
  { weight: 4, arbitrary: anyHealth.map((health): GovernorEvent => ({ type: 'health', health })) },
  fc.constant<GovernorEvent>({ type: 'unanswered', reason: 'no answer' }),
  { weight: 4, arbitrary: fc.constant<GovernorEvent>({ type: 'task started' }) },
  { weight: 2, arbitrary: fc.constant<GovernorEvent>({ type: 'task ended' }) },
  fc.nat(1e9).map((bytes): GovernorEvent => ({ type: 'moved', bytes })),
);
const anyCourse = fc.array(fc.record({ event: anyEvent, afterMs: fc.nat(8000) }), { maxLength: 120 });

test('the budget holds whatever happens, and at least one task may run', () => {
  fc.assert(
    fc.property(anyLimits, anyCourse, (given, events) => {
      const course = new Course(given);
      for (const { event, afterMs } of events) {
        const { tasks, bytesPerSecond, isSlowed, why } = course.tell(event, afterMs).decision;
        expect(tasks).toBeGreaterThanOrEqual(1);
        expect(tasks).toBeLessThanOrEqual(given.maxConnections ?? Infinity);
        expect(tasks === Infinity || Number.isInteger(tasks)).toBe(true);
        if (given.maxMegabytesPerSecond !== undefined) {
          expect(bytesPerSecond).toBeGreaterThan(0);
          expect(bytesPerSecond).toBeLessThanOrEqual(given.maxMegabytesPerSecond * 1e6);
        }
        if (isSlowed) expect(why).toMatch(/^source 10\.0\.0\.5:3306 (slowed to \d+ |paused, )/);
      }
    }),
  );
});

test('bad health halves what runs, unless that was done within five seconds', () => {
  fc.assert(
    fc.property(anyCourse, fc.nat(8000), (events, afterMs) => {
      const course = new Course({ ...limits, maxConnections: 40 });
      for (const { event, afterMs: pause } of events) course.tell(event, pause);
      const { running, decreasedAt } = course.state;
      const before = course.decision.tasks;
      const { tasks } = course.health(bad, 1, afterMs).decision;
      if (course.now - decreasedAt < 5000) expect(tasks).toBeLessThanOrEqual(before);
      else expect(tasks).toBeLessThanOrEqual(Math.max(1, Math.floor(Math.min(running, before) / 2)));
    }),
  );
});

test('nothing lasts: after ten minutes of good health all tasks may run at full speed', () => {
  fc.assert(
    fc.property(anyCourse, (events) => {
      const course = new Course({ ...limits, maxConnections: 40 });
      for (const { event, afterMs } of events) course.tell(event, afterMs);
      course.health(good, 250);
      expect(course.health(good, 250).decision).toMatchObject({ tasks: 40, isSlowed: false, isPaused: false, bytesPerSecond: 0 });
    }),
  );
});

test('work goes on: of two minutes it is never paused for much more than half', () => {
  fc.assert(
    fc.property(anyCourse, (events) => {
      const course = new Course(limits);
      let [paused, total] = [0, 0];
      for (const { event, afterMs } of [...events, ...Array(200).fill({ event: { type: 'unanswered', reason: 'no' }, afterMs: 3000 })]) {
        const { isPaused } = course.decision;
        course.tell(event, afterMs);
        total += afterMs;
        if (isPaused) paused += afterMs;
      }
      expect(paused).toBeLessThanOrEqual(total / 2 + 70_000);
    }),
  );
});
