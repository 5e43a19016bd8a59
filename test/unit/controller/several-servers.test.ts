import { expect, onTestFinished, test } from 'vitest';
import { Controller } from '../../../core/controller/controller.ts';
import type { Job } from '../../../core/job/load-job.ts';
import type { KeyRange, Resource, Split } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import { countingReader, fakeJob, fakeWriter, listening } from '../../support/fake-plugins.ts';
import { inThisThread, unheard } from '../../support/in-this-thread.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { until } from '../../support/until.ts';

const split = (server: string, number: number): Split => ({ name: `${server}${number}`, part: server, estimatedRows: 1 });

/** Runs jobs whose splits are read from the server that their part names, and lets their tasks go on one by one. */
function running(controller = new Controller({ slots: 8 })) {
  onTestFinished(() => controller.close());
  const atWork = new Map<string, () => void>();
  const most = new Map<string, number>();
  const count = (of: (name: string) => boolean) => [...atWork.keys()].filter(of).length;

  const start = async (splits: readonly Split[], facts: Partial<Job> = {}) => {
    const reader = countingReader(1, splits).plugin;
    const writer = fakeWriter().plugin;
    const resource = (of: Split = splits[0]!): Resource => ({ kind: 'fake', host: of.part as string, port: 1 });
    const job = fakeJob({ ...reader, open: async (...given) => ({ ...(await reader.open(...given)), resource }) }, writer, facts);
    const { heard, listener } = listening();
    const ledger = await newLedger();
    const done = controller.run(job, {
      ledger,
      channels: undefined,
      signal: new AbortController().signal,
      listener: { ...listener, ...unheard },
      executor: inThisThread(async (_lane, spec, taskListener, signal) => {
        const { name } = spec.split;
        const goes = new Promise<void>((resolve) => atWork.set(name, resolve));
        for (const server of ['a', 'b', '']) {
          const now = count((one) => one.startsWith(server));
          most.set(server, Math.max(most.get(server) ?? 0, now));
        }
        await goes;
        return runTask(spec, { reader, writer }, taskListener, signal);
      }),
    });
    return { done, heard, handle: controller.find(ledger.run)! };
  };
  const atWorkAre = (...names: string[]) =>
    until(`at work are ${names.join(' ')}`, 10_000, async () => expect([...atWork.keys()].sort()).toEqual(names));
  const go = (...names: string[]) => {
    for (const name of names) {
      atWork.get(name)!();
      atWork.delete(name);
    }
  };
  const anyAtWork = () =>
    until('a task is at work', 10_000, async () => {
      const [name] = atWork.keys();
      expect(name).toBeDefined();
      return name!;
    });
  return { start, atWorkAre, anyAtWork, go, most };
}

test('a task counts at the server that it reads from, and not at the others of its content', async () => {
  const { start, atWorkAre, go, most } = running();
  const splits = [split('a', 0), split('a', 1), split('a', 2), split('b', 0), split('b', 1)];
  const { done, heard } = await start(splits, { channels: 4, sourceLimits: { maxConnections: 1 } });
  await atWorkAre('a0', 'b0');
  go('a0');
  await atWorkAre('a1', 'b0');
  go('b0');
  await atWorkAre('a1', 'b1');
  go('b1', 'a1');
  await atWorkAre('a2');
  go('a2');
  const report = await done;
  expect(report).toMatchObject({ state: 'done', rows: { written: 5 } });
  expect(report.contents[0]).toMatchObject({ channels: 4 });
  expect([most.get('a'), most.get('b')]).toEqual([1, 1]);
  // What its lines share is no budget that anybody has asked for.
  expect(heard.decisions.some((text) => text.includes('a:1 1/1'))).toBe(true);
  expect(heard.decisions.join('\n')).not.toContain('width');
});

test('no more tasks run than the content is wide, whatever the number of its servers', async () => {
  const { start, anyAtWork, go, most } = running();
  const splits = ['a', 'b', 'c', 'd'].flatMap((server) => [split(server, 0), split(server, 1)]);
  const { done, handle } = await start(splits, { channels: 2 });
  await until('two run', 10_000, async () => expect(handle.slots).toMatchObject({ running: 2, waiting: 6 }));
  handle.pause();
  go(await anyAtWork());
  await until('it is paused', 10_000, async () => expect(handle.slots).toMatchObject({ running: 1, waiting: 6 }));
  handle.unpause();
  await until('two run again', 10_000, async () => expect(handle.slots).toMatchObject({ running: 2, waiting: 5 }));
  expect(most.get('')).toBe(2);
  for (let left = splits.length - 1; left > 0; left--) go(await anyAtWork());
  expect((await done).state).toBe('done');
  expect(most.get('')).toBe(2);
});

test('a server whose budget others have taken does not hold up the tasks that read elsewhere', async () => {
  const { start, atWorkAre, go } = running();
  const sourceLimits = { maxConnections: 1 };
  const first = await start([split('a', 0)], { sourceLimits });
  await atWorkAre('a0');
  const second = await start([split('a', 1), split('b', 1), split('b', 2)], { channels: 3, sourceLimits });
  await atWorkAre('a0', 'b1');
  go('b1');
  await atWorkAre('a0', 'b2');
  go('b2');
  await until('one task is left', 10_000, async () => expect(second.handle.slots).toMatchObject({ running: 0, waiting: 1 }));
  expect(second.handle.remarks?.fullBudget()).toBe('a place at source a:1: 1 of 1 tasks run there');
  go('a0');
  await atWorkAre('a1');
  go('a1');
  for (const { done } of [first, second]) expect((await done).state).toBe('done');
});

test('rows that are still to come are read when everything else has begun, on whatever servers', async () => {
  const { start, atWorkAre, go } = running();
  const range: KeyRange = { columns: ['id'], from: ['1'], to: null, excludesFrom: true, includesNull: false };
  const newRows: Split = {
    name: 'new',
    part: 'a',
    estimatedRows: 1,
    members: ['a', 'b'].map((part) => ({ name: part, part, range })),
  };
  const { done, handle } = await start([split('a', 0), split('b', 0), split('b', 1), newRows], {
    channels: 4,
    sourceLimits: { maxConnections: 1 },
  });
  await atWorkAre('a0', 'b0');
  go('a0');
  await until('a place is free for it', 10_000, async () => expect(handle.slots).toMatchObject({ running: 1, waiting: 2 }));
  go('b0');
  await atWorkAre('b1');
  go('b1');
  await atWorkAre('new');
  go('new');
  expect(await done).toMatchObject({ state: 'done', rows: { written: 5 } });
});
