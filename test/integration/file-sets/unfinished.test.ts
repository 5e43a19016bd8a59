import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDray } from '../../support/run-dray.ts';
import { until } from '../../support/until.ts';
import { type MadeSet, rowsPerSet, Workshop } from './made-set.ts';

const workshop = new Workshop();
let first: MadeSet;
let second: MadeSet;
let deadPid: number;

beforeAll(async () => {
  [first, second] = await Promise.all([workshop.made({ compress: 'gzip' }), workshop.made({ compress: 'gzip' })]);
  deadPid = spawnSync(process.execPath, ['--version']).pid;
});
afterAll(() => workshop.close());

/** The first set finished, and the second one left in the same folder by a run that died. */
function crashed({ hasManifest, keepsEarlier }: { hasManifest: boolean; keepsEarlier: boolean }): MadeSet {
  const set = workshop.copyOf(first);
  for (const name of second.data) set.write(name, second.bytes(name));
  if (hasManifest) for (const name of [...second.sidecars, second.manifest]) set.write(name, second.bytes(name));
  const journal = { run: second.run, created: new Date().toISOString(), host: hostname(), pid: deadPid, files: second.data, keepsEarlier };
  set.write(`.orders__${second.run}.publishing.json`, journal);
  return set;
}

async function rowsIn(folder: string): Promise<number | undefined> {
  const { exitCode, report, stderr } = await workshop.load(folder);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return report?.rows.written;
}

function namesOf(folder: string, run: string): string[] {
  return readdirSync(folder).filter((name) => name.includes(run));
}

describe.concurrent('a run that died while it made its files visible', () => {
  test.each([false, true])('is not seen by a reader (manifest written: %s)', async (hasManifest) => {
    const { folder } = crashed({ hasManifest, keepsEarlier: true });
    expect(await rowsIn(folder)).toBe(rowsPerSet);
  });

  test('is removed by the next run if its manifest was not there yet', async () => {
    const { folder, run } = crashed({ hasManifest: false, keepsEarlier: true });
    expect(await workshop.make(folder, { writeMode: 'append' })).toMatchObject({ exitCode: 0 });
    expect(namesOf(folder, second.run)).toEqual([]);
    expect(namesOf(folder, run)).toHaveLength(5);
    expect(await rowsIn(folder)).toBe(2 * rowsPerSet);
  });

  test('is finished by the next run if its manifest was there', async () => {
    const { folder } = crashed({ hasManifest: true, keepsEarlier: true });
    expect(await workshop.make(folder, { writeMode: 'append' })).toMatchObject({ exitCode: 0 });
    expect(namesOf(folder, second.run)).toHaveLength(5);
    expect(await rowsIn(folder)).toBe(3 * rowsPerSet);
  });

  test('leaves nothing behind a run that replaces everything', async () => {
    const { folder, run } = crashed({ hasManifest: true, keepsEarlier: false });
    expect(await workshop.make(folder, {})).toMatchObject({ exitCode: 0 });
    expect([...namesOf(folder, run), ...namesOf(folder, second.run)]).toEqual([]);
    expect(await rowsIn(folder)).toBe(rowsPerSet);
  });

  test('replaces what it was to replace, even if the next run fails', async () => {
    const { folder } = crashed({ hasManifest: true, keepsEarlier: false });
    const broken = workshop.copyOf(first);
    broken.remove('_SUCCESS', broken.manifest, ...broken.sidecars);
    broken.flip(broken.data[1], 0.5);
    const reader = { name: 'txtfilereader', parameter: { path: broken.folder } };
    const result = await workshop.run(reader, { path: folder, fileName: 'orders', writeMode: 'truncate' });
    expect(result).toMatchObject({ exitCode: 3, report: { error: { code: 'FILE_BROKEN' } } });
    expect(await rowsIn(folder)).toBe(rowsPerSet);
  });

  test('is waited for while its process lives', async () => {
    const set = crashed({ hasManifest: true, keepsEarlier: true });
    const name = `.orders__${second.run}.publishing.json`;
    set.edit(name, (journal) => ({ ...journal, pid: process.pid }));
    const result = await workshop.make(set.folder, {});
    expect(result).toMatchObject({ exitCode: 4, report: { error: { code: 'FILE_EXISTS' } } });
    expect(namesOf(set.folder, second.run)).toContain(name);
    expect(await rowsIn(set.folder)).toBe(rowsPerSet);
  });
});

test.each([[{ waitMinutes: 1 }], ['wait 1']])('a reader waits until _SUCCESS is there (%j)', async (ready) => {
  const set = workshop.copyOf(first);
  const mark = set.bytes('_SUCCESS');
  set.remove('_SUCCESS');
  const job = workshop.loadJob(set.folder, { ready });
  const loading = startDray(['run', '--json', job.path]);
  await until('it says that it waits', 20_000, async () => expect(loading.stderr()).toContain('waiting for it'));
  expect(job.written()).toEqual([]);
  set.write('_SUCCESS', mark);
  const { exitCode, report } = await loading.ended;
  expect({ exitCode, rows: report?.rows.written }).toEqual({ exitCode: 0, rows: rowsPerSet });
});
