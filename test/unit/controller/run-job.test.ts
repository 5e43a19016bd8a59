import { afterEach, expect, test, vi } from 'vitest';
import { type RunOptions, runJob } from '../../../core/controller/run-job.ts';
import type { Job } from '../../../core/job/load-job.ts';
import { DrayError } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { dispatched } from '../../support/dispatched.ts';
import { countingReader, fakeJob, fakeReader, fakeWriter, listening, pushRows } from '../../support/fake-plugins.ts';
import { inThisThread, unheard } from '../../support/in-this-thread.ts';
import { newLedger } from '../../support/new-ledger.ts';

afterEach(() => void vi.useRealTimers());

/** Runs a job whose plugins are values, and not modules: tasks run here, with the plugins of their content. */
async function run(job: Job, options: Partial<RunOptions> = {}) {
  const { heard, listener } = listening();
  const started: object[] = [];
  const report = await runJob(job, {
    ledger: await newLedger(),
    channels: undefined,
    ...dispatched(),
    executor: inThisThread((_lane, spec, taskListener, signal) => {
      const { reader, writer } = job.contents[spec.content]!;
      return runTask(spec, { reader: reader.plugin, writer: writer.plugin }, taskListener, signal);
    }),
    signal: new AbortController().signal,
    listener: {
      ...listener,
      ...unheard,
      contentStarts: (_content, facts) => started.push(facts),
    },
    ...options,
  });
  return { report, heard, started };
}

const splits = Array.from({ length: 4 }, (_, part) => ({ name: `part ${part}`, part, estimatedRows: 10 }));

test('a job that succeeds reports every task, content and sum', async () => {
  const writer = fakeWriter();
  const { report, started } = await run(fakeJob(countingReader(10, splits).plugin, writer.plugin, { channels: 2 }));
  expect(report).toMatchObject({ job: 'fake', state: 'done', channels: 2, rows: { read: 40, written: 40, dirty: 0, filtered: 0 } });
  expect(report.run).toMatch(/^\d{8}-\d{6}-[0-9a-f]{6}$/);
  expect(report.tasks.map(({ id, split, state }) => [id, split, state])).toEqual(splits.map(({ name }, id) => [id, name, 'done']));
  expect(report.contents).toMatchObject([{ reader: 'fake', writer: 'fake', state: 'done', tasks: 4, rows: { written: 40 } }]);
  expect(report).not.toHaveProperty('error');
  expect(started).toEqual([{ reader: 'fake', writer: 'fake', tasks: 4, estimatedRows: 40 }]);
});

test('how many tasks there will be is told before the target is opened', async () => {
  const writer = fakeWriter();
  const job = fakeJob(countingReader(1, splits).plugin, writer.plugin, { channels: 2 });
  const told: unknown[] = [];
  const { report } = await run(job, {
    getReady: (tasks, channels, content) => told.push([tasks, channels, content === job.contents[0], [...writer.events]]),
  });
  expect(report.state).toBe('done');
  expect(told).toEqual([[4, 2, true, []]]);
});

test('the target is prepared before the first task, published once after the last, and then closed', async () => {
  const writer = fakeWriter();
  await run(fakeJob(countingReader(1, splits).plugin, writer.plugin));
  expect(writer.events[0]).toBe('prepare');
  expect(writer.events.filter((event) => event.startsWith('commit'))).toHaveLength(4);
  expect(writer.events.slice(-2)).toEqual(['publish [0,1,2,3]', 'close']);
  expect(writer.events).not.toContain('discard');
});

test('every content runs, one after the other, with tasks numbered through', async () => {
  const [first, second] = [fakeWriter(), fakeWriter()];
  const job = fakeJob(countingReader(3).plugin, first.plugin);
  const other = fakeJob(countingReader(4).plugin, second.plugin);
  const { report } = await run({ ...job, contents: [...job.contents, { ...other.contents[0]!, entry: 1 }] });
  expect(report.tasks.map(({ id, content, rows }) => [id, content, rows.written])).toEqual([
    [0, 0, 3],
    [1, 1, 4],
  ]);
  expect(report.rows.written).toBe(7);
});

test('a source that cannot be read keeps every target of the job untouched', async () => {
  const writer = fakeWriter();
  const broken = fakeReader({});
  const job = fakeJob(countingReader(3).plugin, writer.plugin);
  const failing = fakeJob(
    { ...broken.plugin, open: () => Promise.reject(new DrayError('CONNECT_FAILED', 'nobody there')) },
    fakeWriter().plugin,
  );
  const { report } = await run({ ...job, contents: [...job.contents, ...failing.contents] });
  expect(report).toMatchObject({ state: 'failed', error: { code: 'CONNECT_FAILED', side: 'source' }, rows: { read: 0 } });
  expect(report.contents.map(({ state }) => state)).toEqual(['not started', 'not started']);
  expect(writer.events).toEqual(['close']);
});

test('when one task fails the others stop, the content is discarded, and the first failure is the one reported', async () => {
  const reader = fakeReader({
    splits,
    async read(split, out) {
      if (split.part === 1) throw new DrayError('SQL_FAILED', 'no such thing');
      await pushRows(out, Number.POSITIVE_INFINITY);
    },
  });
  const writer = fakeWriter();
  const { report } = await run(fakeJob(reader.plugin, writer.plugin, { channels: 2 }));
  expect(report).toMatchObject({
    state: 'failed',
    error: { code: 'SQL_FAILED', side: 'source', place: 'part 1' },
    rows: { read: 0, written: 0 },
  });
  expect(report.error).not.toHaveProperty('stack');
  expect(report.tasks.map(({ state }) => state)).toEqual(['failed', 'failed', 'not started', 'not started']);
  expect(writer.events).toContain('discard');
  expect(writer.events.some((event) => event.startsWith('publish'))).toBe(false);
});

test('a content that fails keeps the ones behind it from starting', async () => {
  const broken = fakeWriter({ prepare: () => Promise.reject(new DrayError('TABLE_MISSING', 'no table')) });
  const behind = fakeWriter();
  const job = fakeJob(countingReader(3).plugin, broken.plugin);
  const other = fakeJob(countingReader(3).plugin, behind.plugin);
  const { report } = await run({ ...job, contents: [...job.contents, ...other.contents] });
  expect(report).toMatchObject({ state: 'failed', error: { code: 'TABLE_MISSING', side: 'target' } });
  expect(report.contents.map(({ state }) => state)).toEqual(['failed', 'not started']);
  expect(behind.events).toEqual(['close']);
});

test('dirty records are counted over all tasks of the job', async () => {
  const refuses = ([cell]: readonly unknown[]) => cell === '5';
  const limited = (maxDirtyRecords: number) =>
    run(fakeJob(countingReader(10, splits).plugin, fakeWriter({ refuses }).plugin, { channels: 2, maxDirtyRecords }));
  expect((await limited(4)).report).toMatchObject({ state: 'done', rows: { read: 40, written: 36, dirty: 4, filtered: 0 } });
  const { report, heard } = await limited(3);
  expect(report).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' }, rows: { dirty: 4 } });
  expect(heard.dirty).toHaveLength(4);
});

test('a share of dirty records is looked at over the whole content, before anything is published', async () => {
  const refuses = ([cell]: readonly unknown[]) => cell === '5';
  const shared = async (maxDirtyShare: number) => {
    const writer = fakeWriter({ refuses });
    const job = fakeJob(countingReader(10, splits).plugin, writer.plugin, { maxDirtyRecords: null, maxDirtyShare });
    return { ...(await run(job)), writer };
  };
  expect((await shared(0.1)).report.state).toBe('done');
  const { report, writer } = await shared(0.09);
  expect(report).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT', message: expect.stringContaining('4 of 40') } });
  expect(writer.events.some((event) => event.startsWith('publish'))).toBe(false);
});

test('a report always adds up: read = written + filtered + dirty, for each task, content and in all', async () => {
  const refuses = ([cell]: readonly unknown[]) => cell === '5';
  for (const maxDirtyRecords of [0, 2, 4]) {
    const { report } = await run(
      fakeJob(countingReader(10, splits).plugin, fakeWriter({ refuses }).plugin, { channels: 3, maxDirtyRecords }),
    );
    for (const { rows } of [report, ...report.tasks, ...report.contents]) expect(rows.read).toBe(rows.written + rows.filtered + rows.dirty);
  }
});

test('different numbers of columns on both sides are refused before a row moves', async () => {
  const writer = fakeWriter({ schema: textSchema(2) });
  const { report } = await run(fakeJob(countingReader(3).plugin, writer.plugin));
  expect(report.error).toMatchObject({
    code: 'COLUMN_COUNT',
    message: 'the reader delivers 1 column (c0) and the writer takes 2 (c0, c1)',
  });
  expect(report.tasks).toEqual([]);
});

test('a cancelled run says so, and discards', async () => {
  const cancel = new AbortController();
  const reader = fakeReader({ read: (_split, out) => pushRows(out, Number.POSITIVE_INFINITY) });
  const writer = fakeWriter({ beforeWrite: () => cancel.abort(new DrayError('CANCELLED', 'stopped by Ctrl-C')) });
  const { report } = await run(fakeJob(reader.plugin, writer.plugin), { signal: cancel.signal });
  expect(report).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' }, rows: { read: 0 } });
  expect(writer.events).toEqual(['prepare', 'abort 0', 'close', 'discard', 'close']);
});

test('a run cancelled before it starts opens nothing at the target', async () => {
  const cancel = new AbortController();
  cancel.abort(new DrayError('CANCELLED', 'early'));
  const writer = fakeWriter();
  const { report } = await run(fakeJob(countingReader(1).plugin, writer.plugin), { signal: cancel.signal });
  expect(report.state).toBe('cancelled');
  expect(writer.events).toEqual([]);
});

test('a plugin that does not heed the cancellation while the target is prepared is not waited for', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const cancel = new AbortController();
  const writer = fakeWriter({
    prepare: () => {
      cancel.abort(new DrayError('CANCELLED', 'stopped'));
      return new Promise(() => undefined);
    },
  });
  const running = run(fakeJob(countingReader(1).plugin, writer.plugin), { signal: cancel.signal });
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
  await vi.advanceTimersByTimeAsync(3000);
  expect((await running).report).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
});

test('a publish that fails fails the job as the target', async () => {
  const writer = fakeWriter({ publish: () => Promise.reject(new DrayError('SQL_FAILED', 'postSql')) });
  const { report } = await run(fakeJob(countingReader(3).plugin, writer.plugin));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'SQL_FAILED', side: 'target' } });
  expect(report.contents[0]).toMatchObject({ state: 'failed' });
});

test('a discard that fails is a warning, and the first failure stays the one reported', async () => {
  const writer = fakeWriter({
    beforeCommit: () => Promise.reject(new DrayError('DISK_FULL', 'full')),
    discard: () => Promise.reject(new Error('cannot remove')),
  });
  const { report, heard } = await run(fakeJob(countingReader(3).plugin, writer.plugin));
  expect(report.error).toMatchObject({ code: 'DISK_FULL' });
  expect(heard.warnings).toEqual([expect.stringContaining('cannot remove')]);
});
