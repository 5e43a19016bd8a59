import { createHash } from 'node:crypto';
import { DrayError } from 'dray/sdk';
import type { Receipt } from '../_files/storage/storage.ts';
import type { Bucket } from './bucket.ts';
import { statusOf } from './faults.ts';
import { keyFacts, listUploads } from './find-keys.ts';
import { abortUpload, type S3Receipt } from './multipart-upload.ts';

/**
 * Completes the upload: the object appears, or replaces the one before it, in one step.
 *
 * An object that must not be replaced is looked for before, and the server is told so on completion, with If-None-Match. Amazon obeys
 * (since November 2024), Swift does, newer MinIO does; Ceph 16 completes regardless, so that there somebody who writes the same key
 * between the two requests is overwritten.
 *
 * May be called again after a crash or a lost answer: if the upload is no longer open and its object is there, it was published.
 */
export async function publishUpload(bucket: Bucket, receipt: Receipt, { replaces }: { replaces: boolean }): Promise<void> {
  const upload = receipt as S3Receipt;
  const key = upload.path;
  if (!replaces && (await keyFacts(bucket, key)) !== undefined) {
    if (!(await isOpen(bucket, upload)) && (await isThere(bucket, upload))) return;
    throw exists(bucket, key);
  }
  // Before, not after: a crash in between leaves something that can be published again.
  if (upload.parts.length === 0) await abortUpload(bucket, key, upload.uploadId);
  try {
    await complete(bucket, upload, replaces);
  } catch (error) {
    bucket.signal.throwIfAborted();
    const isStillOpen = upload.parts.length > 0 && (await isOpen(bucket, upload));
    if (!isStillOpen && (await isThere(bucket, upload))) return;
    const status = statusOf(error);
    if (!replaces && (status === 412 || status === 409)) throw exists(bucket, key, error);
    if (isStillOpen || upload.parts.length === 0) throw bucket.fault(error, { doing: `make ${bucket.nameOf(key)} visible`, key });
    throw over(bucket, key, error);
  }
}

async function complete(bucket: Bucket, upload: S3Receipt, replaces: boolean): Promise<void> {
  const { path, uploadId, parts } = upload;
  const send = (condition: { IfNoneMatch?: '*' }): Promise<unknown> =>
    bucket.request<unknown>(bucket.signal, (client, how) => {
      const target = { Bucket: bucket.name, Key: path, ...condition };
      // An upload without parts cannot be completed.
      if (parts.length === 0) return client.putObject({ ...target, Body: Buffer.alloc(0), ContentLength: 0 }, how);
      const Parts = parts.map(({ number, etag, crc32 }) => ({
        PartNumber: number,
        ETag: etag,
        ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
      }));
      return client.completeMultipartUpload({ ...target, UploadId: uploadId, MultipartUpload: { Parts } }, how);
    });
  try {
    await send(replaces ? {} : { IfNoneMatch: '*' });
  } catch (error) {
    // Not implemented: the condition. Swift has it for multipart uploads alone.
    if (replaces || statusOf(error) !== 501) throw error;
    await send({});
  }
}

/** ListParts would be the shorter way, but Swift goes on listing the parts of an upload that was completed. */
async function isOpen(bucket: Bucket, { path, uploadId }: S3Receipt): Promise<boolean> {
  return (await listUploads(bucket, path)).some((upload) => upload.key === path && upload.uploadId === uploadId);
}

/**
 * True if the object is what the upload makes. By itself this is no proof: the same bytes may have been there before. Not recognized
 * are objects that the server encrypts with keys of a KMS: their ETags are not what they are elsewhere.
 */
async function isThere(bucket: Bucket, upload: S3Receipt): Promise<boolean> {
  const object = await keyFacts(bucket, upload.path);
  return object?.version === `${finalTag(upload)}-${upload.bytes}`;
}

/** MD5 of the parts' MD5s, and their count: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function finalTag({ parts }: S3Receipt): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag.replaceAll('"', ''), 'hex'));
  return parts.length === 0 ? hash.digest('hex') : `${hash.digest('hex')}-${parts.length}`;
}

function exists(bucket: Bucket, key: string, cause?: unknown): DrayError {
  const place = bucket.nameOf(key);
  return new DrayError('FILE_EXISTS', `${place} is there already`, { place, cause });
}

function over(bucket: Bucket, key: string, cause: unknown): DrayError {
  const place = bucket.nameOf(key);
  const remedy = 'Run the job again; look for a rule of the bucket, or a person, that aborts uploads or writes the same file.';
  return new DrayError('FILE_FAILED', `${place} cannot be made visible: its upload was aborted, or somebody has replaced the file`, {
    cause,
    place,
    remedy,
  });
}
