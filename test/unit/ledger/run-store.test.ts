import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leaseMs } from '../../../core/ledger/ownership.ts';
import { beginRun, eventsOf, findRun, listRuns, takeOverRun } from '../../../core/ledger/run-store.ts';
import { stateFolder } from '../../../core/ledger/state-folder.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const ended = (state: 'done' | 'failed') => ({ type: 'ended' as const, state, at: '2026-01-01T00:00:00Z', rows: { written: 1 } });
const ownerOf = (state: string, run: string, epoch: number) => join(state, 'runs', run, `owner-${epoch}.json`);

/** Makes a run look as if its process had died: its file names a process that is not there. */
function orphan(state: string, run: string, owner: object = { host: hostname(), pid: 2 ** 22 + 1, started: 'never' }) {
  writeFileSync(ownerOf(state, run, 1), JSON.stringify(owner));
}

test('runs are listed newest first, with what became of them', async () => {
  const state = tempFolder();
  for (const [run, end] of [['20260101-000000-aaaaaa', 'done'] as const, ['20260102-000000-bbbbbb', 'failed'] as const]) {
    const ledger = await newLedger(state, run);
    await ledger.append(ended(end));
    await ledger.close();
  }
  const living = await newLedger(state, '20260103-000000-cccccc');
  await newLedger(state, '20260104-000000-dddddd').then((ledger) => ledger.close());
  orphan(state, '20260104-000000-dddddd');
  const runs = await listRuns(state);
  expect(runs.map(({ run, state: is, isResumable }) => [run.slice(0, 8), is, isResumable])).toEqual([
    ['20260104', 'interrupted', true],
    ['20260103', 'running', false],
    ['20260102', 'failed', true],
    ['20260101', 'done', false],
  ]);
  await living.close();
});

test('a run that was given to a server waits until its turn has come, and is interrupted when the server was stopped', async () => {
  const state = tempFolder();
  const run = '20260101-000000-aaaaaa';
  const ledger = await newLedger(state, run, { submitted: { priority: 7 } });
  expect(await findRun(state, run)).toMatchObject({ state: 'waiting', isResumable: false, begun: { submitted: { priority: 7 } } });
  await ledger.append({ type: 'opened' });
  expect(await findRun(state, run)).toMatchObject({ state: 'running' });
  const error = { code: 'SERVER_STOPPED', message: 'the server was stopped' };
  await ledger.append({ type: 'ended', state: 'cancelled', at: '2026-01-01T00:00:00Z', rows: {}, error });
  await ledger.close();
  expect(await findRun(state, run)).toMatchObject({ state: 'interrupted', isResumable: true });
});

test('what servers say is written down without the secrets of the job, and each event with its time', async () => {
  const state = tempFolder();
  const before = Date.now();
  const ledger = await newLedger(state, 'one', {}, (text) => text.replaceAll('hunter2', '***'));
  await ledger.append({ type: 'failed', task: 0, attempt: 1, code: 'SQL_FAILED', message: 'near "hunter2"' });
  await ledger.append({ ...ended('failed'), error: { code: 'SQL_FAILED', message: 'near "hunter2"' } });
  await ledger.close();
  const events = await eventsOf(await findRun(state, 'one'));
  expect(events.map(({ type }) => type)).toEqual(['begun', 'failed', 'ended']);
  expect(JSON.stringify(events)).not.toContain('hunter2');
  expect(events[1]!.ms).toBeGreaterThanOrEqual(before);
  expect(events[2]).toMatchObject({ at: '2026-01-01T00:00:00Z', error: { message: 'near "***"' } });
});

test('no state folder is no run', async () => {
  expect(await listRuns(join(tempFolder(), 'none'))).toEqual([]);
});

test.each(['20260101-000000-aaaaaa', '../x', ''])('an unknown run %j is named', async (run) => {
  await expect(findRun(tempFolder(), run)).rejects.toMatchObject({ code: 'RUN_UNKNOWN', exitCode: 2 });
});

test('a run that is at work is not taken over, one whose process is gone is, and knows what was written', async () => {
  const state = tempFolder();
  const first = await newLedger(state);
  await first.append({ type: 'committed', task: 3, attempt: 1, commit: { a: 1 }, tally: {} });
  await expect(takeOverRun(state, first.run)).rejects.toMatchObject({
    code: 'RUN_NOT_RESUMABLE',
    message: expect.stringContaining(String(process.pid)),
  });
  orphan(state, first.run);
  const second = await takeOverRun(state, first.run);
  expect(second.epoch).toBe(2);
  expect(second.earlier?.tasks.get(3)).toEqual({ isInDoubt: false, committed: { attempt: 1, commit: { a: 1 }, tally: {} } });
  await second.checkOwned();
  await expect(first.checkOwned()).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  await Promise.all([first.close(), second.close()]);
});

test('what a process writes down after another one has taken its run changes nothing', async () => {
  const state = tempFolder();
  const asleep = await newLedger(state);
  orphan(state, asleep.run);
  const other = await takeOverRun(state, asleep.run);
  await other.append({ type: 'committed', task: 3, attempt: 1001, commit: null, tally: {} });
  expect([await asleep.isOwned(), await other.isOwned()]).toEqual([false, true]);
  await asleep.append({ type: 'failed', task: 3, attempt: 1, code: 'FENCED', message: 'overtaken' });
  await asleep.append({ type: 'discarded', content: 0 });
  await asleep.append(ended('failed'));
  await other.append(ended('done'));
  await asleep.append(ended('failed'));
  await other.close();
  expect(await findRun(state, asleep.run)).toMatchObject({ state: 'done', isResumable: false });
  expect((await findRun(state, asleep.run)).tasks.get(3)?.committed?.attempt).toBe(1001);
});

test('of two that take a run over at once one wins', async () => {
  const state = tempFolder();
  const first = await newLedger(state);
  await first.close();
  orphan(state, first.run);
  const both = await Promise.allSettled([takeOverRun(state, first.run), takeOverRun(state, first.run)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const one of both) if (one.status === 'fulfilled') await one.value.close();
});

test('a process that lives, but has not been heard of for longer than its lease, is taken over', async () => {
  const state = tempFolder();
  const sleeper = spawn('sleep', ['60']);
  const first = await newLedger(state);
  await first.close();
  orphan(state, first.run, { host: 'elsewhere', pid: sleeper.pid, started: '' });
  await expect(takeOverRun(state, first.run)).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
  const past = new Date(Date.now() - leaseMs - 1000);
  utimesSync(ownerOf(state, first.run, 1), past, past);
  await (await takeOverRun(state, first.run)).close();
  sleeper.kill();
  await once(sleeper, 'close');
});

test('a zombie is no living process', async () => {
  const state = tempFolder();
  const first = await newLedger(state);
  await first.close();
  // A child that has ended, of a parent that does not ask for it.
  const parent = spawn('bash', ['-c', 'sleep 0 & echo $!; exec sleep 60']);
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  await new Promise((resolve) => setTimeout(resolve, 200));
  orphan(state, first.run, { host: hostname(), pid: Number(pid), started: '' });
  await (await takeOverRun(state, first.run)).close();
  parent.kill();
});

test('a run that is done or given up is not resumed', async () => {
  const state = tempFolder();
  const done = await newLedger(state);
  await done.append(ended('done'));
  await done.close();
  await expect(takeOverRun(state, done.run)).rejects.toMatchObject({
    code: 'RUN_NOT_RESUMABLE',
    message: expect.stringContaining('it is done'),
  });
  const given = await newLedger(state);
  await given.append({ type: 'discarded', content: 0 });
  await given.append(ended('failed'));
  await given.close();
  await expect(takeOverRun(state, given.run)).rejects.toMatchObject({ message: expect.stringContaining('has been removed') });
});

test('runs of which nothing was heard for a month are forgotten when another one begins', async () => {
  const state = tempFolder();
  const old = await newLedger(state, 'old');
  const young = await newLedger(state, 'young');
  await Promise.all([old.close(), young.close()]);
  const past = new Date(Date.now() - 31 * 24 * 3600 * 1000);
  for (const name of readdirSync(join(state, 'runs', 'old'))) utimesSync(join(state, 'runs', 'old', name), past, past);
  await (await newLedger(state, 'new')).close();
  expect(readdirSync(join(state, 'runs')).sort()).toEqual(['new', 'young']);
});

test('a state folder that cannot be made is named', async () => {
  const file = join(tempFolder(), 'file');
  writeFileSync(file, '');
  await expect(newLedger(join(file, 'state'))).rejects.toMatchObject({
    code: 'STATE_UNUSABLE',
    exitCode: 2,
    place: expect.stringContaining(file),
  });
});

test.each([
  ['/named', { DRAY_STATE_DIR: '/own', XDG_STATE_HOME: '/xdg' }, '/named'],
  [undefined, { DRAY_STATE_DIR: '/own', XDG_STATE_HOME: '/xdg' }, '/own'],
  [undefined, { DRAY_STATE_DIR: '', XDG_STATE_HOME: '/xdg' }, '/xdg/dray'],
  [undefined, { XDG_STATE_HOME: 'relative' }, expect.stringMatching(/\.local\/state\/dray$/)],
  [undefined, {}, expect.stringMatching(/\.local\/state\/dray$/)],
])('the state folder: --state-dir %s, environment %j', (named, environment, expected) => {
  expect(stateFolder(named, environment)).toEqual(expected);
});

test('beginning a run twice under one name is refused', async () => {
  const state = tempFolder();
  const ledger = await newLedger(state, 'one');
  await expect(beginRun(state, { ...ledgerFacts, run: 'one' })).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
  await ledger.close();
});

const ledgerFacts = {
  type: 'begun' as const,
  job: '',
  file: '',
  digest: '',
  parameters: {},
  secretParameters: [],
  at: '',
  guarantee: '',
  channels: 1,
};
