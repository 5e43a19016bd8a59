import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { startDray } from '../../support/run-dray.ts';
import { jobFolder, namesIn, type Place, placeKinds, startPlace } from './places.ts';
import { rowsIn, rowsOf, runId, writeSet } from './set-writing.ts';

const files = 5;
const rowsPerFile = 300;
const whole = files * rowsPerFile;
/** Data files and their sidecars, manifest. */
const namesOfKilled = 2 * files + 1;
const namesOfOther = 2 * 2 + 1;
const jobs = jobFolder();
afterAll(() => jobs.stop());

const [old, next] = [runId(1), '29991231-235959-ffffff'];

/** A job of the command line that writes a set of `files` files, whose rows say "killed". */
function job(place: Place, folder: string, writeMode: string): string {
  const column = [
    { name: 'id', type: 'long', sequence: 1 },
    { name: 'word', value: 'killed' },
  ];
  return jobs.write(`${place.kind}.json`, {
    job: {
      setting: { speed: { channel: files } },
      content: [
        {
          reader: { name: 'stream', parameter: { column, sliceRecordCount: rowsPerFile } },
          writer: place.writer(folder, { writeMode, fileFormat: 'copy' }),
        },
      ],
    },
  });
}

/**
 * Runs the job and kills its process without warning once there are so many more names in the folder, hidden and unfinished ones too, and `afterMs` have
 * passed. True if it was killed before its end.
 */
async function killed(storage: Storage, folder: string, path: string, when: { newNames: number; afterMs: number }): Promise<boolean> {
  const names = (await namesIn(storage, folder)).length + when.newNames;
  const dray = startDray(['run', path]);
  let hasEnded = false;
  void dray.ended.then(() => {
    hasEnded = true;
  });
  while (!hasEnded && (await namesIn(storage, folder)).length < names) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, when.afterMs));
  dray.signal('SIGKILL');
  return (await dray.ended).exitCode === null;
}

/** Whether the set of the job is there, and the rows of all others. */
async function lookAt(storage: Storage, folder: string): Promise<{ killed: number; others: string[] }> {
  const rows = await rowsIn(storage, folder);
  const isKilled = (row: string) => row.endsWith('\tkilled');
  return { killed: rows.filter(isKilled).length, others: rows.filter((row) => !isKilled(row)) };
}

describe.each(placeKinds)('a run that is killed at any moment (%s)', { timeout: 180_000 }, (kind) => {
  let place: Place;
  let storage: Storage;
  let kills = 0;
  beforeAll(async () => {
    place = await startPlace(kind);
    storage = await place.open();
  });
  afterAll(async () => {
    await storage?.close();
    await place?.stop();
  });
  /** Spread over the names that a run makes one after the other. */
  const moment = (seed: number, seeds: number) => ({
    newNames: 1 + Math.round((seed / (seeds - 1)) * (namesOfKilled + 1)),
    afterMs: (seed * 7) % 5,
  });

  test.each(Array.from({ length: 5 }, (_, seed) => seed))(
    'replaces the set before it, or does not, and leaves nothing (%i)',
    async (seed) => {
      const folder = place.newFolder();
      await writeSet(storage, folder, { run: old, writeMode: 'truncate' });
      if (await killed(storage, folder, job(place, folder, 'truncate'), moment(seed, 5))) kills++;
      expect([
        { killed: 0, others: rowsOf(old) },
        { killed: whole, others: [] },
      ]).toContainEqual(await lookAt(storage, folder));
      await writeSet(storage, folder, { run: next, writeMode: 'truncate' });
      expect(await lookAt(storage, folder)).toEqual({ killed: 0, others: rowsOf(next) });
      expect(await namesIn(storage, folder)).toHaveLength(namesOfOther + 1);
    },
  );

  test.each([0, 1, 2])('adds its set whole, or not at all, and leaves nothing (%i)', async (seed) => {
    const folder = place.newFolder();
    await writeSet(storage, folder, { run: old });
    if (await killed(storage, folder, job(place, folder, 'append'), moment(seed, 3))) kills++;
    const before = await lookAt(storage, folder);
    expect([0, whole]).toContain(before.killed);
    expect(before.others).toEqual(rowsOf(old));
    await writeSet(storage, folder, { run: next });
    const after = await lookAt(storage, folder);
    expect(after.others).toEqual(rowsOf(old, next));
    // What was not seen yet may have been finished.
    expect(before.killed === 0 ? [0, whole] : [whole]).toContain(after.killed);
    expect(await namesIn(storage, folder)).toHaveLength(2 * namesOfOther + (after.killed === 0 ? 0 : namesOfKilled) + 1);
  });

  test('was killed indeed, most times', () => {
    expect(kills).toBeGreaterThan(3);
  });
});
