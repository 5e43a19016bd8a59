import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import writer from '../../../plugins/textfile/writer.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { batchOf } from '../files/formats/keeping-output.ts';
import { contents, contextOf, withoutRights, writeFiles } from './files.ts';

const open = async (parameter: object, run?: string) => writer.open(writer.options.parse({ sidecar: false, ...parameter }), contextOf(run));

describe('the files of the textfile writer', () => {
  const rows = [['a'], ['b']];
  const strangers = ['f', 'f__old.csv', 'f__archive_2024.csv', 'f2.csv', 'ff__run-0_0000.csv', 'f__run-0_0000.csv.bak', 'other.csv'];
  /** Of a run that has died: no mark says that it is at work. */
  const unfinished = ['.f__run-0_0002.csv.tmp'];
  const older = ['f__run-0_0000.csv', 'f__run-0_0001.csv.gz', 'f__run-Z_12345.txt'];

  function filled(): string {
    const folder = tempFolder();
    for (const name of [...strangers, ...older]) writeFileSync(join(folder, name), 'old');
    for (const name of unfinished) writeFileSync(join(folder, name), 'unfinished');
    mkdirSync(join(folder, 'f__run-0_0009.csv'));
    return folder;
  }
  const namesIn = (folder: string) => readdirSync(folder).sort();

  test('have the name, the run and the task in their names', async () => {
    const path = join(tempFolder(), 'deep', 'new');
    await writeFiles({ path, fileName: 'f', writeMode: 'append' }, rows, { tasks: 2 });
    await writeFiles({ path, fileName: 'f', writeMode: 'append', compress: 'gzip', fileFormat: 'text' }, rows, { run: 'run-2' });
    await writeFiles({ path, fileName: 'f', writeMode: 'append', suffix: '.tbl' }, rows, { run: 'run-3' });
    expect(namesIn(path)).toEqual(['f__run-1_0000.csv', 'f__run-1_0001.csv', 'f__run-2_0000.txt.gz', 'f__run-3_0000.tbl']);
  });

  test('are hidden until they are published', async () => {
    const folder = tempFolder();
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append' });
    const task = await one.openTask({
      id: 0,
      attempt: 1,
      guarantee: 'at-least-once',
      source: schema,
      target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
    });
    await task.write(batchOf(schema, rows));
    const commit = (await task.commit(null)) ?? null;
    expect(contents(folder)).toEqual({ '.f__run-1_0000.csv.tmp': 'a\nb\n', '.f__run-1.writing.json': expect.stringContaining('"run-1"') });
    expect(commit).toMatchObject({ task: 0, rows: 2 });
    await one.publish!([commit], { guarantee: 'at-least-once', mode: 'run' });
    expect(contents(folder)).toEqual({ 'f__run-1_0000.csv': 'a\nb\n' });
  });

  test('replace exactly those of earlier runs in the mode truncate', async () => {
    const folder = filled();
    await writeFiles({ path: folder, fileName: 'f', writeMode: 'truncate' }, rows);
    expect(namesIn(folder)).toEqual(['f__run-0_0009.csv', 'f__run-1_0000.csv', ...strangers].sort());
  });

  test('replace the earlier ones only once the new ones are whole', async () => {
    const folder = filled();
    const before = namesIn(folder).filter((name) => !unfinished.includes(name));
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'truncate' });
    const task = await one.openTask({
      id: 0,
      attempt: 1,
      guarantee: 'at-least-once',
      source: schema,
      target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
    });
    await task.write(batchOf(schema, rows));
    await task.commit(null);
    await one.discard!();
    expect(namesIn(folder)).toEqual(before);
  });

  test('stay beside earlier ones in the mode append', async () => {
    const folder = filled();
    const before = namesIn(folder).filter((name) => !unfinished.includes(name));
    await writeFiles({ path: folder, fileName: 'f', writeMode: 'append' }, rows);
    expect(namesIn(folder)).toEqual([...before, 'f__run-1_0000.csv'].sort());
  });

  test('are refused beside earlier ones in the mode nonConflict, before anything is written', async () => {
    const folder = filled();
    const one = await open({ path: folder, fileName: 'f', writeMode: 'nonConflict' });
    await expect(one.inspect(textSchema(1))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(one.prepare!(textSchema(1), { guarantee: 'at-least-once', mode: 'run' })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await writeFiles({ path: folder, fileName: 'f2', writeMode: 'nonConflict' }, rows);
    expect(existsSync(join(folder, 'f2__run-1_0000.csv'))).toBe(true);
  });

  test('of one run do not replace each other', async () => {
    const folder = tempFolder();
    const schema = textSchema(1);
    for (const writeMode of ['truncate', 'nonConflict']) {
      const one = await open({ path: folder, fileName: 'f', writeMode });
      const id = writeMode === 'truncate' ? 0 : 1;
      const task = await one.openTask({
        id,
        attempt: 1,
        guarantee: 'at-least-once',
        source: schema,
        target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
      });
      await task.write(batchOf(schema, rows));
      await one.publish!([(await task.commit(null)) ?? null], { guarantee: 'at-least-once', mode: 'run' });
    }
    expect(namesIn(folder)).toEqual(['f__run-1_0000.csv', 'f__run-1_0001.csv']);
  });

  test('of a run without rows are one, empty but for the header', async () => {
    const folder = tempFolder();
    await writeFiles({ path: folder, fileName: 'f', writeMode: 'truncate' }, [], { tasks: 3 });
    expect(contents(folder)).toEqual({ 'f__run-1_0000.csv': '' });
    await writeFiles({ path: folder, fileName: 'f', writeMode: 'truncate', header: true, compress: 'gzip' }, [], {
      run: 'run-2',
      schema: textSchema(2),
    });
    expect(contents(folder)).toEqual({ 'f__run-2_0000.csv.gz': 'c0,c1\n' });
  });

  test('are not made for tasks without rows beside others', async () => {
    const folder = tempFolder();
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append' });
    const target = await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' });
    const [empty, full] = [
      await one.openTask({ id: 0, attempt: 1, guarantee: 'at-least-once', source: schema, target }),
      await one.openTask({ id: 1, attempt: 1, guarantee: 'at-least-once', source: schema, target }),
    ];
    await full!.write(batchOf(schema, rows));
    await one.publish!([(await empty!.commit(null)) ?? null, (await full!.commit(null)) ?? null], {
      guarantee: 'at-least-once',
      mode: 'run',
    });
    expect(contents(folder)).toEqual({ 'f__run-1_0001.csv': 'a\nb\n' });
  });

  test.each(['none', 'gzip'])('leave nothing when their task is aborted, packed with %s', async (compress) => {
    const folder = tempFolder();
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append', compress });
    const target = await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' });
    const large = Array.from({ length: 100_000 }, (_, row) => [`row ${row}`]);
    for (const id of [0, 1, 2]) {
      const task = await one.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target });
      if (id > 0) await task.write(batchOf(schema, large));
      if (id > 1) await task.commit(null);
      await task.abort();
    }
    expect(namesIn(folder)).toEqual(['.f__run-1.writing.json']);
    await one.discard!();
    expect(namesIn(folder)).toEqual([]);
  });

  test('leave nothing when publishing fails half-way', async () => {
    const folder = tempFolder();
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append' });
    const target = await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' });
    const commits = [];
    for (const id of [0, 1, 2]) {
      const task = await one.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target });
      await task.write(batchOf(schema, rows));
      commits.push((await task.commit(null)) ?? null);
    }
    mkdirSync(join(folder, 'f__run-1_0001.csv'));
    await expect(one.publish!(commits, { guarantee: 'at-least-once', mode: 'run' })).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      message: expect.stringContaining('f__run-1_0001.csv'),
    });
    await one.discard!();
    expect(namesIn(folder)).toEqual(['f__run-1_0001.csv']);
  });

  test('are whole when they are large and packed', async () => {
    const folder = tempFolder();
    const large = Array.from({ length: 200_000 }, (_, row) => [`row ${row}`, 'x'.repeat(row % 50)]);
    const schema = textSchema(2);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append', compress: 'gzip' });
    const task = await one.openTask({
      id: 0,
      attempt: 1,
      guarantee: 'at-least-once',
      source: schema,
      target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
    });
    for (let from = 0; from < large.length; from += 10_000) await task.write(batchOf(schema, large.slice(from, from + 10_000)));
    await one.publish!([(await task.commit(null)) ?? null], { guarantee: 'at-least-once', mode: 'run' });
    const text = gunzipSync(readFileSync(join(folder, 'f__run-1_0000.csv.gz'))).toString();
    expect(text === large.map((row) => `${row.join(',')}\n`).join('')).toBe(true);
  });

  test.each(['none', 'gzip', 'zstd'])('say so when the disk is full, packed with %s', async (compress) => {
    const folder = tempFolder();
    symlinkSync('/dev/full', join(folder, `.f__run-1_0000.csv${{ none: '', gzip: '.gz', zstd: '.zst' }[compress]}.tmp`));
    const schema = textSchema(1);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append', compress });
    const task = await one.openTask({
      id: 0,
      attempt: 1,
      guarantee: 'at-least-once',
      source: schema,
      target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
    });
    const noise = () => Array.from({ length: 20_000 }, () => [String(Math.random())]);
    const work = async () => {
      for (let i = 0; i < 10; i++) await task.write(batchOf(schema, noise()));
      await task.commit(null);
    };
    await expect(work()).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(folder) });
    await task.abort();
  });

  test('say so when their folder is none, or may not be written', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const path of [join(folder, 'file'), join(folder, 'file', 'below')]) {
      const one = await open({ path, fileName: 'f', writeMode: 'append' });
      await expect(one.prepare!(textSchema(1), { guarantee: 'at-least-once', mode: 'run' })).rejects.toMatchObject({
        code: 'FILE_FAILED',
        message: expect.stringContaining(path),
      });
    }
    await withoutRights(folder, async () => {
      chmodSync(folder, 0o500);
      const schema = textSchema(1);
      for (const path of [folder, join(folder, 'below')]) {
        const one = await open({ path, fileName: 'f', writeMode: 'append' });
        await expect(one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' })).rejects.toMatchObject({
          code: 'FILE_FAILED',
          message: expect.stringContaining('EACCES'),
        });
      }
    });
  });
});
