import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrayError, defineWriter, type ReaderPlugin, type WriterPlugin, z } from '../../../core/sdk/index.ts';
import { ownReader } from '../../../core/task/reader-source.ts';
import { runTogether } from '../../../core/task/run-together.ts';
import type { TaskSpec } from '../../../core/task/spec.ts';
import { countingReader, fakeReader, fakeTask, fakeWriter, listening, pushRows } from '../../support/fake-plugins.ts';

/** Runs tasks 0, 1, … that write what is read once. */
async function run(reader: ReaderPlugin, writers: readonly WriterPlugin[], facts: Partial<TaskSpec> = {}, cancel = new AbortController()) {
  const heard = writers.map(() => listening());
  const [first, ...beside] = writers.map((_, id) => fakeTask({ ...facts, id, dirtyCount: new SharedArrayBuffer(4) }));
  const outcome = await runTogether(
    { ...first!, beside },
    writers.map((writer) => ({ reader, writer })),
    { ...heard[0]!.listener, beside: (task) => heard[task]!.listener },
    cancel.signal,
    ownReader(reader, first!.reader),
  );
  return { outcomes: [outcome, ...outcome.beside!], heard: heard.map((one) => one.heard) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, row) => [String(row)]);
const broken = new DrayError('DISK_FULL', 'no room', { side: 'target' });

test('the slowest task makes the reader wait: nothing is read ahead of what the channels hold', async () => {
  let read = 0;
  const reader = fakeReader({
    read: async (_split, out) => {
      for (; read < 2000; read++) if (!out.push([String(read)])) await out.drain();
    },
  });
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const fast = fakeWriter();
  const slow = fakeWriter({ beforeWrite: () => gate });
  const running = run(reader.plugin, [fast.plugin, slow.plugin]);
  await expect.poll(() => read).toBeGreaterThan(40);
  await wait(100);
  // One batch of ten rows is being written, four fill the channel, and another one waits or is being filled.
  expect(read).toBeLessThanOrEqual(70);
  open();
  await running;
  expect([fast.committed, slow.committed]).toEqual([numbers(2000), numbers(2000)]);
});

test('the memory of a batch is used again only when no task looks at it any more', async () => {
  const reader = countingReader(3000);
  const delayed = (every: number) => {
    let writes = 0;
    return fakeWriter({ beforeWrite: () => (++writes % every === 0 ? wait(1) : undefined) });
  };
  const writers = [delayed(2), delayed(7), fakeWriter()];
  await run(
    reader.plugin,
    writers.map(({ plugin }) => plugin),
  );
  for (const { committed } of writers) expect(committed).toEqual(numbers(3000));
});

test('each task counts read = written + filtered + dirty, and knows the places of its dirty records', async () => {
  const kind = fc.constantFrom('good', 'refused', 'rejected');
  await fc.assert(
    fc.asyncProperty(fc.array(kind, { maxLength: 60 }), async (kinds) => {
      const reader = fakeReader({
        async read(_split, out) {
          for (const [row, one] of kinds.entries()) {
            if (one === 'rejected') out.reject(new DrayError('ROW_REJECTED', 'no record'));
            else if (!out.push([`${one} ${row}`])) await out.drain();
          }
        },
      });
      const [picky, calm] = [fakeWriter({ refuses: ([cell]) => cell!.startsWith('refused') }), fakeWriter()];
      const { outcomes, heard } = await run(reader.plugin, [picky.plugin, calm.plugin], { maxDirtyRecords: null });
      const count = (wanted: string) => kinds.filter((one) => one === wanted).length;
      const [refused, rejected, rowsRead] = [count('refused'), count('rejected'), kinds.length];
      expect(outcomes.map(({ counters }) => counters)).toMatchObject([
        { rowsRead, rowsWritten: count('good'), rowsDirty: refused + rejected },
        { rowsRead, rowsWritten: count('good') + refused, rowsDirty: rejected },
      ]);
      const places = kinds.flatMap((one, row) => (one === 'rejected' ? [row + 1] : []));
      for (const { dirty } of heard) expect(dirty.filter(({ side }) => side === 'source').map(({ row }) => row)).toEqual(places);
    }),
    { numRuns: 50 },
  );
});

test('a task that may be left out leaves the others alone', async () => {
  let writes = 0;
  const bad = fakeWriter({ beforeWrite: () => (++writes === 3 ? Promise.reject(broken) : undefined) });
  const good = fakeWriter();
  const { outcomes } = await run(countingReader(500).plugin, [bad.plugin, good.plugin], { onFailure: 'go-on' });
  expect(outcomes).toMatchObject([{ state: 'failed', error: { code: 'DISK_FULL' } }, { state: 'done' }]);
  expect([bad.committed, good.committed]).toEqual([[], numbers(500)]);
  expect(bad.events).toContain('abort 0');
});

test('a task that must not fail ends the others, with its error', async () => {
  const endless = fakeReader({
    read: async (_split, out, signal) => {
      while (!signal.aborted) await pushRows(out, 10);
      signal.throwIfAborted();
    },
  });
  const bad = fakeWriter({ beforeWrite: () => Promise.reject(broken) });
  const good = fakeWriter();
  const { outcomes } = await run(endless.plugin, [good.plugin, bad.plugin]);
  expect(outcomes).toMatchObject([1, 2].map(() => ({ state: 'failed', error: { code: 'DISK_FULL' } })));
  expect(good.committed).toEqual([]);
  expect(endless.events).toEqual(['read all', 'close']);
});

test('when all tasks have failed the reader is stopped', async () => {
  const endless = fakeReader({
    read: async (_split, out, signal) => {
      while (!signal.aborted) await pushRows(out, 10);
      signal.throwIfAborted();
    },
  });
  const bad = () => fakeWriter({ beforeWrite: () => Promise.reject(broken) }).plugin;
  const { outcomes } = await run(endless.plugin, [bad(), bad()], { onFailure: 'go-on' });
  expect(outcomes.map(({ state }) => state)).toEqual(['failed', 'failed']);
  expect(endless.events).toEqual(['read all', 'close']);
});

test('what an earlier attempt has committed is not written again, and keeps nobody waiting', async () => {
  const tally = {
    rowsRead: 50,
    rowsWritten: 50,
    rowsDirty: 0,
    rowsFiltered: 0,
    bytesRead: 1,
    bytesWritten: 1,
    readerWaitMs: 0,
    writerWaitMs: 0,
  };
  const known = defineWriter({
    name: 'known',
    summary: 'Has everything',
    options: z.strictObject({}),
    open: () => ({
      inspect: (schema) => ({ schema }),
      openTask: async () => ({
        earlier: { commit: 'before', tally: { ...tally, attempt: 7 } },
        write: () => Promise.reject(new Error('written twice')),
        commit: () => Promise.reject(new Error('committed twice')),
        abort: async () => undefined,
      }),
    }),
  });
  const missing = fakeWriter();
  const { outcomes } = await run(countingReader(50).plugin, [known, missing.plugin], { guarantee: 'exactly-once' });
  expect(outcomes).toMatchObject([
    { state: 'done', commit: 'before', attempt: 7, counters: { rowsWritten: 50 } },
    { state: 'done', commit: 1, attempt: 1 },
  ]);
  expect(missing.committed).toEqual(numbers(50));
});

test('a pack of small splits is read part by part, each once', async () => {
  const members = Array.from({ length: 5 }, (_, part) => ({ name: `part ${part}`, part }));
  const reader = countingReader(7);
  const [one, two] = [fakeWriter(), fakeWriter({ beforeWrite: () => wait(1) })];
  await run(reader.plugin, [one.plugin, two.plugin], { split: { name: 'pack', members } });
  expect(reader.events).toEqual([...members.map(({ name }) => `read ${name}`), 'close']);
  expect(one.committed).toHaveLength(35);
  expect(two.committed).toEqual(one.committed);
});
