import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runJob } from '../../../core/controller/run-job.ts';
import type { Job } from '../../../core/job/load-job.ts';
import { findRun, type RunLedger, reopenRun } from '../../../core/ledger/run-store.ts';
import { DrayError, type ErrorCode } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import type { TaskOutcome, TaskSpec } from '../../../core/task/spec.ts';
import { dispatched } from '../../support/dispatched.ts';
import { countingReader, fakeJob, fakeWriter, listening } from '../../support/fake-plugins.ts';
import { inThisThread, unheard } from '../../support/in-this-thread.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { tempFolder } from '../../support/temp-folder.ts';

type Fail = (spec: TaskSpec) => ErrorCode | undefined;

/** Runs a job with plugins from memory; `fails` says which attempts end before they begin. */
async function run(job: Job, ledger: RunLedger, fails: Fail = () => undefined) {
  const { heard, listener } = listening();
  const attempts: [task: number, attempt: number][] = [];
  const report = await runJob(job, {
    ledger,
    channels: undefined,
    ...dispatched(),
    executor: inThisThread(async (_lane, spec, taskListener, signal): Promise<TaskOutcome> => {
      attempts.push([spec.id, spec.attempt]);
      const { reader, writer } = job.contents[spec.content]!;
      const code = fails(spec);
      if (code === undefined) return runTask(spec, { reader: reader.plugin, writer: writer.plugin }, taskListener, signal);
      const error = new DrayError(code, `planned ${code}`, { side: 'target' }).toWire();
      return { state: 'failed', counters: { ...zero }, error };
    }),
    signal: new AbortController().signal,
    listener: { ...listener, ...unheard },
  });
  return { report, heard, attempts };
}

const zero = {
  rowsRead: 0,
  rowsWritten: 0,
  rowsDirty: 0,
  rowsFiltered: 0,
  bytesRead: 0,
  bytesWritten: 0,
  readerWaitMs: 0,
  writerWaitMs: 0,
};
const splits = Array.from({ length: 3 }, (_, part) => ({ name: `part ${part}`, part, estimatedRows: 10 }));

test('what can pass is tried again, with a higher attempt, and every attempt is in the report', async () => {
  const writer = fakeWriter();
  const job = fakeJob(countingReader(10, splits).plugin, writer.plugin);
  const { report, heard } = await run(job, await newLedger(), ({ id, attempt }) => (id === 1 && attempt < 3 ? 'CONFLICT' : undefined));
  expect(report).toMatchObject({ state: 'done', rows: { read: 30, written: 30 } });
  expect(report.tasks[1]!.attempts.map(({ attempt, state, error }) => [attempt, state, error?.code])).toEqual([
    [1, 'failed', 'CONFLICT'],
    [2, 'failed', 'CONFLICT'],
    [3, 'done', undefined],
  ]);
  expect(writer.committed).toHaveLength(30);
  expect(heard.warnings).toEqual([
    expect.stringMatching(/task 1 \(part 1\).*attempt 2: planned CONFLICT/),
    expect.stringContaining('attempt 3'),
  ]);
});

test('after the last attempt the run fails with its error, and what is committed can be resumed', async () => {
  const job = fakeJob(countingReader(10, splits).plugin, fakeWriter().plugin, { maxAttempts: 3 });
  const { report } = await run(job, await newLedger(), ({ id }) => (id === 2 ? 'CONNECTION_LOST' : undefined));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'CONNECTION_LOST' }, isResumable: true });
  expect(report.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 3]);
});

test('what cannot pass is not tried again', async () => {
  const job = fakeJob(countingReader(10, splits).plugin, fakeWriter().plugin);
  const { report, attempts } = await run(job, await newLedger(), ({ id }) => (id === 1 ? 'PERMISSION_DENIED' : undefined));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'PERMISSION_DENIED' } });
  expect(report).not.toHaveProperty('isResumable');
  expect(attempts).toEqual([
    [0, 1],
    [1, 1],
  ]);
});

test('a task that kills its threads is set aside, the others and the other contents finish, and the run fails', async () => {
  const [writer, other] = [fakeWriter(), fakeWriter()];
  const first = fakeJob(countingReader(10, splits).plugin, writer.plugin);
  const job = { ...first, contents: [...first.contents, ...fakeJob(countingReader(5).plugin, other.plugin).contents] };
  const { report, attempts } = await run(job, await newLedger(), ({ id }) => (id === 0 ? 'WORKER_DIED' : undefined));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'POISON_TASK', place: 'part 0' }, isResumable: true });
  expect(report.tasks.map(({ state }) => state)).toEqual(['failed', 'done', 'done', 'done']);
  expect(attempts.filter(([id]) => id === 0)).toHaveLength(3);
  expect(writer.events.some((event) => event.startsWith('publish'))).toBe(false);
  expect(writer.events).not.toContain('discard');
  expect(other.events).toContain('publish [3]');
});

test('a thread that died after it was told to commit is not simply started again', async () => {
  const dying = fakeWriter({
    beforeCommit: (task) => {
      if (task === 0) throw new DrayError('WORKER_DIED', 'gone');
    },
  });
  const { report } = await run(fakeJob(countingReader(10, splits).plugin, dying.plugin), await newLedger());
  expect(report).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNKNOWN', side: 'target', place: 'part 0' } });
});

test('dirty records of an attempt that failed do not count against the limit, nor in the report', async () => {
  let commits = 0;
  const writer = fakeWriter({
    refuses: ([cell]) => cell === '5',
    beforeCommit: () => {
      if (++commits === 1) throw new DrayError('CONFLICT', 'deadlock');
    },
  });
  const ledger = await newLedger();
  const { report } = await run(fakeJob(countingReader(10).plugin, writer.plugin, { maxDirtyRecords: 1 }), ledger);
  expect(report).toMatchObject({
    state: 'done',
    rows: { read: 10, written: 9, dirty: 1 },
    quarantine: expect.stringContaining('dirty.jsonl'),
  });
  expect((await ledger.quarantine.rows()).map(({ attempt, cells }) => [attempt, cells])).toEqual([
    [1, { c0: '5' }],
    [2, { c0: '5' }],
  ]);
});

test('a resumed run moves only what is missing, by the plan of the first process', async () => {
  const state = tempFolder();
  const writer = fakeWriter();
  const reader = countingReader(10, splits);
  const job = fakeJob(reader.plugin, writer.plugin, { maxAttempts: 1 });
  const ledger = await newLedger(state);
  const first = await run(job, ledger, ({ id }) => (id === 1 ? 'CONNECTION_LOST' : undefined));
  expect(first.report.isResumable).toBe(true);
  const again = await reopenRun(await findRun(state, ledger.run));
  const second = await run(job, again);
  expect(second.attempts).toEqual([
    [1, 1001],
    [2, 1001],
  ]);
  expect(second.report).toMatchObject({ run: ledger.run, state: 'done', rows: { read: 30, written: 30 } });
  expect(second.report.tasks.map(({ state: is, isFromEarlierProcess }) => [is, isFromEarlierProcess])).toEqual([
    ['done', true],
    ['done', undefined],
    ['done', undefined],
  ]);
  expect(writer.committed).toHaveLength(30);
  expect(writer.events.filter((event) => event.startsWith('publish'))).toEqual(['publish [0,1,2]']);
  expect((await findRun(state, ledger.run)).state).toBe('done');
});

test('a resumed run whose source has other columns now is refused', async () => {
  const state = tempFolder();
  const ledger = await newLedger(state);
  const job = fakeJob(countingReader(10, splits).plugin, fakeWriter().plugin, { maxAttempts: 1 });
  await run(job, ledger, ({ id }) => (id === 1 ? 'CONNECTION_LOST' : undefined));
  const schema = { columns: [{ name: 'other', type: 'string' as const, isNullable: true }] };
  const { fakeReader } = await import('../../support/fake-plugins.ts');
  const changed = fakeJob(fakeReader({ schema, splits }).plugin, fakeWriter().plugin);
  const { report } = await run(changed, await reopenRun(await findRun(state, ledger.run)));
  expect(report).toMatchObject({
    state: 'failed',
    error: { code: 'SCHEMA_CHANGED', side: 'source', message: expect.stringContaining('other (string)') },
  });
});

test('a process that has lost its run commits nothing more', async () => {
  const state = tempFolder();
  const ledger = await newLedger(state);
  const { writeFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const writer = fakeWriter({
    beforeWrite: () => writeFileSync(join(state, 'runs', ledger.run, 'owner-2.json'), '{}'),
  });
  const { report } = await run(fakeJob(countingReader(10).plugin, writer.plugin), ledger);
  expect(report).toMatchObject({ state: 'failed', error: { code: 'RUN_TAKEN_OVER' } });
  expect(writer.committed).toEqual([]);
  expect(writer.events).not.toContain('discard');
});

test.each([
  ['at-least-once', undefined, 'at-least-once'],
  ['exactly-once-if-possible', undefined, 'at-least-once'],
] as const)('a writer without a ledger: %s', async (guarantee, _, expected) => {
  const { report, heard } = await run(fakeJob(countingReader(3).plugin, fakeWriter().plugin, { guarantee }), await newLedger());
  expect(report).toMatchObject({ state: 'done', guarantee: expected });
  expect(heard.warnings).toHaveLength(guarantee === 'at-least-once' ? 0 : 1);
});

test('exactly-once is refused where the writer cannot do it, before anything is changed', async () => {
  const writer = fakeWriter();
  const { report } = await run(fakeJob(countingReader(3).plugin, writer.plugin, { guarantee: 'exactly-once' }), await newLedger());
  expect(report).toMatchObject({ state: 'failed', error: { code: 'GUARANTEE_IMPOSSIBLE', side: 'target' } });
  expect(writer.events).toEqual(['discard', 'close']);
});

test('a share of dirty records that cannot become small enough any more stops the run at once', async () => {
  const reader = countingReader(100_000, [{ name: 'all', estimatedRows: 100 }]);
  const writer = fakeWriter({ refuses: () => true, beforeWrite: () => wait(1) });
  const job = fakeJob(reader.plugin, writer.plugin, { maxDirtyRecords: null, maxDirtyShare: 0.1 });
  const { report } = await run(job, await newLedger());
  expect(report).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' } });
  expect(report.rows.dirty).toBeLessThan(100_000);
});
