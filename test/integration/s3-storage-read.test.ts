import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { bytesOf, failing, sha256, someBytes, store, testStorage, textOf } from '../support/s3-files.ts';
import { openProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

const mebi = 1024 * 1024;
const content = someBytes(40 * mebi + 123);

let s3: S3Server;
let bucket: string;

beforeAll(async () => {
  s3 = await startS3();
  bucket = await s3.createBucket('read');
});
afterAll(() => s3?.stop());

const never = new AbortController().signal;
const storageHere = (): Promise<Storage> => testStorage(s3, { bucket });

async function firstChunk(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  const { value, done } = await chunks.next();
  if (done === true) throw new Error('There was no chunk.');
  return value;
}

async function rest(chunks: AsyncIterator<Buffer>): Promise<number> {
  let bytes = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) bytes += next.value.length;
  return bytes;
}

test.each([
  [{ from: 0 }, '0123456789'],
  [{ from: 3 }, '3456789'],
  [{ from: 3, to: 5 }, '34'],
  [{ from: 0, to: 100 }, '0123456789'],
  [{ from: 9, to: 10 }, '9'],
  [{ from: 10 }, ''],
  [{ from: 50, to: 60 }, ''],
  [{ from: 4, to: 4 }, ''],
])('the range %o of ten bytes is %j', async (range, text) => {
  const storage = await storageHere();
  await store(storage, 'ten', '0123456789');
  expect(await textOf(storage, 'ten', range)).toBe(text);
});

test('of an empty file every range is empty', async () => {
  const storage = await storageHere();
  await store(storage, 'empty', '');
  expect(await textOf(storage, 'empty')).toBe('');
  expect(await textOf(storage, 'empty', { from: 0, to: 10 })).toBe('');
  expect(await textOf(storage, 'empty', { from: 5 })).toBe('');
});

test('a big file comes in order, in chunks of at most 256 KiB, also from its middle', async () => {
  const storage = await storageHere();
  await store(storage, 'big', content);
  expect(sha256(await bytesOf(storage, 'big'))).toBe(sha256(content));
  const [from, to] = [7 * mebi + 3, 31 * mebi + 1];
  expect(sha256(await bytesOf(storage, 'big', { from, to }))).toBe(sha256(content.subarray(from, to)));
  for await (const chunk of storage.read('big', { from: 0 }, never)) {
    expect(chunk.length).toBeGreaterThan(0);
    expect(chunk.length).toBeLessThanOrEqual(256 * 1024);
  }
});

test('a file that is not there is a missing path', async () => {
  const fault = await failing(bytesOf(await storageHere(), 'none.csv'), 'PATH_MISSING');
  expect(fault.place).toBe(`s3://${bucket}/none.csv`);
});

test('a file that is replaced while it is read has changed', async () => {
  const storage = await storageHere();
  await store(storage, 'changed', content);
  const chunks = storage.read('changed', { from: 0 }, never)[Symbol.asyncIterator]();
  await firstChunk(chunks);
  await store(storage, 'changed', content.subarray(1));
  const fault = await failing(rest(chunks), 'FILE_CHANGED');
  expect(fault.message).toContain('changed while it was read');
  expect(fault.place).toBe(`s3://${bucket}/changed`);
});

test('a file that is removed while it is read has changed', async () => {
  const storage = await storageHere();
  await store(storage, 'removed', content);
  const chunks = storage.read('removed', { from: 0 }, never)[Symbol.asyncIterator]();
  await firstChunk(chunks);
  await storage.remove('removed');
  const fault = await failing(rest(chunks), 'FILE_CHANGED');
  expect(fault.message).toContain('was removed while it was read');
});

test('a reader that waits makes the requests wait', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, concurrency: 2 });
  await store(storage, 'waiting', content);
  const before = proxy.bytesDown();
  const chunks = storage.read('waiting', { from: 0 }, never)[Symbol.asyncIterator]();
  let taken = 0;
  while (taken < 12 * mebi) taken += (await firstChunk(chunks)).length;
  await pause(500);
  // Two requests of 4 MiB ahead, and the rest of the one before them.
  expect(proxy.bytesDown() - before).toBeLessThan(taken + 3 * 4 * mebi + mebi);
  expect(taken + (await rest(chunks))).toBe(content.length);
});

test('who looks only at the beginning of a file fetches little of it', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket });
  await store(storage, 'beginning', content);
  const before = proxy.bytesDown();
  for await (const chunk of storage.read('beginning', { from: 0 }, never)) {
    expect(chunk.equals(content.subarray(0, chunk.length))).toBe(true);
    break;
  }
  await pause(200);
  expect(proxy.bytesDown() - before).toBeLessThan(mebi);
  expect(await storage.facts('beginning')).toBeDefined();
});

test('where connections break, new ones go on from there', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, concurrency: 2 });
  await store(storage, 'breaking', content);
  proxy.cut(15, 1.5 * mebi);
  expect(sha256(await bytesOf(storage, 'breaking'))).toBe(sha256(content));
});

test('a connection that breaks again and again without a byte is lost', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, maxAttempts: 2 });
  await store(storage, 'lost', content);
  const chunks = storage.read('lost', { from: 0 }, never)[Symbol.asyncIterator]();
  await firstChunk(chunks);
  proxy.cut(1_000_000);
  const fault = await failing(rest(chunks), 'CONNECTION_LOST', s3.secretAccessKey);
  expect(fault.place).toBe(`s3://${bucket}/lost`);
});

test('reading ends soon after its signal fires, and the storage goes on', async () => {
  const storage = await storageHere();
  await store(storage, 'cancelled', content);
  const controller = new AbortController();
  const chunks = storage.read('cancelled', { from: 0 }, controller.signal)[Symbol.asyncIterator]();
  await firstChunk(chunks);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(rest(chunks)).rejects.toBe(reason);
  await expect(storage.read('cancelled', { from: 0 }, controller.signal)[Symbol.asyncIterator]().next()).rejects.toBe(reason);
  expect(await textOf(storage, 'cancelled', { from: 0, to: 0 })).toBe('');
  expect(await bytesOf(storage, 'cancelled', { from: 0, to: 10 })).toEqual(content.subarray(0, 10));
});

test('ten files are read side by side without a warning of node', async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  const storage = await storageHere();
  await store(storage, 'side', content.subarray(0, 3 * mebi));
  const all = await Promise.all(Array.from({ length: 12 }, () => bytesOf(storage, 'side')));
  process.off('warning', listener);
  expect(new Set(all.map(sha256))).toEqual(new Set([sha256(content.subarray(0, 3 * mebi))]));
  expect(warnings).toEqual([]);
});
