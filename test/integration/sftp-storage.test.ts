import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { openSftpStorage } from '../../plugins/sftp/sftp-storage.ts';
import { type SshdServer, startSshd } from '../support/sshd-server.ts';
import { bytesOf, loginTo, uploadTo } from './sftp-login.ts';

const never = new AbortController().signal;
let sshd: SshdServer;
let storage: Storage;
/** A new folder for each test, on the disk of the server, which is ours. */
let folder: string;

beforeAll(async () => {
  // Keys are exchanged anew in the midst of the bigger files, as a server does every gigabyte or hour.
  sshd = await startSshd({ settings: ['RekeyLimit 16M'] });
  storage = await openSftpStorage(loginTo(sshd), never);
});
beforeEach(() => {
  folder = mkdtempSync(join(sshd.root, 'test-'));
});
afterAll(async () => {
  await storage?.close();
  await sshd?.stop();
});

test('the server is the one of the job', () => {
  const { host, port } = loginTo(sshd);
  expect(storage.resource).toEqual({ kind: 'sftp', host, port });
});

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}

/** What `find` finds, from the folder of the test. */
async function found(path: string): Promise<string[]> {
  return (await storage.find(join(folder, path))).map((file) => file.path.replace(`${folder}/`, ''));
}

test('64 MB come back byte for byte, through several exchanges of keys', async () => {
  const bytes = randomBytes(64 * 1024 * 1024);
  const path = join(folder, 'big');
  const upload = await storage.begin(path);
  for (let at = 0; at < bytes.length; at += 300_007) await upload.write(bytes.subarray(at, at + 300_007));
  const receipt = await upload.finish();
  expect(receipt).toEqual({ path, temporary: '.big.tmp', bytes: bytes.length });
  await storage.publish(receipt, { replaces: false });
  const digest = createHash('sha256');
  for await (const chunk of storage.read(path, { from: 0 }, never)) digest.update(chunk);
  expect(digest.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test.each([
  [{ from: 0 }, 0, 1_000_000],
  [{ from: 999_999 }, 999_999, 1_000_000],
  [{ from: 5, to: 5 }, 5, 5],
  [{ from: 131_071, to: 131_073 }, 131_071, 131_073],
  [{ from: 300_000, to: 800_000 }, 300_000, 800_000],
  [{ from: 999_000, to: 2_000_000 }, 999_000, 1_000_000],
  [{ from: 1_000_000 }, 1_000_000, 1_000_000],
])('the range %j of a file is read', async (range, from, to) => {
  const bytes = randomBytes(1_000_000);
  writeFileSync(join(folder, 'a'), bytes);
  expect((await bytesOf(storage.read(join(folder, 'a'), range, never))).equals(bytes.subarray(from, to))).toBe(true);
});

test('an empty file is read and written', async () => {
  await storage.publish(await (await storage.begin(join(folder, 'a'))).finish(), { replaces: false });
  expect(statSync(join(folder, 'a')).size).toBe(0);
  expect(await bytesOf(storage.read(join(folder, 'a'), { from: 0 }, never))).toHaveLength(0);
});

test('a file that is not there is PATH_MISSING, and a folder is no file', async () => {
  const missing = join(folder, 'none');
  await expect(bytesOf(storage.read(missing, { from: 0 }, never))).rejects.toMatchObject({
    code: 'PATH_MISSING',
    place: storage.nameOf(missing),
  });
  await expect(bytesOf(storage.read(folder, { from: 0 }, never))).rejects.toMatchObject({ code: 'FILE_FAILED' });
  await expect(storage.begin(join(folder, 'none', 'a'))).rejects.toMatchObject({ code: 'PATH_MISSING' });
  expect(await storage.facts(missing)).toBeUndefined();
  expect(await storage.facts(folder)).toBeUndefined();
});

test('a file that is cut while it is read is FILE_CHANGED', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, randomBytes(8_000_000));
  const reading = (async () => {
    for await (const chunk of storage.read(path, { from: 0 }, never)) if (chunk.length > 0) truncateSync(path, 4_000_000);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'FILE_CHANGED', message: expect.stringContaining('ends at 4000000 of 8000000') });
});

test('a file that grows while it is read ends where it ended at first', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, randomBytes(3_000_000));
  let bytes = 0;
  for await (const chunk of storage.read(path, { from: 0 }, never)) {
    if (bytes === 0) writeFileSync(path, randomBytes(1000), { flag: 'a' });
    bytes += chunk.length;
  }
  expect(bytes).toBe(3_000_000);
});

test('until it is published a file is there under its hidden name only', async () => {
  const receipt = await uploadTo(storage, join(folder, 'a'), Buffer.from('new'));
  expect(await found('.')).toEqual([]);
  expect(readFileSync(join(folder, '.a.tmp'), 'utf8')).toBe('new');
  await storage.publish(receipt, { replaces: false });
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
  expect(existsSync(join(folder, '.a.tmp'))).toBe(false);
});

test('a file that is there already is FILE_EXISTS, or is replaced if that is wanted', async () => {
  put('a');
  const receipt = await uploadTo(storage, join(folder, 'a'), Buffer.from('new'));
  await expect(storage.publish(receipt, { replaces: false })).rejects.toMatchObject({
    code: 'FILE_EXISTS',
    place: storage.nameOf(join(folder, 'a')),
  });
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('a');
  await storage.publish(receipt, { replaces: true });
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
});

test('what a run left is found by the next one, and removed; abort leaves nothing', async () => {
  const receipt = await uploadTo(storage, join(folder, 'a b.csv'), Buffer.from('left'));
  put('.hidden', '.tmp', 'x.tmp', 'below/.b.tmp');
  expect(await storage.unfinishedIn(folder)).toEqual([receipt]);
  await storage.discard(receipt);
  await storage.discard(receipt);
  expect(await storage.unfinishedIn(folder)).toEqual([]);
  const upload = await storage.begin(join(folder, 'c'));
  await upload.write(randomBytes(3_000_000));
  await upload.abort();
  await upload.abort();
  await expect(upload.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await storage.unfinishedIn(folder)).toEqual([]);
  expect(await storage.unfinishedIn(join(folder, 'none'))).toEqual([]);
});

test('an upload that is aborted after it was finished does not disturb the next one', async () => {
  const first = await storage.begin(join(folder, 'a'));
  await first.finish();
  const second = await storage.begin(join(folder, 'b'));
  await second.write(Buffer.from('second'));
  await first.abort();
  await storage.publish(await second.finish(), { replaces: false });
  expect((await storage.filesIn(folder)).map(({ path, bytes }) => [path, bytes])).toEqual([[join(folder, 'b'), 6]]);
});

test('a link under the hidden name is not followed: the file behind it stays as it is', async () => {
  put('precious');
  symlinkSync(join(folder, 'precious'), join(folder, '.a.tmp'));
  await storage.publish(await uploadTo(storage, join(folder, 'a'), Buffer.from('new')), { replaces: true });
  expect(readFileSync(join(folder, 'precious'), 'utf8')).toBe('precious');
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('new');
});

test('a folder means all files below it, in order, without what is hidden and without links', async () => {
  put('b.csv', 'a/z.csv', 'a/deep/er/x', 'B', 'ä', '.hidden', '.git/config', 'a/.b.tmp');
  symlinkSync(join(folder, 'b.csv'), join(folder, 'link'));
  symlinkSync(join(folder, 'a'), join(folder, 'links'));
  expect(await found('')).toEqual(['B', 'a/deep/er/x', 'a/z.csv', 'b.csv', 'ä']);
  expect(await found('a/')).toEqual(['a/deep/er/x', 'a/z.csv']);
});

test('a path that is named is followed, hidden or a link', async () => {
  put('a.csv', '.hidden', 'below/b');
  symlinkSync(join(folder, 'a.csv'), join(folder, 'link'));
  symlinkSync(join(folder, 'below'), join(folder, 'links'));
  expect(await found('link')).toEqual(['link']);
  expect(await found('.hidden')).toEqual(['.hidden']);
  expect(await found('links')).toEqual(['links/b']);
  expect(await bytesOf(storage.read(join(folder, 'link'), { from: 0 }, never))).toEqual(Buffer.from('a.csv'));
});

test.each([
  ['*.csv', ['a.csv', 'b.csv']],
  ['?.csv', ['a.csv', 'b.csv']],
  ['*', ['(x)+.txt', 'a.csv', 'b.csv', 'd1/c.csv', 'd1/t.txt', 'd2/c.csv', 'd2/deep/e.csv']],
  ['*/*', ['d1/c.csv', 'd1/t.txt', 'd2/c.csv', 'd2/deep/e.csv']],
  ['d?', ['d1/c.csv', 'd1/t.txt', 'd2/c.csv', 'd2/deep/e.csv']],
  ['d?/c.csv', ['d1/c.csv', 'd2/c.csv']],
  ['d1/**', ['d1/c.csv', 'd1/t.txt']],
  ['.*', ['.d/x.csv', '.h.csv']],
  ['.d/*', ['.d/x.csv']],
  ['(x)+*', ['(x)+.txt']],
  ['none/*', []],
  ['*.none', []],
])('the pattern %s means %j', async (pattern, files) => {
  put('a.csv', 'b.csv', 'd1/c.csv', 'd1/t.txt', 'd2/c.csv', 'd2/deep/e.csv', '.h.csv', '.d/x.csv', '(x)+.txt');
  expect(await found(pattern)).toEqual(files);
});

test('a file whose name looks like a pattern is meant by that name', async () => {
  put('*.csv', 'a.csv', 'lines\nin it.csv');
  expect(await found('*.csv')).toEqual(['*.csv']);
  expect(await found('lines*')).toEqual(['lines\nin it.csv']);
});

test('a folder of a thousand files is listed whole', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `f${String(index).padStart(4, '0')}`);
  put(...names);
  expect(await found('')).toEqual(names);
});

test('filesIn lists the files of one folder, hidden ones too', async () => {
  put('b', '.a', 'below/c');
  expect((await storage.filesIn(folder)).map(({ path, bytes }) => [path, bytes])).toEqual([
    [join(folder, '.a'), 2],
    [join(folder, 'b'), 1],
  ]);
  expect(await storage.filesIn(join(folder, 'none'))).toEqual([]);
});

test('the version of a file is another one when its size or its time is', async () => {
  put('a');
  const path = join(folder, 'a');
  const first = await storage.facts(path);
  expect(first).toMatchObject({ path, bytes: 1 });
  expect(await storage.facts(path)).toEqual(first);
  expect((await storage.find(folder))[0]).toEqual(first);
  utimesSync(path, 1000, 1000);
  const second = await storage.facts(path);
  expect(second!.version).not.toBe(first!.version);
});

test('folders are made with those above them, side by side, and not over a file', async () => {
  const path = join(folder, 'x/y/z');
  await Promise.all([storage.makeFolder(path), storage.makeFolder(path), storage.makeFolder(join(folder, 'x/y/w'))]);
  await storage.makeFolder(path);
  expect([statSync(path).isDirectory(), statSync(join(folder, 'x/y/w')).isDirectory()]).toEqual([true, true]);
  put('file');
  await expect(storage.makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'FILE_FAILED' });
});

test('a file is removed, also when it is gone, and a link without what it leads to', async () => {
  put('a');
  symlinkSync(join(folder, 'a'), join(folder, 'link'));
  await storage.remove(join(folder, 'link'));
  expect(existsSync(join(folder, 'a'))).toBe(true);
  await storage.remove(join(folder, 'a'));
  await storage.remove(join(folder, 'a'));
  expect(existsSync(join(folder, 'a'))).toBe(false);
});

test('paths without a slash in front begin where the login does', async () => {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  put('a');
  expect(await storage.find(`${name}/a`)).toEqual(await storage.find(join(folder, 'a')));
  expect(storage.join(name, 'a')).toBe(`${name}/a`);
  expect(storage.nameOf(`./${name}/a`)).toBe(`sftp://127.0.0.1:${sshd.port}${folder}/a`);
  expect(storage.nameOf('/')).toBe(`sftp://127.0.0.1:${sshd.port}/`);
});

test('files are read and written side by side over one connection', async () => {
  const contents = Array.from({ length: 6 }, () => randomBytes(3_000_000));
  await Promise.all(
    contents.map(async (bytes, index) => {
      const path = join(folder, String(index));
      await storage.publish(await uploadTo(storage, path, bytes), { replaces: false });
      expect((await bytesOf(storage.read(path, { from: 0 }, never))).equals(bytes)).toBe(true);
    }),
  );
});

test('a file is flushed to the disk of the server before it has its name, with one request each for that and the renaming', async () => {
  const log = join(folder, 'log');
  const noted = await startSshd({ settings: [`ForceCommand /usr/lib/openssh/sftp-server -e -l DEBUG3 2>>${log}`] });
  onTestFinished(() => noted.stop());
  const other = await openSftpStorage(loginTo(noted), never);
  onTestFinished(() => other.close());
  await other.publish(await uploadTo(other, join(folder, 'a'), Buffer.from('new')), { replaces: true });
  const requests = [...readFileSync(log, 'utf8').matchAll(/request \d+: (write|fsync|close|posix-rename)/g)].map(([, request]) => request);
  expect(requests).toEqual(['write', 'fsync', 'close', 'posix-rename']);
});
