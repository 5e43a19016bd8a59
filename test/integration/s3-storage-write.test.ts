import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { bytesOfPart } from '../../plugins/s3/multipart-upload.ts';
import { bytesOf, failing, sha256, someBytes, store, testStorage, textOf, upload } from '../support/s3-files.ts';
import { openProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

const mebi = 1024 * 1024;
/** The smallest that servers take. */
const partBytes = 5 * mebi;

let s3: S3Server;
let bucket: string;

beforeAll(async () => {
  s3 = await startS3();
  bucket = await s3.createBucket('write');
});
afterAll(() => s3?.stop());

const storageHere = (): Promise<Storage> => testStorage(s3, { bucket, partBytes });

/** Keys of all uploads that are neither completed nor aborted. */
async function openUploads(): Promise<string[]> {
  const client = s3.client();
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.map(({ Key = '' }) => Key);
  } finally {
    client.destroy();
  }
}

test('100 MB come back byte by byte, and only the parts on their way are in memory', async () => {
  const storage = await testStorage(s3, { bucket, partBytes, concurrency: 3 });
  const block = someBytes(mebi);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  const file = await storage.begin('big.bin');
  for (let count = 0; count < 100; count += 1) {
    block.writeUInt32LE(count, 0);
    await file.write(block);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  const receipt = await file.finish();
  expect(receipt.bytes).toBe(100 * mebi);
  // 4 parts of ours; a few MiB are the SDK's and node's.
  expect(peak - before).toBeLessThan(4 * partBytes + 8 * mebi);
  await storage.publish(receipt, { replaces: false });
  let count = 0;
  for await (const bytes of inBlocks(storage.read('big.bin', { from: 0 }, new AbortController().signal), mebi)) {
    block.writeUInt32LE(count, 0);
    expect(bytes.equals(block)).toBe(true);
    count += 1;
  }
  expect(count).toBe(100);
});

async function* inBlocks(chunks: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let block = Buffer.alloc(0);
  for await (const chunk of chunks) {
    block = Buffer.concat([block, chunk]);
    for (; block.length >= length; block = block.subarray(length)) yield block.subarray(0, length);
  }
  if (block.length > 0) yield block;
}

test('a file is not visible before it is published', async () => {
  const storage = await storageHere();
  const file = await storage.begin('hidden/a.csv');
  await file.write(someBytes(partBytes + 1));
  expect(await storage.find('hidden')).toEqual([]);
  const receipt = await file.finish();
  expect(await storage.find('hidden')).toEqual([]);
  expect(await storage.facts('hidden/a.csv')).toBeUndefined();
  expect(await storage.filesIn('hidden')).toEqual([]);
  await failing(bytesOf(storage, 'hidden/a.csv'), 'PATH_MISSING');
  await storage.publish(receipt, { replaces: false });
  expect(await storage.find('hidden')).toMatchObject([{ path: 'hidden/a.csv', bytes: partBytes + 1 }]);
  expect(await storage.unfinishedIn('hidden')).toEqual([]);
});

test.each([0, 1, partBytes - 1, partBytes, partBytes + 1, 3 * partBytes])('a file of %i bytes comes back', async (length) => {
  const storage = await storageHere();
  const content = someBytes(length);
  await store(storage, 'size.bin', content);
  expect(await storage.facts('size.bin')).toMatchObject({ bytes: length });
  expect(sha256(await bytesOf(storage, 'size.bin'))).toBe(sha256(content));
  expect(await openUploads()).toEqual([]);
});

test('an empty file replaces nothing unless it may', async () => {
  const storage = await storageHere();
  await store(storage, 'empty.csv', 'content');
  const receipt = await upload(storage, 'empty.csv', '');
  await failing(storage.publish(receipt, { replaces: false }), 'FILE_EXISTS');
  expect(await textOf(storage, 'empty.csv')).toBe('content');
  await storage.publish(receipt, { replaces: true });
  await storage.publish(receipt, { replaces: true });
  await storage.publish(receipt, { replaces: false });
  expect(await storage.facts('empty.csv')).toMatchObject({ bytes: 0 });
});

test('bytes that were written may be used again at once', async () => {
  const storage = await storageHere();
  const file = await storage.begin('reused.bin');
  const block = Buffer.alloc(mebi);
  for (let count = 0; count < 12; count += 1) await file.write(block.fill(count));
  block.fill(99);
  await storage.publish(await file.finish(), { replaces: true });
  const bytes = await bytesOf(storage, 'reused.bin');
  expect(Array.from({ length: 12 }, (_, index) => bytes[index * mebi + 5])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('an aborted upload leaves nothing, with parts on their way too', async () => {
  const storage = await storageHere();
  const [small, big] = [await storage.begin('aborted/small'), await storage.begin('aborted/big')];
  await small.write(Buffer.from('x'));
  await big.write(someBytes(3 * partBytes));
  expect((await openUploads()).sort()).toEqual(['aborted/big', 'aborted/small']);
  await Promise.all([small.abort(), big.abort()]);
  await big.abort();
  expect(await openUploads()).toEqual([]);
  expect(await storage.find('aborted')).toEqual([]);
  await expect(big.write(someBytes(1))).rejects.toThrow(/is over/);
});

test('a discarded file is gone, and may be gone before', async () => {
  const storage = await storageHere();
  const receipt = await upload(storage, 'discarded.csv', 'x');
  await storage.discard(receipt);
  await storage.discard(receipt);
  expect(await openUploads()).toEqual([]);
});

test('a receipt works after a journey as JSON, in another storage', async () => {
  const receipt = await upload(await storageHere(), 'journey.csv', someBytes(partBytes + 3));
  await (await storageHere()).publish(JSON.parse(JSON.stringify(receipt)), { replaces: false });
  expect(await (await storageHere()).facts('journey.csv')).toMatchObject({ bytes: partBytes + 3 });
});

test('a file that is there is replaced only if it may be', async () => {
  const storage = await storageHere();
  await store(storage, 'there.csv', 'old');
  const receipt = await upload(storage, 'there.csv', 'new');
  const fault = await failing(storage.publish(receipt, { replaces: false }), 'FILE_EXISTS');
  expect(fault.place).toBe(`s3://${bucket}/there.csv`);
  expect(await textOf(storage, 'there.csv')).toBe('old');
  await storage.publish(receipt, { replaces: true });
  expect(await textOf(storage, 'there.csv')).toBe('new');
});

test('a file with the same content that somebody else wrote before is one that is there', async () => {
  const storage = await storageHere();
  await store(storage, 'same.csv', 'content');
  const receipt = await upload(storage, 'same.csv', 'content');
  await failing(storage.publish(receipt, { replaces: false }), 'FILE_EXISTS');
  await storage.discard(receipt);
});

test.each([true, false])('a publish that is repeated after a crash succeeds (replaces: %s)', async (replaces) => {
  const storage = await storageHere();
  const content = someBytes(partBytes + 7);
  const receipt = await upload(storage, `twice-${replaces}.csv`, content);
  await storage.publish(receipt, { replaces });
  await storage.publish(receipt, { replaces });
  await (await storageHere()).publish(receipt, { replaces });
  expect(await storage.facts(`twice-${replaces}.csv`)).toMatchObject({ bytes: content.length });
});

test.each([true, false])('a publish whose answer was lost succeeds (replaces: %s)', async (replaces) => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, partBytes });
  const receipt = await upload(storage, `lost-${replaces}.csv`, 'content');
  // With `replaces` false the answer about the file that may be there goes first; it is asked for again.
  proxy.cut(2);
  await storage.publish(receipt, { replaces });
  expect(await textOf(storage, `lost-${replaces}.csv`)).toBe('content');
});

test('a file whose upload somebody aborted cannot be published', async () => {
  const storage = await testStorage(s3, { bucket, partBytes, maxAttempts: 1 });
  const receipt = await upload(storage, 'gone.csv', 'x');
  await storage.discard(receipt);
  await failing(storage.publish(receipt, { replaces: true }), 'FILE_FAILED');
  expect(await storage.facts('gone.csv')).toBeUndefined();
});

test('unfinished files of a folder are listed, and can be discarded by a later run', async () => {
  const storage = await storageHere();
  for (const key of ['left/a.csv', 'left/.b.csv', 'left/below/c.csv', 'left.csv']) await upload(storage, key, 'x');
  const later = await storageHere();
  const left = await later.unfinishedIn('left');
  expect(left.map(({ path }) => path)).toEqual(['left/.b.csv', 'left/a.csv']);
  expect(Math.abs(Number(left[0]?.begun) - Date.now())).toBeLessThan(60_000);
  for (const receipt of left) await later.discard(receipt);
  expect(await later.unfinishedIn('left')).toEqual([]);
  expect(await openUploads()).toEqual(['left.csv', 'left/below/c.csv']);
  for (const folder of ['', 'left/below']) for (const receipt of await later.unfinishedIn(folder)) await later.discard(receipt);
});

test('a connection that breaks during an upload costs one more attempt', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, partBytes });
  const content = someBytes(4 * partBytes + 11);
  const file = await storage.begin('broken.bin');
  proxy.cutUp(3, 2 * mebi);
  await file.write(content);
  await storage.publish(await file.finish(), { replaces: true });
  expect(sha256(await bytesOf(storage, 'broken.bin'))).toBe(sha256(content));
});

test('an upload whose connection always breaks fails, and can be aborted', async () => {
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, partBytes, maxAttempts: 2 });
  const file = await storage.begin('never.bin');
  proxy.cutUp(1000, mebi);
  const writing = async () => {
    for (let count = 0; count < 100; count += 1) await file.write(someBytes(mebi));
  };
  await failing(writing(), 'CONNECTION_LOST', s3.secretAccessKey);
  await failing(file.finish(), 'CONNECTION_LOST');
  proxy.cutUp(0, 0);
  await file.abort();
  expect(await openUploads()).toEqual([]);
});

test('with a checksum in each request files come back too', async () => {
  const storage = await testStorage(s3, { bucket, partBytes, requestChecksum: 'when-supported' });
  const content = someBytes(2 * partBytes + 1);
  await store(storage, 'checksums.bin', content);
  expect(sha256(await bytesOf(storage, 'checksums.bin'))).toBe(sha256(content));
});

test('parts grow, so that 4 TB fit into the 10,000 that there may be', () => {
  const sizes = Array.from({ length: 10_000 }, (_, index) => bytesOfPart(index + 1, 8 * mebi));
  expect([sizes[0], sizes[999], sizes[1000], sizes[9999]]).toEqual([8 * mebi, 8 * mebi, 16 * mebi, 1024 * mebi]);
  expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(4e12);
});

test('a folder is no file that could be written', async () => {
  const storage = await storageHere();
  await failing(storage.begin('folder/'), 'FILE_FAILED');
});
