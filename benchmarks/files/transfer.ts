/*
 * Brings one file to a place, or from there, without the engine around it: `node transfer.js <kind>-<put|get> <local file> <file in the
 * place>`, with the options of the storage as JSON in DRAY_BENCH_STORAGE. The kinds: `sftp` and `s3` are dray's storages, `sdk` is the SDK of
 * Amazon alone, as one uses it by hand.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3 } from '@aws-sdk/client-s3';
import type { Storage } from '../../plugins/_files/storage/storage.ts';

const chunkBytes = 256 * 1024;
const partBytes = 8 * 1024 * 1024;
const partsAtATime = 4;

const [transfer = '', localPath = '', path = ''] = process.argv.slice(2);
const options = JSON.parse(process.env.DRAY_BENCH_STORAGE ?? '{}');
const { signal } = new AbortController();

async function openStorage(kind: string): Promise<Storage> {
  if (kind === 'sftp') return (await import('../../plugins/sftp/sftp-storage.ts')).openSftpStorage(options, signal);
  return (await import('../../plugins/s3/s3-storage.ts')).openS3Storage(options, signal);
}

async function put(storage: Storage): Promise<void> {
  const upload = await storage.begin(path);
  for await (const chunk of createReadStream(localPath, { highWaterMark: chunkBytes })) await upload.write(chunk as Buffer);
  await storage.publish(await upload.finish(), { replaces: true });
}

async function get(storage: Storage): Promise<void> {
  await pipeline(storage.read(path, { from: 0 }, signal), localFile());
}

function localFile(): NodeJS.WritableStream {
  return createWriteStream(localPath, { flush: true, highWaterMark: 4 * chunkBytes });
}

async function withSdk(work: (client: S3, at: { Bucket: string; Key: string }) => Promise<void>): Promise<void> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const { S3: Client } = await import('@aws-sdk/client-s3');
  const { endpoint, region, accessKeyId, secretAccessKey, bucket: Bucket } = options;
  const client = new Client({
    ...{ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
  });
  await work(client, { Bucket, Key: path });
  client.destroy();
}

async function sdkPut(client: S3, at: { Bucket: string; Key: string }): Promise<void> {
  const { UploadId } = await client.createMultipartUpload(at);
  await using file = await open(localPath);
  const { size } = await file.stat();
  const Parts = Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => ({ PartNumber: index + 1, ETag: '' }));
  const waiting = Parts.values();
  const work = async () => {
    for (const part of waiting) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(partBytes), 0, partBytes, (part.PartNumber - 1) * partBytes);
      const { ETag = '' } = await client.uploadPart({ ...at, UploadId, PartNumber: part.PartNumber, Body: buffer.subarray(0, bytesRead) });
      part.ETag = ETag;
    }
  };
  await Promise.all(Array.from({ length: partsAtATime }, work));
  await client.completeMultipartUpload({ ...at, UploadId, MultipartUpload: { Parts } });
}

async function sdkGet(client: S3, at: { Bucket: string; Key: string }): Promise<void> {
  await pipeline((await client.getObject(at)).Body as Readable, localFile());
}

if (transfer === 'sdk-put') await withSdk(sdkPut);
else if (transfer === 'sdk-get') await withSdk(sdkGet);
else {
  const [kind = '', direction] = transfer.split('-');
  const storage = await openStorage(kind);
  try {
    await (direction === 'put' ? put(storage) : get(storage));
  } finally {
    await storage.close();
  }
}
