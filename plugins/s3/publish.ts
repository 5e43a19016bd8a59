import { createHash } from 'node:crypto';
import type { S3 } from '@aws-sdk/client-s3';
import { DrayError } from 'dray/sdk';
import type { Receipt } from '../_files/storage/storage.ts';
import type { Bucket } from './bucket.ts';
import { errorName, statusOf } from './faults.ts';
import { keyFacts } from './find-keys.ts';
import { abortUpload, type S3Receipt } from './multipart-upload.ts';

type HowToSend = Parameters<Parameters<Bucket['request']>[1]>[1];

/**
 * Completes the upload: the object appears, or replaces the one before it, in one step.
 *
 * An object that must not be replaced is looked for before, and on completion the server is told so with If-None-Match. Amazon obeys
 * (since November 2024), and newer MinIO; Ceph 16 ignores it and Swift refuses it, so that there somebody who writes the same key between
 * the two requests is overwritten.
 *
 * May be called again after a crash or a lost answer: if the upload is no longer open and its object is there, it was published.
 */
export async function publishUpload(bucket: Bucket, receipt: Receipt, { replaces }: { replaces: boolean }): Promise<void> {
  const upload = receipt as S3Receipt;
  const key = upload.path;
  const call = { doing: `make ${bucket.nameOf(key)} visible`, key };
  if (!replaces && (await keyFacts(bucket, key)) !== undefined) {
    if (await isPublished(bucket, upload)) return;
    throw exists(bucket, key);
  }
  try {
    await complete(bucket, upload, replaces);
  } catch (error) {
    bucket.signal.throwIfAborted();
    if (await isPublished(bucket, upload)) return;
    const status = statusOf(error);
    if (!replaces && (status === 412 || status === 409)) throw exists(bucket, key, error);
    if (errorName(error) === 'NoSuchUpload') {
      const place = bucket.nameOf(key);
      const remedy = 'Run the job again; look for a rule of the bucket that aborts unfinished uploads.';
      throw new DrayError('FILE_FAILED', `cannot ${call.doing}: its upload was aborted by somebody else`, { cause: error, place, remedy });
    }
    throw bucket.fault(error, call);
  }
  if (upload.parts.length === 0) await abortUpload(bucket, key, upload.uploadId);
}

async function complete(bucket: Bucket, upload: S3Receipt, replaces: boolean): Promise<void> {
  const send = upload.parts.length === 0 ? putEmpty : completeParts;
  const condition = replaces ? {} : { IfNoneMatch: '*' };
  try {
    await bucket.request(bucket.signal, (client, how) => send(client, how, bucket.name, upload, condition));
  } catch (error) {
    // Not implemented: the condition, or the whole request.
    if (replaces || statusOf(error) !== 501) throw error;
    await bucket.request(bucket.signal, (client, how) => send(client, how, bucket.name, upload, {}));
  }
}

interface Condition {
  readonly IfNoneMatch?: '*' | string;
}

function completeParts(client: S3, how: HowToSend, bucket: string, { path, uploadId, parts }: S3Receipt, condition: Condition) {
  const Parts = parts.map(({ number, etag, crc32 }) => ({
    PartNumber: number,
    ETag: etag,
    ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
  }));
  return client.completeMultipartUpload({ Bucket: bucket, Key: path, UploadId: uploadId, MultipartUpload: { Parts }, ...condition }, how);
}

/** An upload without parts cannot be completed. */
function putEmpty(client: S3, how: HowToSend, bucket: string, { path }: S3Receipt, condition: Condition) {
  return client.putObject({ Bucket: bucket, Key: path, Body: Buffer.alloc(0), ContentLength: 0, ...condition }, how);
}

/**
 * True if the object is what the upload makes, and the upload is not open: a file with the same bytes may have been there before.
 * Not recognized are objects that the server encrypts with keys of a KMS, whose ETags are not what they are elsewhere.
 */
async function isPublished(bucket: Bucket, upload: S3Receipt): Promise<boolean> {
  const object = await keyFacts(bucket, upload.path);
  if (object === undefined || object.version !== `${finalTag(upload)}-${upload.bytes}`) return false;
  try {
    const { path, uploadId } = upload;
    await bucket.request(bucket.signal, (client, how) =>
      client.listParts({ Bucket: bucket.name, Key: path, UploadId: uploadId, MaxParts: 1 }, how),
    );
    return false;
  } catch (error) {
    bucket.signal.throwIfAborted();
    return errorName(error) === 'NoSuchUpload';
  }
}

/** MD5 of the parts' MD5s, and their count: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function finalTag({ parts }: S3Receipt): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'));
  return parts.length === 0 ? hash.digest('hex') : `${hash.digest('hex')}-${parts.length}`;
}

function exists(bucket: Bucket, key: string, cause?: unknown): DrayError {
  const place = bucket.nameOf(key);
  return new DrayError('FILE_EXISTS', `${place} is there already`, { place, ...(cause === undefined ? {} : { cause }) });
}
