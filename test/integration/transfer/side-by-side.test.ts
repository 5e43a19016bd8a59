import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DrayError } from '../../../core/sdk/index.ts';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { bytesOf, namesIn, type Place, placeKinds, put, startPlace } from './places.ts';
import { rowsIn, rowsOf, runId, startWriting, writeSet } from './set-writing.ts';

describe.each(placeKinds)('runs into the same folder (%s)', (kind) => {
  let place: Place;
  let storage: Storage;
  beforeAll(async () => {
    place = await startPlace(kind);
    storage = await place.open();
  });
  afterAll(async () => {
    await storage?.close();
    await place?.stop();
  });
  const another = async () => {
    const one = await place.open();
    onTestFinished(() => one.close());
    return one;
  };
  const mark = (run: string, pid: number, created = new Date()) =>
    JSON.stringify({ run, created: created.toISOString(), host: hostname(), pid });
  const deadPid = () => spawnSync(process.execPath, ['--version']).pid;

  test.each([
    ['truncate', 'truncate', 'invoices'],
    ['append', 'append', 'orders'],
    ['append', 'truncate', 'orders'],
  ] as const)('leave each other alone: one that is to %s, while another is to %s %s', async (writeMode, otherMode, fileName) => {
    const folder = place.newFolder();
    const slow = await startWriting(await another(), folder, { run: runId(1), writeMode });
    await writeSet(storage, folder, { run: runId(2), fileName, writeMode: otherMode });
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(2)));
    await slow.publish();
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(1), runId(2)));
    expect(await namesIn(storage, folder)).toHaveLength(2 * 5 + 1);
  });

  test('are not hindered by one that gives up', async () => {
    const folder = place.newFolder();
    const other = await startWriting(await another(), folder, { run: runId(1) });
    const writing = await startWriting(storage, folder, { run: runId(2) });
    await other.giveUp();
    await writing.publish();
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(2)));
    expect(await namesIn(storage, folder)).toHaveLength(5 + 1);
  });

  test('lose no set when they publish at the same time', async () => {
    const folder = place.newFolder();
    const numbers = [1, 2, 3, 4, 5, 6];
    const runs = await Promise.all(
      numbers.map(async (number) =>
        startWriting(await another(), folder, { run: runId(number), fileName: number % 2 === 0 ? 'orders' : `other${number}` }),
      ),
    );
    await Promise.all(runs.map((run) => run.publish()));
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(...numbers.map(runId)));
    expect(await namesIn(storage, folder)).toHaveLength(numbers.length * 5 + 1);
  });

  test('replace each other whole when two of the same name publish at the same time', async () => {
    const folder = place.newFolder();
    const [one, other] = [
      await startWriting(await another(), folder, { run: runId(1), writeMode: 'truncate' }),
      await startWriting(storage, folder, { run: runId(2), writeMode: 'truncate' }),
    ];
    await Promise.all([one.publish(), other.publish()]);
    const rows = await rowsIn(storage, folder);
    expect([rowsOf(runId(1)), rowsOf(runId(2))]).toContainEqual(rows);
    expect(await namesIn(storage, folder)).toHaveLength(5 + 1);
  });

  test('refuse each other in the mode nonConflict, the later one at its end', async () => {
    const folder = place.newFolder();
    const one = await startWriting(await another(), folder, { run: runId(1), writeMode: 'nonConflict' });
    const other = await startWriting(storage, folder, { run: runId(2), writeMode: 'nonConflict' });
    await other.publish();
    await expect(one.publish()).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await one.giveUp();
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(2)));
    expect(await namesIn(storage, folder)).toHaveLength(5 + 1);
  });

  test.each(['append', 'truncate', 'nonConflict'] as const)('remove what a dead one left unfinished (%s)', async (writeMode) => {
    const folder = place.newFolder();
    await startWriting(await another(), folder, { run: runId(1), writeMode: 'append' });
    await put(storage, folder, `.orders__${runId(1)}.writing.json`, mark(runId(1), deadPid()));
    await writeSet(storage, folder, { run: runId(2), writeMode });
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(2)));
    expect((await namesIn(storage, folder)).filter((name) => name.includes(runId(1)))).toEqual([]);
  });

  test.each(['truncate', 'overwrite-atomically', 'nonConflict'] as const)(
    'add what is replayed to what is there (%s)',
    async (writeMode) => {
      const folder = place.newFolder();
      await writeSet(storage, folder, { run: runId(1), writeMode });
      await writeSet(storage, folder, { run: runId(2), writeMode, isReplay: true });
      expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(1), runId(2)));
    },
  );

  test.each([
    ['without a signature', {}],
    ['with a signature of somebody else', { signature: { algorithm: 'hmac-sha256', value: Buffer.alloc(32).toString('base64') } }],
  ])('sign no set that lies there as if a run had died, %s', async (_title, forged) => {
    const folder = place.newFolder();
    const signature = 'a secret of both sides';
    await writeSet(storage, folder, { run: runId(1), signature });
    // A whole set with all that belongs to it, made by somebody who has no key.
    const elsewhere = place.newFolder();
    await writeSet(storage, elsewhere, { run: runId(2) });
    const names = (await namesIn(storage, elsewhere)).filter((name) => name !== '_SUCCESS');
    for (const name of names) await put(storage, folder, name, await bytesOf(storage, storage.join(elsewhere, name)));
    const manifest = `orders__${runId(2)}.manifest.json`;
    const sha256 = createHash('sha256')
      .update(await bytesOf(storage, storage.join(folder, manifest)))
      .digest('hex');
    const files = names.filter((name) => name.endsWith('.copy'));
    const journal = { ...JSON.parse(mark(runId(2), deadPid())), files, entry: { manifest, sha256, run: runId(2), ...forged } };
    await put(storage, folder, `.orders__${runId(2)}.publishing.json`, JSON.stringify(journal));

    await writeSet(storage, folder, { run: runId(3), signature });
    expect(await rowsIn(storage, folder)).toEqual(rowsOf(runId(1), runId(3)));
    expect(await namesIn(storage, folder)).toHaveLength(2 * 5 + 1);
  });

  test('leave alone for two days what one on another host has not finished', async () => {
    const folder = place.newFolder();
    await startWriting(await another(), folder, { run: runId(1) });
    const left = (await namesIn(storage, folder)).filter((name) => name.endsWith('…'));
    expect(left).toHaveLength(2);
    const path = `.orders__${runId(1)}.writing.json`;
    const elsewhere = (created: Date) => JSON.stringify({ ...JSON.parse(mark(runId(1), 1, created)), host: 'elsewhere', kernel: 'x' });
    const hour = 60 * 60_000;
    await put(storage, folder, path, elsewhere(new Date(Date.now() - 47 * hour)));
    await writeSet(storage, folder, { run: runId(2) });
    expect(await namesIn(storage, folder)).toEqual(expect.arrayContaining([...left, path]));
    await put(storage, folder, path, elsewhere(new Date(Date.now() - 49 * hour)));
    await writeSet(storage, folder, { run: runId(3) });
    expect((await namesIn(storage, folder)).filter((name) => name.includes(runId(1)))).toEqual([]);
  });

  test.each(['truncate', 'overwrite-atomically', 'append', 'nonConflict'] as const)('touch no files of others (%s)', async (writeMode) => {
    const folder = place.newFolder();
    const run = '20260101-000000-abcdef';
    const strangers = [
      'orders',
      'orders.csv',
      'orders__',
      'orders__old.copy',
      'orders__archives-backup-latest_0000.copy',
      `orders__${run}`,
      `orders__${run}.copy`,
      `orders__${run}_0000.copy.bak`,
      `orders__${run}_000.copy`,
      `Orders__${run}_0000.copy`,
      `orders2__${run}_0000.copy`,
      `orders__more__${run}_0000.copy`,
      `my-orders__${run}_0000.copy`,
      `.invoices__${run}.writing.json`,
      '.orders.publishing.json',
      '_SUCCESS.old',
      'manifest.json',
    ].filter((name) => writeMode !== 'nonConflict' || name !== 'orders');
    for (const name of strangers) await put(storage, folder, name, name);
    for (const number of [2, 3]) {
      if (number === 3 && writeMode === 'nonConflict') continue;
      await writeSet(storage, folder, { run: runId(number), writeMode });
    }
    for (const name of strangers) expect(String(await bytesOf(storage, storage.join(folder, name)))).toBe(name);
    const sets = writeMode === 'append' ? 2 : 1;
    expect(await namesIn(storage, folder)).toHaveLength(strangers.length + sets * 5 + 1);
  });

  test('are read whole, one or the other, while one replaces another again and again', async () => {
    const folder = place.newFolder();
    await writeSet(storage, folder, { run: runId(0), writeMode: 'overwrite-atomically' });
    const reader = await another();
    let isOver = false;
    const seen = new Set<string>();
    const refusals: unknown[] = [];
    const reading = (async () => {
      while (!isOver) {
        const rows = await rowsIn(reader, folder).catch((error: unknown) => error);
        if (Array.isArray(rows)) {
          const run = String(rows[0]).split(' ')[0]!;
          expect(rows).toEqual(rowsOf(run));
          seen.add(run);
        } else refusals.push(rows);
      }
    })();
    try {
      for (let number = 1; number <= 25; number++)
        await writeSet(storage, folder, { run: runId(number), writeMode: 'overwrite-atomically' });
    } finally {
      isOver = true;
      await reading;
    }
    expect(seen.size).toBeGreaterThan(3);
    // The set was replaced between the look at it and the end of reading.
    for (const error of refusals) {
      expect(error).toBeInstanceOf(DrayError);
      expect(['PATH_MISSING', 'FILE_MISSING', 'FILE_CHANGED']).toContain((error as DrayError).code);
    }
  });
});
