import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrayError, type ReaderPlugin, type TaskFacts, type WriterPlugin } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import { type TaskSpec, zeroCounters } from '../../../core/task/spec.ts';
import { countingReader, fakeReader, fakeTask, fakeWriter, listening, pushRows } from '../../support/fake-plugins.ts';

async function run(reader: ReaderPlugin, writer: WriterPlugin, facts: Partial<TaskSpec> = {}, cancel = new AbortController()) {
  const { heard, listener } = listening();
  const outcome = await runTask(fakeTask(facts), { reader, writer }, listener, cancel.signal);
  return { outcome, heard };
}

const numbers = (count: number) => Array.from({ length: count }, (_, row) => [String(row)]);

test('all rows of the reader are committed once, in order, and both ends are closed', async () => {
  const reader = countingReader(25);
  const writer = fakeWriter();
  const { outcome } = await run(reader.plugin, writer.plugin);
  expect(outcome).toMatchObject({ state: 'done', commit: 0, counters: { rowsRead: 25, rowsWritten: 25, rowsDirty: 0 } });
  expect(writer.committed).toEqual(numbers(25));
  expect(writer.events).toEqual(['commit 0', 'close']);
  expect(reader.events).toEqual(['read all', 'close']);
});

test('rows.read = written + filtered + dirty, whichever rows either side refuses', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('good', 'refused', 'rejected'), { maxLength: 60 }), async (kinds) => {
      const reader = fakeReader({
        async read(_split, out) {
          for (const [row, kind] of kinds.entries()) {
            if (kind === 'rejected') out.reject(new DrayError('ROW_REJECTED', 'no record'));
            else if (!out.push([`${kind} ${row}`])) await out.drain();
          }
        },
      });
      const writer = fakeWriter({ refuses: ([cell]) => cell!.startsWith('refused') });
      const { outcome, heard } = await run(reader.plugin, writer.plugin, { maxDirtyRecords: null });
      const { rowsRead, rowsWritten, rowsDirty, rowsFiltered } = outcome.counters;
      expect(outcome.state).toBe('done');
      expect(rowsRead).toBe(kinds.length);
      expect(rowsRead).toBe(rowsWritten + rowsFiltered + rowsDirty);
      expect(writer.committed.map(([cell]) => cell)).toEqual(kinds.flatMap((kind, row) => (kind === 'good' ? [`good ${row}`] : [])));
      expect(heard.dirty).toHaveLength(rowsDirty);
      expect(heard.last).toMatchObject({ rowsRead, rowsWritten, rowsDirty });
    }),
  );
});

test('a refused row is told with its side, task, place and reason, and kept for the quarantine', async () => {
  const writer = fakeWriter({ refuses: ([cell]) => cell === '17' });
  const { heard } = await run(countingReader(25).plugin, writer.plugin, { id: 3, maxDirtyRecords: 1 });
  expect(heard.dirty).toEqual([{ side: 'target', task: 3, split: 'all', row: 18, cause: 'the target does not want it', cells: ['17'] }]);
});

test('a row that does not fit the target is dirty before the target sees it', async () => {
  const schema = { columns: [{ name: 'short', type: 'string' as const, isNullable: true, length: 1 }] };
  const writer = fakeWriter({ schema });
  const { outcome, heard } = await run(countingReader(12).plugin, writer.plugin, { target: { schema }, maxDirtyRecords: 2 });
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: 12, rowsWritten: 10, rowsDirty: 2 } });
  expect(heard.dirty.map(({ row, column }) => [row, column])).toEqual([
    [11, 'short'],
    [12, 'short'],
  ]);
});

test('one dirty record more than allowed fails the task, and nothing is committed', async () => {
  const reader = countingReader(100);
  const writer = fakeWriter({ refuses: ([cell]) => Number(cell) % 10 === 9 });
  const { outcome } = await run(reader.plugin, writer.plugin, { maxDirtyRecords: 2 });
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' }, counters: { rowsDirty: 3 } });
  expect(writer.committed).toEqual([]);
  expect(writer.events).toEqual(['abort 0', 'close']);
  expect(reader.events).toContain('close');
});

test('a reader that fails fails the task as the source, and what was written is undone', async () => {
  const reader = fakeReader({
    async read(_split, out) {
      await pushRows(out, 35);
      throw new DrayError('CONNECTION_LOST', 'the server went away');
    },
  });
  const writer = fakeWriter();
  const { outcome } = await run(reader.plugin, writer.plugin);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CONNECTION_LOST', side: 'source', place: 'all' } });
  expect(writer.events).toEqual(['abort 0', 'close']);
  expect(reader.events).toContain('close');
});

test('a reader that throws something of its own is a bug, not lost', async () => {
  const reader = fakeReader({ read: () => Promise.reject(new TypeError('undefined is not a function')) });
  const { outcome } = await run(reader.plugin, fakeWriter().plugin);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'INTERNAL', message: 'undefined is not a function' } });
});

test('a writer that fails stops the reader, however much it still has', async () => {
  const reader = fakeReader({ read: (_split, out) => pushRows(out, Number.POSITIVE_INFINITY) });
  const writer = fakeWriter({ beforeWrite: () => Promise.reject(new DrayError('DISK_FULL', 'full')) });
  const { outcome } = await run(reader.plugin, writer.plugin);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL', side: 'target' } });
  expect(writer.events).toEqual(['abort 0', 'close']);
});

test('a commit that fails fails the task, and the writer is asked to undo', async () => {
  const writer = fakeWriter({ beforeCommit: () => Promise.reject(new DrayError('CONNECTION_LOST', 'gone')) });
  const { outcome } = await run(countingReader(5).plugin, writer.plugin);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CONNECTION_LOST', side: 'target' } });
  expect(writer.events).toEqual(['abort 0', 'close']);
});

test.each(['reader', 'writer'] as const)('a %s that cannot be opened fails the task and lets the other side end', async (end) => {
  const reader = countingReader(1000);
  const writer = fakeWriter();
  const broken = () => Promise.reject(new DrayError('LOGIN_REFUSED', 'no'));
  const { outcome } = await run(
    end === 'reader' ? { ...reader.plugin, open: broken } : reader.plugin,
    end === 'writer' ? { ...writer.plugin, open: broken } : writer.plugin,
  );
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'LOGIN_REFUSED', side: end === 'reader' ? 'source' : 'target' } });
  expect(writer.committed).toEqual([]);
});

test('a cancelled task ends with the reason it was given, and undoes what it wrote', async () => {
  const cancel = new AbortController();
  const reader = fakeReader({ read: (_split, out) => pushRows(out, Number.POSITIVE_INFINITY) });
  let writes = 0;
  const writer = fakeWriter({
    beforeWrite: () => {
      if (++writes === 3) cancel.abort(new DrayError('CANCELLED', 'stopped by Ctrl-C'));
    },
  });
  const { outcome } = await run(reader.plugin, writer.plugin, {}, cancel);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CANCELLED', message: 'stopped by Ctrl-C' } });
  expect(writer.events).toEqual(['abort 0', 'close']);
});

test('a task cancelled before it starts moves nothing', async () => {
  const cancel = new AbortController();
  cancel.abort(new DrayError('CANCELLED', 'early'));
  const writer = fakeWriter();
  const { outcome } = await run(countingReader(5).plugin, writer.plugin, {}, cancel);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
  expect(writer.committed).toEqual([]);
});

test.each([
  { guarantee: 'at-least-once', readsFirst: true },
  { guarantee: 'exactly-once', readsFirst: false },
] as const)('under $guarantee reading begins before the target is open: $readsFirst', async ({ guarantee, readsFirst }) => {
  const reader = countingReader(25);
  const writer = fakeWriter();
  const open: WriterPlugin['open'] = async (...given) => {
    const target = await writer.plugin.open(...given);
    const openTask = async (facts: TaskFacts) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(reader.events.includes('read all')).toBe(readsFirst);
      return target.openTask(facts);
    };
    return { ...target, openTask };
  };
  const { outcome } = await run(reader.plugin, { ...writer.plugin, open }, { guarantee });
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsWritten: 25 } });
  expect(writer.committed).toEqual(numbers(25));
});

test('a task that is tried again reads when its target is open', async () => {
  const reader = countingReader(25);
  const writer = fakeWriter();
  const open = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new DrayError('CONNECT_FAILED', 'too many connections');
  };
  await run(reader.plugin, { ...writer.plugin, open }, { attempt: 2 });
  expect(reader.events).toEqual(['close']);
});

test('a pack gives none of its members away while an earlier attempt may have written them', async () => {
  const members = Array.from({ length: 6 }, (_, part) => ({ name: `part ${part}`, part }));
  const { listener } = listening();
  let cut: (() => number | undefined) | undefined;
  const writer = fakeWriter();
  const open: WriterPlugin['open'] = async (...given) => {
    const target = await writer.plugin.open(...given);
    return {
      ...target,
      openTask: async (facts) => {
        const opened = await target.openTask(facts);
        expect(cut!()).toBeUndefined();
        return { ...opened, earlier: { commit: 'before', tally: { ...zeroCounters(), attempt: 7 } } };
      },
    };
  };
  const spec = fakeTask({ guarantee: 'exactly-once', split: { name: 'pack', members } });
  const plugins = { reader: countingReader(1).plugin, writer: { ...writer.plugin, open } };
  const heard = { ...listener, cuttable: (how: () => number | undefined) => (cut = how) };
  expect(await runTask(spec, plugins, heard, new AbortController().signal)).toMatchObject({ state: 'done', commit: 'before', attempt: 7 });
});

test('a target that cannot be opened ends what is being read, and the reader is closed', async () => {
  let reading: AbortSignal | undefined;
  const reader = fakeReader({
    async read(_split, out, signal) {
      reading = signal;
      for (;;) if (!out.push(['a'])) await out.drain();
    },
  });
  const full = async () => {
    await expect.poll(() => reading).toBeDefined();
    throw new DrayError('CONNECT_FAILED', 'too many connections');
  };
  const { outcome } = await run(reader.plugin, { ...fakeWriter().plugin, open: full });
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CONNECT_FAILED', side: 'target' } });
  expect(reading!.aborted).toBe(true);
  expect(reader.events.at(-1)).toBe('close');
});

test('a reader that goes on pushing without drain is told so', async () => {
  const reader = fakeReader({
    async read(_split, out) {
      for (let row = 0; row < 1_000_000; row++) out.push(['x']);
    },
  });
  const { outcome } = await run(reader.plugin, fakeWriter().plugin);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'PLUGIN_BROKEN' } });
});

test('a row with too many cells fails the task: the reader does not keep to its schema', async () => {
  const reader = fakeReader({
    async read(_split, out) {
      out.push(['a', 'b']);
    },
  });
  expect((await run(reader.plugin, fakeWriter().plugin)).outcome).toMatchObject({ state: 'failed', error: { code: 'COLUMN_COUNT' } });
});

test('a text that is not Unicode is a dirty record of the source', async () => {
  const reader = fakeReader({
    async read(_split, out) {
      for (const cell of ['a', '\ud800', 'b']) out.push([cell]);
    },
  });
  const writer = fakeWriter();
  const { outcome, heard } = await run(reader.plugin, writer.plugin, { maxDirtyRecords: 1 });
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: 3, rowsWritten: 2, rowsDirty: 1 } });
  expect(heard.dirty).toMatchObject([{ side: 'source', row: 2 }]);
  expect(writer.committed).toEqual([['a'], ['b']]);
});
