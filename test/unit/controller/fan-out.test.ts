import { expect, test } from 'vitest';
import { newRunId } from '../../../core/controller/run-job.ts';
import { findRun, takeOverRun } from '../../../core/ledger/run-store.ts';
import { DrayError } from '../../../core/sdk/index.ts';
import { countingReader, fakeReader, fakeWriter, pushRows } from '../../support/fake-plugins.ts';
import { fanOutJob, runFanOut } from '../../support/fan-out.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const splits = Array.from({ length: 4 }, (_, part) => ({ name: `part ${part}`, part, estimatedRows: 10 }));
const broken = () => new DrayError('DISK_FULL', 'the disk is full', { side: 'target' });
const passing = () => new DrayError('CONFLICT', 'a deadlock', { side: 'target' });

test('the source is read once, and every target gets all rows', async () => {
  const reader = countingReader(25, splits);
  const [one, two, three] = [fakeWriter(), fakeWriter(), fakeWriter()];
  const { report } = await runFanOut(fanOutJob(reader.plugin, [one, two, three], { channels: 2 }));
  expect(report).toMatchObject({ state: 'done', rows: { read: 100, written: 300, dirty: 0, filtered: 0 } });
  expect(reader.events.filter((event) => event.startsWith('read'))).toHaveLength(4);
  for (const { committed, events } of [one, two, three]) {
    expect(committed).toHaveLength(100);
    expect(committed).toEqual(one.committed);
    expect(events.filter((event) => event.startsWith('publish'))).toHaveLength(1);
  }
  expect(report.contents).toHaveLength(1);
  expect(report.contents[0]).toMatchObject({ state: 'done', tasks: 4, rows: { read: 100, written: 300 } });
  const target = { writer: 'fake', state: 'done', rows: { read: 100, written: 100, dirty: 0, filtered: 0 } };
  expect(report.contents[0]!.targets).toMatchObject([target, target, target]);
  expect(report.tasks.map(({ id, content, target: number }) => [id, content, number])).toEqual(
    [0, 1, 2].flatMap((number) => [0, 1, 2, 3].map((place) => [4 * number + place, 0, number])),
  );
});

test('fail-all: one target that fails for good ends all of them, and none is published', async () => {
  const [good, bad] = [fakeWriter(), fakeWriter({ beforeWrite: () => Promise.reject(broken()) })];
  const { report } = await runFanOut(fanOutJob(countingReader(25, splits).plugin, [good, bad]));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL' }, rows: { written: 0 } });
  expect(report.contents[0]!.targets).toMatchObject([{ state: 'failed' }, { state: 'failed', error: { code: 'DISK_FULL' } }]);
  expect(good.committed).toEqual([]);
  for (const { events } of [good, bad]) {
    expect(events).toContain('discard');
    expect(events.join()).not.toContain('publish');
  }
  expect(report).not.toHaveProperty('isResumable');
});

test('go-on: a target that fails for good is left out and undone, the others end well, and the run ends with its failure', async () => {
  let writes = 0;
  const bad = fakeWriter({ beforeWrite: () => (++writes > 2 ? Promise.reject(broken()) : undefined) });
  const good = fakeWriter();
  const { report, heard } = await runFanOut(fanOutJob(countingReader(25, splits).plugin, [{ ...bad, onFailure: 'go-on' }, good]));
  expect(report).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL' } });
  expect(report.contents[0]!.targets).toMatchObject([
    { state: 'failed', error: { code: 'DISK_FULL' } },
    { state: 'done', rows: { read: 100, written: 100 } },
  ]);
  expect(good.committed).toHaveLength(100);
  expect(good.events).toContain('publish [4,5,6,7]');
  expect(bad.events).toContain('discard');
  expect(bad.events.join()).not.toContain('publish');
  expect(heard.warnings.join()).toContain('target 1 is left out');
});

test('go-on: a target that cannot be prepared is left out', async () => {
  const bad = fakeWriter({ prepare: () => Promise.reject(broken()) });
  const good = fakeWriter();
  const { report } = await runFanOut(fanOutJob(countingReader(25, splits).plugin, [{ ...bad, onFailure: 'go-on' }, good]));
  expect(report.contents[0]!.targets).toMatchObject([{ state: 'failed' }, { state: 'done', rows: { written: 100 } }]);
  expect(good.events).toContain('publish [4,5,6,7]');
});

test('a task that has failed at one target is started again for that one alone', async () => {
  let failures = 0;
  const shaky = fakeWriter({ beforeCommit: (task) => (task === 5 && failures++ < 2 ? Promise.reject(passing()) : undefined) });
  const calm = fakeWriter();
  const reader = countingReader(25, splits);
  const { report } = await runFanOut(fanOutJob(reader.plugin, [calm, shaky]));
  expect(report.state).toBe('done');
  expect(calm.committed).toHaveLength(100);
  expect(shaky.committed).toHaveLength(100);
  expect(calm.events.filter((event) => event.startsWith('commit'))).toHaveLength(4);
  expect(reader.events.filter((event) => event.startsWith('read')).sort()).toEqual([0, 1, 1, 1, 2, 3].map((part) => `read part ${part}`));
  expect(report.tasks.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1, 1, 1, 3, 1, 1]);
  expect(report.rows).toMatchObject({ read: 100, written: 200 });
});

test('a source that breaks off is read again for all targets', async () => {
  let reads = 0;
  const reader = fakeReader({
    read: async (_split, out) => {
      await pushRows(out, 25);
      if (++reads === 1) throw new DrayError('CONNECTION_LOST', 'gone', { side: 'source' });
    },
  });
  const [one, two] = [fakeWriter(), fakeWriter()];
  const { report } = await runFanOut(fanOutJob(reader.plugin, [one, two]));
  expect(report).toMatchObject({ state: 'done', rows: { read: 25, written: 50 } });
  expect([one.committed.length, two.committed.length]).toEqual([25, 25]);
});

test('each target has a limit of dirty records of its own, and its own sums', async () => {
  const picky = fakeWriter({ refuses: ([cell]) => Number(cell) % 10 === 0 });
  const calm = fakeWriter();
  const job = fanOutJob(countingReader(25, splits).plugin, [{ ...picky, maxDirtyRecords: 12 }, calm]);
  const { report } = await runFanOut(job);
  expect(report).toMatchObject({ state: 'done', rows: { read: 100, written: 188, dirty: 12 } });
  expect(report.contents[0]!.targets).toMatchObject([
    { rows: { read: 100, written: 88, dirty: 12 } },
    { rows: { read: 100, written: 100, dirty: 0 } },
  ]);
  const strict = await runFanOut(fanOutJob(countingReader(25, splits).plugin, [{ ...picky, maxDirtyRecords: 11 }, calm]));
  expect(strict.report).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' } });
});

test('rows that the source rejects are dirty at every target, with their places', async () => {
  const reader = fakeReader({
    read: async (_split, out) => {
      await pushRows(out, 13);
      out.reject(new DrayError('ROW_REJECTED', 'half a row'));
      await pushRows(out, 4);
    },
  });
  const targets = [fakeWriter(), fakeWriter()].map((one) => ({ ...one, maxDirtyRecords: 1 }));
  const { report, heard } = await runFanOut(fanOutJob(reader.plugin, targets));
  expect(report.contents[0]!.targets!.map(({ rows }) => rows)).toEqual(
    Array.from({ length: 2 }, () => ({ read: 18, written: 17, dirty: 1, filtered: 0 })),
  );
  expect(heard.dirty.map(({ task, row, side }) => [task, row, side])).toEqual([
    [0, 14, 'source'],
    [1, 14, 'source'],
  ]);
});

test('a run that was stopped goes on with what is missing at each target', async () => {
  const state = tempFolder();
  const run = newRunId();
  const user = new AbortController();
  const cancel = () => user.abort(new DrayError('CANCELLED', 'stopped by the user'));
  const one = fakeWriter();
  let isFirst = true;
  const two = fakeWriter({
    beforeCommit: (task) => {
      if (task !== 5 || !isFirst) return;
      isFirst = false;
      throw passing();
    },
    beforeWrite: (task) => (task === 5 && !isFirst && !user.signal.aborted ? cancel() : undefined),
  });
  const reader = countingReader(25, splits);
  const job = fanOutJob(reader.plugin, [one, two], { channels: 1 });
  const { report } = await runFanOut(job, { ledger: await newLedger(state, run), signal: user.signal });
  expect(report).toMatchObject({ state: 'cancelled', isResumable: true });
  expect([one.committed.length, two.committed.length]).not.toEqual([100, 100]);
  const read = reader.events.length;
  const { report: resumed, heard } = await runFanOut(job, { ledger: await takeOverRun(state, run) });
  expect(heard.warnings.join()).not.toContain('twice');
  expect(resumed.state).toBe('done');
  expect([one.committed.length, two.committed.length]).toEqual([100, 100]);
  expect(reader.events.slice(read).filter((event) => event.startsWith('read'))).not.toContain('read part 0');
  expect(one.events.filter((event) => event.startsWith('publish'))).toEqual(['publish [0,1,2,3]']);
});

test('when the second target could not be published, a resumed run publishes it alone', async () => {
  const state = tempFolder();
  const run = newRunId();
  let isBroken = true;
  const one = fakeWriter();
  const two = fakeWriter({ publish: () => (isBroken ? Promise.reject(broken()) : Promise.resolve()) });
  const reader = countingReader(25, splits);
  const job = fanOutJob(reader.plugin, [one, two]);
  const { report } = await runFanOut(job, { ledger: await newLedger(state, run) });
  expect(report).toMatchObject({ state: 'failed', isResumable: true, error: { code: 'DISK_FULL' } });
  expect(report.contents[0]!.targets).toMatchObject([{ state: 'done' }, { state: 'failed' }]);
  expect((await findRun(state, run)).isResumable).toBe(true);
  isBroken = false;
  const read = reader.events.filter((event) => event.startsWith('read')).length;
  const { report: resumed } = await runFanOut(job, { ledger: await takeOverRun(state, run) });
  expect(resumed.contents[0]).toMatchObject({ state: 'done', targets: [{ state: 'done', isFromEarlierProcess: true }, { state: 'done' }] });
  expect(reader.events.filter((event) => event.startsWith('read'))).toHaveLength(read);
  expect(one.events.filter((event) => event.startsWith('publish'))).toHaveLength(1);
  expect(two.events.filter((event) => event.startsWith('publish'))).toHaveLength(2);
});
