import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { SftpOptions } from '../../../plugins/sftp/connection.ts';
import { readAheadBytes } from '../../../plugins/sftp/read-file.ts';
import { openSftpStorage } from '../../../plugins/sftp/sftp-storage.ts';
import { writeAheadBytes } from '../../../plugins/sftp/sftp-upload.ts';
import { until } from '../../support/until.ts';
import { type OddServer, type OddSettings, startOddServer } from './odd-server.ts';

const never = new AbortController().signal;

async function open(settings: OddSettings = {}, more: Partial<SftpOptions> = {}) {
  const server = await startOddServer(settings);
  const storage = await openSftpStorage({ ...loginTo(server), ...more }, never);
  onTestFinished(() => storage.close());
  return { ...storage, server };
}

function loginTo({ host, port }: OddServer): SftpOptions {
  return { host, port, username: 'me', password: 'right', hostKey: { check: false }, reconnect: { tries: 3, firstPauseMs: 10 } };
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test('the right password logs in, a wrong one is LOGIN_REFUSED, without the password in the text', async () => {
  const server = await startOddServer();
  await (await openSftpStorage(loginTo(server), never)).close();
  const refused = openSftpStorage({ ...loginTo(server), password: 'w-r-o-n-g' }, never);
  await expect(refused).rejects.toMatchObject({ code: 'LOGIN_REFUSED', message: expect.stringMatching(/^the SFTP server .* of me$/) });
});

test('a server that asks for the password gets it, and no answer to anything that may be seen', async () => {
  const { find } = await open({ isAsking: true });
  expect(await find('/none')).toEqual([]);
});

test('an expired password is LOGIN_REFUSED, and says so', async () => {
  await expect(open({ isExpired: true })).rejects.toMatchObject({
    code: 'LOGIN_REFUSED',
    message: expect.stringContaining('wants a new password'),
  });
});

test.each(['../up', '..', 'a/b', '/etc/passwd', 'a\0b', ''])('a listing with the name %j is FILE_BROKEN', async (name) => {
  const { find, filesIn } = await open({ names: ['good.csv', name] });
  // ssh2 itself leaves out "." and "..".
  if (name === '..') return expect(await filesIn('/in')).toMatchObject([{ path: '/in/good.csv' }]);
  for (const list of [() => find('/in'), () => find('/in/*'), () => filesIn('/in')]) {
    await expect(list()).rejects.toMatchObject({ code: 'FILE_BROKEN', place: expect.stringContaining('/in') });
  }
});

test('answers shorter than asked for are completed', async () => {
  const { server, read } = await open({ mostReadBytes: 1000 });
  const bytes = randomBytes(250_000);
  server.files.set('/in/a', bytes);
  expect((await bytesOf(read('/in/a', { from: 0 }, never))).equals(bytes)).toBe(true);
});

test('answers in another order are put right', async () => {
  const waiting: (() => void)[] = [];
  const { server, read } = await open({
    treat: ({ kind }, proceed) => {
      if (kind !== 'READ') return proceed();
      if (waiting.push(proceed) < 5) return;
      for (const answer of waiting.splice(0).reverse()) answer();
    },
  });
  const bytes = randomBytes(31_952 * 10);
  server.files.set('/in/a', bytes);
  expect((await bytesOf(read('/in/a', { from: 0 }, never))).equals(bytes)).toBe(true);
});

test('acknowledgements in another order leave every byte in its place', async () => {
  const waiting: (() => void)[] = [];
  const { server, begin } = await open({
    treat: ({ kind }, proceed) => {
      if (kind !== 'WRITE') return proceed();
      if (waiting.push(proceed) < 5) return;
      for (const answer of waiting.splice(0).reverse()) answer();
    },
  });
  const bytes = randomBytes(31_952 * 10);
  const upload = await begin('/in/a');
  await upload.write(bytes);
  expect(await upload.finish()).toMatchObject({ bytes: bytes.length });
  expect(server.files.get('/in/.a.tmp')!.equals(bytes)).toBe(true);
});

test('no more than the window is asked for before it is read', async () => {
  const held: (() => void)[] = [];
  let isHolding = true;
  let asked = 0;
  const { server, read } = await open({
    treat: ({ kind, bytes }, proceed) => {
      if (kind !== 'READ') return proceed();
      asked += bytes;
      if (isHolding) held.push(proceed);
      else proceed();
    },
  });
  const bytes = randomBytes(4 * readAheadBytes);
  server.files.set('/in/a', bytes);
  const chunks = read('/in/a', { from: 0 }, never)[Symbol.asyncIterator]();
  const first = chunks.next();
  await until('the window is full', 5000, async () => expect(asked).toBeGreaterThan(readAheadBytes - 40_000));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toBeLessThanOrEqual(readAheadBytes);
  isHolding = false;
  for (const answer of held) answer();
  const got = [(await first).value as Buffer];
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toBeLessThanOrEqual(readAheadBytes);
  got.push((await chunks.next()).value as Buffer);
  await until('one more is asked for', 5000, async () => expect(asked).toBeGreaterThan(readAheadBytes - 40_000));
  expect(asked).toBeLessThanOrEqual(readAheadBytes + got[0]!.length);
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) got.push(next.value);
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
});

test('no more than the window is written before it is acknowledged', async () => {
  const held: (() => void)[] = [];
  let isHolding = true;
  let written = 0;
  const { server, begin } = await open({
    treat: ({ kind, bytes }, proceed) => {
      if (kind !== 'WRITE') return proceed();
      written += bytes;
      if (isHolding) held.push(proceed);
      else proceed();
    },
  });
  const bytes = randomBytes(2 * writeAheadBytes);
  const upload = await begin('/in/a');
  let hasRoom = false;
  const writing = upload.write(bytes).then(() => {
    hasRoom = true;
  });
  await until('the window is full', 5000, async () => expect(written).toBeGreaterThan(writeAheadBytes - 40_000));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect({ hasRoom, isBounded: written <= writeAheadBytes }).toEqual({ hasRoom: false, isBounded: true });
  isHolding = false;
  for (const answer of held) answer();
  await writing;
  await upload.finish();
  expect(server.files.get('/in/.a.tmp')!.equals(bytes)).toBe(true);
});

test('bytes that were handed over may be overwritten at once', async () => {
  const { server, begin } = await open();
  const upload = await begin('/in/a');
  const piece = Buffer.alloc(50_000, 1);
  await upload.write(piece);
  piece.fill(2);
  await upload.write(piece);
  await upload.finish();
  expect(server.files.get('/in/.a.tmp')!.equals(Buffer.concat([Buffer.alloc(50_000, 1), Buffer.alloc(50_000, 2)]))).toBe(true);
});

test('a server that swallows bytes is noticed at the end', async () => {
  const { server, begin } = await open({
    treat: ({ kind, path }, proceed) => {
      if (kind === 'LSTAT') server.files.set(path, server.files.get(path)!.subarray(1));
      proceed();
    },
  });
  const upload = await begin('/in/a');
  await upload.write(Buffer.alloc(1000));
  await expect(upload.finish()).rejects.toMatchObject({ code: 'FILE_FAILED', message: expect.stringContaining('999 bytes') });
});

test('a server without extensions still replaces a file, and never without being asked to', async () => {
  const { server, begin, publish, discard } = await open();
  server.files.set('/in/a', Buffer.from('old'));
  const upload = await begin('/in/a');
  await upload.write(Buffer.from('new'));
  const receipt = await upload.finish();
  await expect(publish(receipt, { replaces: false })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  expect(server.files.get('/in/a')!.toString()).toBe('old');
  await publish(receipt, { replaces: true });
  expect([...server.files].map(([path, bytes]) => [path, bytes.toString()])).toEqual([['/in/a', 'new']]);
  await discard(receipt);
});

test('a file is not replaced unasked, even by a server that would, or if it comes at the last moment', async () => {
  const replacing = await open({ isReplacing: true });
  replacing.server.files.set('/in/a', Buffer.from('old'));
  const receipt = await (await replacing.begin('/in/a')).finish();
  await expect(replacing.publish(receipt, { replaces: false })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  expect(replacing.server.files.get('/in/a')!.toString()).toBe('old');

  const racing: Awaited<ReturnType<typeof open>> = await open({
    treat: ({ kind, path }, proceed) => {
      if (kind === 'RENAME') racing.server.files.set(path, Buffer.from('other'));
      proceed();
    },
  });
  const late = await (await racing.begin('/in/a')).finish();
  await expect(racing.publish(late, { replaces: false })).rejects.toMatchObject({ code: 'FILE_EXISTS', place: racing.nameOf('/in/a') });
});

test('a loop that is left closes its file, like one that ends or fails', async () => {
  const handles = new Map<string, number>();
  const { server, read } = await open({
    treat: ({ kind, path }, proceed) => {
      if (kind === 'OPEN') handles.set(path, (handles.get(path) ?? 0) + 1);
      if (kind === 'CLOSE') handles.set(path, handles.get(path)! - 1);
      if (kind === 'READ' && path === '/in/cut') server.files.set(path, Buffer.alloc(10));
      proceed();
    },
  });
  for (const name of ['left', 'ended', 'cut']) server.files.set(`/in/${name}`, Buffer.alloc(500_000));
  for await (const chunk of read('/in/left', { from: 0 }, never)) if (chunk.length > 0) break;
  await bytesOf(read('/in/ended', { from: 0 }, never));
  await expect(bytesOf(read('/in/cut', { from: 0 }, never))).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  expect([...handles]).toEqual([
    ['/in/left', 0],
    ['/in/ended', 0],
    ['/in/cut', 0],
  ]);
});

test.each(['before', 'after'])('a file is published once when the connection ends just %s it was renamed', async (when) => {
  let isCut = false;
  const { server, begin, publish } = await open({
    treat: ({ kind }, proceed, hangUp) => {
      if (kind !== 'RENAME' || isCut) return proceed();
      isCut = true;
      // In this order the answer does not get out any more.
      hangUp();
      if (when === 'after') proceed();
    },
  });
  const upload = await begin('/in/a');
  await upload.write(Buffer.from('new'));
  await publish(await upload.finish(), { replaces: false });
  expect([...server.files].map(([path, bytes]) => [path, bytes.toString()])).toEqual([['/in/a', 'new']]);
  expect(isCut).toBe(true);
});

test('a server that hangs up again and again is given up on, with what was lost', async () => {
  let opens = 0;
  const { server, read } = await open({
    treat: ({ kind }, proceed, hangUp) => {
      if (kind !== 'READ') return proceed();
      opens++;
      hangUp();
    },
  });
  server.files.set('/in/a', Buffer.alloc(10));
  await expect(bytesOf(read('/in/a', { from: 0 }, never))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(opens).toBe(3);
});
