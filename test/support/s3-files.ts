import { createHash } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { DrayError, type ErrorCode } from '../../core/sdk/index.ts';
import type { ByteRange, Receipt, Storage } from '../../plugins/_files/storage/storage.ts';
import { openS3Storage, type S3Options } from '../../plugins/s3/s3-storage.ts';
import type { S3Facts } from './s3-server.ts';

/** A storage that is closed when the test has ended. */
export async function testStorage(
  { endpoint, region, accessKeyId, secretAccessKey }: S3Facts,
  options: Partial<S3Options> & { bucket: string; signal?: AbortSignal },
): Promise<Storage> {
  const { signal = new AbortController().signal, ...rest } = options;
  const storage = await openS3Storage({ endpoint, region, accessKeyId, secretAccessKey, ...rest }, signal);
  onTestFinished(() => storage.close());
  return storage;
}

/** Writes a file and does not publish it. */
export async function upload(storage: Storage, key: string, content: string | Uint8Array): Promise<Receipt> {
  const file = await storage.begin(key);
  await file.write(Buffer.from(content));
  return file.finish();
}

/** Writes a file and publishes it. */
export async function store(storage: Storage, key: string, content: string | Uint8Array): Promise<void> {
  await storage.publish(await upload(storage, key, content), { replaces: true });
}

export async function bytesOf(storage: Storage, key: string, range: ByteRange = { from: 0 }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of storage.read(key, range, new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function textOf(storage: Storage, key: string, range?: ByteRange): Promise<string> {
  return (await bytesOf(storage, key, range)).toString();
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that do not repeat, the same for each run. */
export function someBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = 0x9e3779b9;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2);
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  bytes.fill(7, words.length * 4);
  return bytes;
}

/** Work must fail with this code, and its text must not hold the secret. */
export async function failing(work: Promise<unknown>, code: ErrorCode, secret?: string): Promise<DrayError> {
  const error: unknown = await work.then(
    () => new Error(`It should have failed with ${code}.`),
    (cause: unknown) => cause,
  );
  if (!(error instanceof DrayError)) throw error;
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
  if (secret !== undefined) expect(JSON.stringify(error.toWire())).not.toContain(secret);
  return error;
}
