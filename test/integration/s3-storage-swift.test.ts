import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, failing, sha256, someBytes, store, testStorage, textOf, upload } from '../support/s3-files.ts';
import { openRequestProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

/*
 * What differs between vendors, on a second one: Swift completes an upload on condition, and Ceph 16 does not. With
 * DRAY_TEST_S3_KIND=swift the other tests run on it too.
 */

const mebi = 1024 * 1024;

let s3: S3Server;
let bucket: string;

beforeAll(async () => {
  s3 = await startS3('swift');
  bucket = await s3.createBucket('swift');
});
afterAll(() => s3?.stop());

test('a file that appears just before another one is published is not replaced', async () => {
  const storage = await testStorage(s3, { bucket });
  const endpoint = await openRequestProxy(s3.endpoint, async ({ method, url = '' }) => {
    // Completion: the publisher has looked, and found nothing.
    if (method === 'POST' && url.includes('race.csv')) await store(storage, 'race.csv', 'first');
  });
  const late = await testStorage({ ...s3, endpoint }, { bucket });
  const receipt = await upload(storage, 'race.csv', 'second');
  const fault = await failing(late.publish(receipt, { replaces: false }), 'FILE_EXISTS');
  expect(fault.place).toBe(`s3://${bucket}/race.csv`);
  expect(await textOf(storage, 'race.csv')).toBe('first');
  await storage.discard(receipt);
  expect(await storage.unfinishedIn('')).toEqual([]);
});

test('an empty file is published where the server has no condition for it', async () => {
  const storage = await testStorage(s3, { bucket });
  await storage.publish(await upload(storage, 'empty.csv', ''), { replaces: false });
  expect(await storage.facts('empty.csv')).toMatchObject({ bytes: 0 });
});

test.each(['when-required', 'when-supported'] as const)('files of several parts come back (checksums: %s)', async (requestChecksum) => {
  const storage = await testStorage(s3, { bucket, partBytes: 5 * mebi, requestChecksum });
  const content = someBytes(17 * mebi + 1);
  const receipt = await upload(storage, 'parts.bin', content);
  await storage.publish(receipt, { replaces: true });
  await storage.publish(receipt, { replaces: true });
  expect(sha256(await bytesOf(storage, 'parts.bin'))).toBe(sha256(content));
});
