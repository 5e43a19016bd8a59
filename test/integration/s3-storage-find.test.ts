import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { bytesOf, failing, store, testStorage, textOf } from '../support/s3-files.ts';
import { openProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

let s3: S3Server;
let buckets = 0;

beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());

/** A bucket of its own with one-byte files of these keys. */
async function storageWith(...keys: string[]): Promise<Storage> {
  buckets += 1;
  const bucket = await s3.createBucket(`find-${buckets}`);
  await put(bucket, keys);
  return testStorage(s3, { bucket });
}

async function put(bucket: string, keys: readonly string[]): Promise<void> {
  const client = s3.client();
  try {
    for (let at = 0; at < keys.length; at += 16) {
      const some = keys.slice(at, at + 16);
      await Promise.all(some.map((Key) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x', ContentLength: 1 }))));
    }
  } finally {
    client.destroy();
  }
}

async function found(storage: Storage, path: string): Promise<string[]> {
  return (await storage.find(path)).map((file) => file.path);
}

test('a key finds its file, and what is not there finds nothing', async () => {
  const storage = await storageWith('a.csv', 'a.csv.gz');
  expect(await storage.find('a.csv')).toEqual([{ path: 'a.csv', bytes: 1, version: expect.stringMatching(/./) }]);
  expect(await storage.find('b.csv')).toEqual([]);
  expect(await storage.find('none/')).toEqual([]);
  expect(await storage.find('none/*.csv')).toEqual([]);
});

test('a folder finds all files below it, and none beside it', async () => {
  const storage = await storageWith('day/2.csv', 'day/1.csv', 'day/x/y/3.csv', 'daylight.csv', 'other/day/4.csv');
  const inside = ['day/1.csv', 'day/2.csv', 'day/x/y/3.csv'];
  expect(await found(storage, 'day')).toEqual(inside);
  expect(await found(storage, 'day/')).toEqual(inside);
  expect(await found(storage, '')).toEqual([...inside, 'daylight.csv', 'other/day/4.csv']);
});

test('* and ? match within one name, and of a folder all that is below it', async () => {
  const storage = await storageWith('d/a1.csv', 'd/a22.csv', 'd/b1.csv', 'd/e/a3.csv', 'd/f/a4.csv', 'd/f/g/a5.csv', 'd/a😀.csv');
  expect(await found(storage, 'd/*.csv')).toEqual(['d/a1.csv', 'd/a22.csv', 'd/a😀.csv', 'd/b1.csv']);
  expect(await found(storage, 'd/a?.csv')).toEqual(['d/a1.csv', 'd/a😀.csv']);
  expect(await found(storage, 'd/*/a*.csv')).toEqual(['d/e/a3.csv', 'd/f/a4.csv']);
  expect(await found(storage, '*/?/*/a5.csv')).toEqual(['d/f/g/a5.csv']);
  expect(await found(storage, 'd/*')).toEqual(await found(storage, 'd'));
  expect(await found(storage, 'd/**')).toEqual(await found(storage, 'd'));
  expect(await found(storage, 'd/?')).toEqual(['d/e/a3.csv', 'd/f/a4.csv', 'd/f/g/a5.csv']);
});

test('other characters of patterns mean themselves', async () => {
  const storage = await storageWith('a(1)+[x]{2}$.csv', 'a1xxx.csv', 'a.b', 'acb');
  expect(await found(storage, 'a(1)+[x]{2}$.*')).toEqual(['a(1)+[x]{2}$.csv']);
  expect(await found(storage, '?.b')).toEqual(['a.b']);
});

test('a file whose name holds * or ? is found by its name alone', async () => {
  const storage = await storageWith('a*.csv', 'ab.csv', 'c?.csv', 'cd.csv');
  expect(await found(storage, 'a*.csv')).toEqual(['a*.csv']);
  expect(await found(storage, 'c?.csv')).toEqual(['c?.csv']);
});

test('files and folders that start with a dot are left out unless they are named', async () => {
  const storage = await storageWith('d/.a.csv', 'd/b.csv', 'd/.e/c.csv', 'd/f/.g/h.csv', '.d/k.csv');
  expect(await found(storage, 'd')).toEqual(['d/b.csv']);
  expect(await found(storage, '')).toEqual(['d/b.csv']);
  expect(await found(storage, 'd/*.csv')).toEqual(['d/b.csv']);
  expect(await found(storage, '*/*.csv')).toEqual(['d/b.csv']);
  expect(await found(storage, 'd/.a.csv')).toEqual(['d/.a.csv']);
  expect(await found(storage, 'd/.*.csv')).toEqual(['d/.a.csv']);
  expect(await found(storage, 'd/.e')).toEqual(['d/.e/c.csv']);
  expect(await found(storage, '.d/*')).toEqual(['.d/k.csv']);
});

test('the empty object with which consoles mark a folder is no file', async () => {
  const storage = await storageWith('d/', 'd/a.csv', 'd/e/');
  expect(await found(storage, 'd')).toEqual(['d/a.csv']);
  expect((await storage.filesIn('d')).map((file) => file.path)).toEqual(['d/a.csv']);
  expect(await found(storage, 'd/*')).toEqual(['d/a.csv']);
});

test('the files in a folder are those directly in it, also hidden ones', async () => {
  const storage = await storageWith('d/b.csv', 'd/.a', 'd/e/c.csv', 'dd.csv', 'root.csv');
  const names = async (folder: string) => (await storage.filesIn(folder)).map((file) => file.path);
  expect(await names('d')).toEqual(['d/.a', 'd/b.csv']);
  expect(await names('d/')).toEqual(['d/.a', 'd/b.csv']);
  expect(await names('')).toEqual(['dd.csv', 'root.csv']);
  expect(await names('none')).toEqual([]);
});

test('1,200 files come in several pages, and are all there, sorted', async () => {
  const keys = Array.from({ length: 1200 }, (_, index) => `many/${String(index).padStart(4, '0')} +ü.csv`);
  const storage = await storageWith(...keys);
  expect(await found(storage, 'many')).toEqual(keys);
  expect(await found(storage, 'many/?1*.csv')).toEqual(keys.filter((key) => key[6] === '1'));
  expect((await storage.filesIn('many')).map((file) => file.path)).toEqual(keys);
});

test('a list that breaks off is asked for again, and never taken for a shorter one', async () => {
  const keys = Array.from({ length: 300 }, (_, index) => `broken/${index + 100}.csv`);
  const bucket = await s3.createBucket('find-broken');
  await put(bucket, keys);
  const proxy = await openProxy(s3.endpoint);
  const storage = await testStorage({ ...s3, endpoint: proxy.endpoint }, { bucket, maxAttempts: 3 });
  proxy.cut(2, 30_000);
  expect(await found(storage, 'broken/')).toEqual(keys);
  proxy.cut(1000, 30_000);
  await failing(storage.find('broken/'), 'CONNECTION_LOST', s3.secretAccessKey);
});

test('facts are those of the list, and the version is another one when the content is', async () => {
  const storage = await storageWith('a.csv');
  const before = await storage.facts('a.csv');
  expect(before).toEqual((await storage.find('a*'))[0]);
  expect(before?.bytes).toBe(1);
  await store(storage, 'a.csv', 'y');
  expect((await storage.facts('a.csv'))?.version).not.toBe(before?.version);
  expect(await storage.facts('b.csv')).toBeUndefined();
});

const oddKeys = [
  'ü/日本 語/a+b&c%41;😀.csv',
  'o/\'q"<&>.csv',
  'o//double',
  'o/../up',
  'o/./here',
  'o/%2Fx',
  'o/ space ',
  'o/a\tb\nc',
  'o/#?=@:,!~',
  'o/\\b',
];

test.each(oddKeys)('a key may be %j', async (key) => {
  const storage = await storageWith();
  await store(storage, key, 'content');
  expect(await storage.facts(key)).toMatchObject({ path: key, bytes: 7 });
  expect(await textOf(storage, key)).toBe('content');
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  expect((await storage.filesIn(folder)).map((file) => file.path)).toEqual([key]);
  const file = await storage.begin(key);
  expect((await storage.unfinishedIn(folder)).map(({ path }) => path)).toEqual([key]);
  await file.abort();
  await storage.remove(key);
  expect(await storage.facts(key)).toBeUndefined();
});

test('a removed file is gone, and may be gone before', async () => {
  const storage = await storageWith('a.csv');
  await storage.remove('a.csv');
  await storage.remove('a.csv');
  expect(await storage.find('')).toEqual([]);
  await failing(bytesOf(storage, 'a.csv'), 'PATH_MISSING');
});

test('names are those that people know, and folders need not be made', async () => {
  buckets += 1;
  const bucket = await s3.createBucket(`find-${buckets}`);
  const storage = await testStorage(s3, { bucket });
  expect(storage.nameOf('d/a.csv')).toBe(`s3://${bucket}/d/a.csv`);
  expect([storage.join('d', 'a'), storage.join('d/', 'a'), storage.join('', 'a')]).toEqual(['d/a', 'd/a', 'a']);
  await storage.makeFolder('d/e');
  expect(await storage.find('')).toEqual([]);
});
