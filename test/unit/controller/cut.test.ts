import { expect, test } from 'vitest';
import { runJob } from '../../../core/controller/run-job.ts';
import { findRun, type RunLedger, reopenRun } from '../../../core/ledger/run-store.ts';
import { DrayError, type ErrorCode, type Split } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import type { TaskSpec } from '../../../core/task/spec.ts';
import { dispatched } from '../../support/dispatched.ts';
import { fakeJob, fakeReader, fakeWriter, listening } from '../../support/fake-plugins.ts';
import { inThisThread, unheard } from '../../support/in-this-thread.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const parts = Array.from({ length: 6 }, (_, part): Split => ({ name: 'long', part, estimatedRows: 1 }));
const splits: Split[] = [
  { name: 'long', members: parts, estimatedRows: 6 },
  { name: 'short', part: 'short', estimatedRows: 1 },
];

/** A job with a long task, whose first part waits for `mayGoOn`, and a short one. */
function slowJob(mayGoOn: () => boolean, writer = fakeWriter()) {
  const read: unknown[] = [];
  const { plugin } = fakeReader({
    splits,
    async read({ part }, out) {
      read.push(part);
      if (part === 0)
        await until('the other thread has read its part', 20_000, async () => {
          if (!mayGoOn()) throw new Error('not yet');
        });
      if (!out.push([`${part as number | string}`])) await out.drain();
    },
  });
  return { read, writer, job: fakeJob(plugin, writer.plugin, { channels: 2, maxAttempts: 2 }) };
}

async function run(
  { job }: ReturnType<typeof slowJob>,
  ledger: RunLedger,
  fails: (spec: TaskSpec) => ErrorCode | undefined = () => undefined,
) {
  const { heard, listener } = listening();
  const cuts = new Map<number, () => number | undefined>();
  const report = await runJob(job, {
    ledger,
    channels: undefined,
    ...dispatched(),
    executor: inThisThread(
      async (lane, spec, taskListener, signal) => {
        const code = fails(spec);
        const { reader, writer } = job.contents[0]!;
        const refusing = { ...taskListener, mayCommit: async () => Promise.reject(new DrayError(code ?? 'INTERNAL', 'planned')) };
        const listening = {
          ...(code === undefined ? taskListener : refusing),
          cuttable: (cut: () => number | undefined) => cuts.set(lane, cut),
        };
        return runTask(spec, { reader: reader.plugin, writer: writer.plugin }, listening, signal);
      },
      async (lane) => cuts.get(lane)?.(),
    ),
    signal: new AbortController().signal,
    listener: { ...listener, ...unheard },
  });
  return { report, heard };
}

const numbers = (cells: (string | null)[][]) => cells.map(([cell]) => cell ?? '').toSorted((a, b) => a.localeCompare(b));
const everyRow = ['0', '1', '2', '3', '4', '5', 'short'];

test('a thread that is idle takes over half of what the longest task has not begun, and every row is moved once', async () => {
  const slow = slowJob(() => slow.read.includes(5));
  const { report, heard } = await run(slow, await newLedger());
  expect(report).toMatchObject({ state: 'done', rows: { read: 7, written: 7 } });
  expect(numbers(slow.writer.committed)).toEqual(everyRow);
  // Five parts were not begun: three go; and again when the thread is idle once more.
  expect(heard.decisions).toContainEqual(expect.stringMatching(/task 0 \(long\) gives 3 of its parts to task 500000: a thread is idle/));
  expect(report.tasks.map(({ id, state }) => [id, state])).toContainEqual([500_000, 'done']);
  expect(report.tasks.length).toBe(report.contents[0]!.tasks);
});

test('the rest of a task that was cut is tried again like any other', async () => {
  const slow = slowJob(() => slow.read.includes(5));
  const { report } = await run(slow, await newLedger(), ({ id, attempt }) => (id === 500_000 && attempt === 1 ? 'CONFLICT' : undefined));
  expect(report.state).toBe('done');
  expect(numbers(slow.writer.committed)).toEqual(everyRow);
});

test('a run that is resumed knows what was cut: what is committed stays, what was given away and not committed comes', async () => {
  const state = tempFolder();
  const ledger = await newLedger(state);
  const writer = fakeWriter();
  const slow = slowJob(() => slow.read.includes(5), writer);
  const first = await run(slow, ledger, ({ id }) => (id === 500_000 ? 'CONFLICT' : undefined));
  expect(first.report).toMatchObject({ state: 'failed', isResumable: true });
  const before = writer.committed.length;
  expect(before).toBeGreaterThan(0);
  const again = slowJob(() => true, writer);
  const second = await run(again, await reopenRun(await findRun(state, ledger.run)));
  expect(second.report.state).toBe('done');
  expect(numbers(writer.committed)).toEqual(everyRow);
  expect(again.read.length).toBe(everyRow.length - before);
});
