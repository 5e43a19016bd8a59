import { expect, onTestFinished, test } from 'vitest';
import type { Decision } from '../../../core/governor/decision.ts';
import { Governors } from '../../../core/governor/governors.ts';
import { resourcesOf } from '../../../core/governor/resources.ts';
import type { Guest } from '../../../core/governor/source-governor.ts';
import { SourceGovernor } from '../../../core/governor/source-governor.ts';
import type { Reader, SourceHealth } from '../../../core/sdk/index.ts';
import { until } from '../../support/until.ts';

const resource = { kind: 'fake', host: 'db.example.com', port: 3306 };
const times = { everyMs: 5, answerMs: 40 };

/** A governor that asks often, and a clock that only goes on by hand. */
function open(): { governor: SourceGovernor; told: Decision[]; pass: (ms: number) => void; join: (guest: Partial<Guest>) => Guest } {
  const told: Decision[] = [];
  let now = 0;
  const governor = new SourceGovernor(resource, { times, now: () => now, onChange: (decision) => told.push(decision) });
  const join = (given: Partial<Guest>) => {
    const guest: Guest = { side: 'source', limits: {}, ...given };
    governor.join(guest);
    onTestFinished(() => governor.leave(guest));
    return guest;
  };
  return {
    governor,
    told,
    join,
    pass(ms) {
      now += ms;
    },
  };
}

const start = (governor: SourceGovernor, tasks: number) => {
  for (let task = 0; task < tasks; task++) governor.taskStarted();
};

test('of the limits of several jobs the tightest holds, until that job has left', async () => {
  const { governor, join } = open();
  join({ limits: { maxConnections: 10, maxMegabytesPerSecond: 5 } });
  const strict = join({ limits: { maxConnections: 4, maxLatencyMs: 100 }, side: 'target' });
  expect(governor.decision).toMatchObject({ tasks: 4, bytesPerSecond: 5e6 });
  await governor.leave(strict);
  expect(governor.decision).toMatchObject({ tasks: 10, bytesPerSecond: 5e6 });
});

test('there is room until as many tasks run as may', () => {
  const { governor, join } = open();
  join({ limits: { maxConnections: 2 } });
  expect(governor.hasRoom).toBe(true);
  start(governor, 2);
  expect(governor.hasRoom).toBe(false);
  governor.taskEnded();
  expect(governor.hasRoom).toBe(true);
});

test('a server that says it is busy is slowed, and whoever listens is told', async () => {
  const { governor, told, join } = open();
  start(governor, 6);
  join({ limits: { maxConnections: 6, maxReplicaLagSeconds: 5 }, ask: async () => ({ replicaLagSeconds: 12.34 }) });
  await until('it is slowed', 5000, async () => expect(governor.decision.tasks).toBe(3));
  expect(told.at(-1)?.why).toBe('source db.example.com:3306 slowed to 3 of 6 tasks: replica lag 12.3 s, limit 5 s');
});

test('a question that fails is bad health, with what the plugin says', async () => {
  const { governor, join } = open();
  start(governor, 6);
  const ask = async () => {
    throw new Error('too many connections');
  };
  join({ limits: { maxConnections: 6 }, side: 'target', ask });
  await until('it is slowed', 5000, async () =>
    expect(governor.decision.why).toContain(': it does not say how it is (too many connections)'),
  );
});

test('a question that takes too long is given up, and is bad health', async () => {
  const { governor, join } = open();
  start(governor, 6);
  let givenUp = 0;
  const ask = (signal: AbortSignal) => {
    signal.addEventListener('abort', () => givenUp++);
    return new Promise<SourceHealth>(() => undefined);
  };
  const guest = join({ limits: { maxConnections: 6 }, ask });
  // Three in a row are terrible.
  await until('it is paused', 5000, async () => expect(governor.decision.isPaused).toBe(true));
  expect(givenUp).toBeGreaterThanOrEqual(3);
  expect(governor.decision.why).toContain('no answer within 0.04 s');
  // A plugin that hangs does not keep the job from leaving.
  await governor.leave(guest);
});

test('one job lends its plugin to ask, and when it leaves the next one does', async () => {
  const { governor, join } = open();
  const asked: string[] = [];
  const asking = (name: string) => async (): Promise<SourceHealth> => {
    asked.push(name);
    return {};
  };
  const first = join({ ask: asking('first') });
  join({});
  join({ ask: asking('second') });
  await until('it was asked three times', 5000, async () => expect(asked.length).toBeGreaterThanOrEqual(3));
  expect(new Set(asked)).toEqual(new Set(['first']));
  await governor.leave(first);
  asked.length = 0;
  await until('it was asked again', 5000, async () => expect(asked.length).toBeGreaterThanOrEqual(2));
  expect(new Set(asked)).toEqual(new Set(['second']));
});

test('the next job finds a slowed server slowed, but not a minute later', async () => {
  const { governor, pass, join } = open();
  const limits = { maxConnections: 6, maxThreadsRunning: 1 };
  const guest = join({ limits, ask: async () => ({ threadsRunning: 2 }) });
  await until('it is slowed', 5000, async () => expect(governor.decision.tasks).toBe(1));
  await governor.leave(guest);
  const second = join({ limits });
  expect(governor.decision.tasks).toBe(1);
  await governor.leave(second);
  pass(61_000);
  join({ limits });
  expect(governor.decision.tasks).toBe(6);
});

test('a server has one governor, however its name is written; another port or system is another one', () => {
  const governors = new Governors();
  const one = governors.of(resource);
  expect(governors.of({ ...resource, host: 'DB.example.com' })).toBe(one);
  expect(governors.of({ ...resource, port: 3307 })).not.toBe(one);
  expect(governors.of({ ...resource, kind: 'other' })).not.toBe(one);
  expect(governors.all()).toHaveLength(3);
});

test('a pack of small splits is read from the servers of its members, each named once', () => {
  const reader: Reader = {
    schema: () => ({ columns: [] }),
    read: async () => undefined,
    resource: (split) => ({ ...resource, port: Number(split?.part) }),
  };
  const member = (port: number) => ({ name: `on ${port}`, part: port });
  expect(resourcesOf(reader, member(1))).toEqual([{ ...resource, port: 1 }]);
  const pack = { name: 'three tables', members: [member(1), member(2), member(1)] };
  expect(resourcesOf(reader, pack).map(({ port }) => port)).toEqual([1, 2]);
  expect(resourcesOf({ schema: reader.schema, read: reader.read }, pack)).toEqual([]);
});
