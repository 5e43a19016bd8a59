import { expect, test } from 'vitest';
import { DrayError, defineReader, type Json, type PluginContext, type RecordOutput, type Split, z } from '../../../core/sdk/index.ts';
import { Lane } from '../../../core/task/lane.ts';
import type { LaneSpec } from '../../../core/task/spec.ts';
import { fakeTask, fakeWriter, listening } from '../../support/fake-plugins.ts';

interface Behaviour {
  readonly read?: (split: Split, out: RecordOutput, signal: AbortSignal, opened: number) => Promise<void> | void;
  readonly join?: (token: Json, opened: number) => void;
  readonly beforeCommit?: (task: number) => void;
}

/** A lane whose readers are numbered in the order in which they are opened. */
function laneOf({ read, join, beforeCommit }: Behaviour = {}) {
  const events: string[] = [];
  const contexts: PluginContext[] = [];
  const reader = defineReader({
    name: 'numbered',
    summary: 'One row per split',
    options: z.looseObject({}),
    open: (_options, context) => {
      const opened = contexts.push(context);
      events.push(`open ${opened}`);
      return {
        schema: () => ({ columns: [] }),
        async connect() {
          events.push(`connect ${opened}`);
        },
        async joinSnapshot(token) {
          events.push(`join ${opened} ${JSON.stringify(token)}`);
          join?.(token, opened);
        },
        async read(split, out, signal) {
          events.push(`read ${split.name} by ${opened}`);
          await read?.(split, out, signal, opened);
          out.push(['a row']);
        },
        async close() {
          events.push(`close ${opened}`);
        },
      };
    },
  });
  const writer = fakeWriter(beforeCommit === undefined ? {} : { beforeCommit }).plugin;
  const lane = new Lane({
    reader: async () => reader,
    writer: async () => writer,
    transformer: () => Promise.reject(new Error('there is none')),
  });
  const { heard, listener } = listening();
  const never = new AbortController().signal;
  return {
    lane,
    events,
    contexts,
    heard,
    run: (split: string, facts: object = {}, signal = never) => lane.run(fakeTask({ split: { name: split }, ...facts }), listener, signal),
    connect: () => lane.join(laneSpec(), never),
    join: (token: Json) => lane.join(laneSpec(token), never),
  };
}

function laneSpec(snapshot?: Json): LaneSpec {
  const { run, job, reader } = fakeTask();
  return { run, job, reader, ...(snapshot === undefined ? {} : { snapshot }) };
}

test('the tasks of a lane share one reader, which is closed with the lane', async () => {
  const { lane, events, run } = laneOf();
  for (const split of ['a', 'b']) expect(await run(split)).toMatchObject({ state: 'done', counters: { rowsRead: 1 } });
  await lane.close();
  expect(events).toEqual(['open 1', 'read a by 1', 'read b by 1', 'close 1']);
});

test('a reader with other options, or of another run, is another reader', async () => {
  const { events, run } = laneOf();
  await run('a');
  await run('b', { reader: { ...fakeTask().reader, options: { table: 'other' } } });
  await run('c', { reader: { ...fakeTask().reader, options: { table: 'other' } }, run: 'later' });
  expect(events).toEqual(['open 1', 'read a by 1', 'close 1', 'open 2', 'read b by 2', 'close 2', 'open 3', 'read c by 3']);
});

test('a reader that failed is closed, and the next task has another one', async () => {
  const { events, run } = laneOf({
    read: ({ name }) => {
      if (name === 'bad') throw new DrayError('CONNECTION_LOST', 'gone');
    },
  });
  expect(await run('bad')).toMatchObject({ state: 'failed', error: { code: 'CONNECTION_LOST', side: 'source' } });
  await run('good');
  expect(events).toEqual(['open 1', 'read bad by 1', 'close 1', 'open 2', 'read good by 2']);
});

test('a task that fails behind its last row leaves its reader usable for the next one', async () => {
  const { events, contexts, run } = laneOf({
    beforeCommit: (task) => {
      if (task === 7) throw new DrayError('CONNECTION_LOST', 'gone');
    },
  });
  expect(await run('bad', { id: 7 })).toMatchObject({ state: 'failed', error: { code: 'CONNECTION_LOST', side: 'target' } });
  await run('good');
  expect(contexts[0]!.signal.aborted).toBe(false);
  expect(events).toEqual(['open 1', 'read bad by 1', 'read good by 1']);
});

test('a reader that has joined a snapshot is kept, also after it failed', async () => {
  const { events, run, join } = laneOf({
    read: ({ name }) => {
      if (name === 'bad') throw new DrayError('CONNECTION_LOST', 'gone');
    },
  });
  expect(await join('s')).toBeUndefined();
  expect(await join('s')).toBeUndefined();
  await run('bad');
  expect(await run('good')).toMatchObject({ state: 'done' });
  expect(events).toEqual(['open 1', 'join 1 "s"', 'read bad by 1', 'read good by 1']);
});

test('a reader that was connected ahead of the snapshot is the one that joins it; after that it takes another one', async () => {
  const { events, run, connect, join } = laneOf();
  expect(await connect()).toBeUndefined();
  await join('s');
  await run('a');
  await connect();
  await run('b');
  expect(events).toEqual(['open 1', 'connect 1', 'join 1 "s"', 'read a by 1', 'close 1', 'open 2', 'connect 2', 'read b by 2']);
});

test('another snapshot is joined by another reader', async () => {
  const { events, join } = laneOf();
  await join('s');
  await join('t');
  expect(events).toEqual(['open 1', 'join 1 "s"', 'close 1', 'open 2', 'join 2 "t"']);
});

test('what keeps a reader from joining is the answer, and the lane then reads without', async () => {
  const { events, run, join } = laneOf({
    join: () => {
      throw new DrayError('SNAPSHOT_LOST', 'too late');
    },
  });
  expect(await join('s')).toMatchObject({ code: 'SNAPSHOT_LOST', side: 'source' });
  expect(await run('a')).toMatchObject({ state: 'done' });
  expect(events).toEqual(['open 1', 'join 1 "s"', 'close 1', 'open 2', 'read a by 2']);
});

test('a task that is cancelled fires the signal of its reader, unless that holds a snapshot', async () => {
  for (const hasJoined of [false, true]) {
    const { contexts, run, join } = laneOf({
      read: (_split, _out, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
    });
    if (hasJoined) await join('s');
    const cancel = new AbortController();
    const running = run('a', {}, cancel.signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    cancel.abort(new DrayError('CANCELLED', 'enough'));
    expect(await running).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
    expect(contexts[0]!.signal.aborted).toBe(!hasJoined);
  }
});

test('what a reader says between two tasks is heard with the next one', async () => {
  const { contexts, heard, run } = laneOf();
  await run('a');
  contexts[0]!.warn('the night is long');
  expect(heard.warnings).toEqual([]);
  await run('b');
  expect(heard.warnings).toEqual(['the night is long']);
});
