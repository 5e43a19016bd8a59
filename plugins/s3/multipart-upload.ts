import { createHash } from 'node:crypto';
import { DrayError } from 'dray/sdk';
import type { Receipt, Upload } from '../_files/storage/storage.ts';
import { type Bucket, type Ending, endingAfter } from './bucket.ts';
import { errorName } from './faults.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxParts = 10_000;
/** A Buffer of node 20 ends at 4 GiB; with 8 MiB at the beginning, files of 4 TB have room below this. */
const maxPartBytes = 1024 ** 3;
const partsPerStep = 1000;

/** Nobody knows how long a file will be: after each 1,000 parts they are twice as big. */
export function bytesOfPart(number: number, partBytes: number): number {
  return Math.min(partBytes * 2 ** Math.floor((number - 1) / partsPerStep), Math.max(partBytes, maxPartBytes));
}

export type UploadedPart = {
  readonly number: number;
  readonly etag: string;
  /** Where the server wants the checksum of each part again on completion. */
  readonly crc32?: string;
};

/** An empty file has no parts: servers disagree on whether a part may be empty. */
export type S3Receipt = Receipt & { readonly uploadId: string; readonly parts: readonly UploadedPart[] };

export async function beginUpload(bucket: Bucket, key: string): Promise<Upload> {
  const call = { doing: `write ${bucket.nameOf(key)}`, key };
  const { UploadId } = await bucket.call(call, (client, how) => client.createMultipartUpload({ Bucket: bucket.name, Key: key }, how));
  if (UploadId === undefined) throw bucket.notS3(call);
  return new MultipartUpload(bucket, key, UploadId);
}

export async function abortUpload(bucket: Bucket, key: string, uploadId: string): Promise<void> {
  await bucket.clean({ doing: `remove the unfinished ${bucket.nameOf(key)}`, key }, async (client, how) => {
    try {
      await client.abortMultipartUpload({ Bucket: bucket.name, Key: key, UploadId: uploadId }, how);
    } catch (error) {
      // Swift says NoSuchKey of one that was completed.
      if (!['NoSuchUpload', 'NoSuchKey'].includes(errorName(error))) throw error;
    }
  });
}

/** Parts go up side by side while the next one is filled. Memory: partBytes × (concurrency + 1), or two parts once those have grown. */
class MultipartUpload implements Upload {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #uploadId: string;
  readonly #ending: Ending;
  readonly #parts: UploadedPart[] = [];
  readonly #sending = new Set<Promise<void>>();
  #sendingBytes = 0;
  #bytes = 0;
  #number = 1;
  #part: Buffer | undefined;
  #filled = 0;
  /** Of parts that are up: an allocation of 8 MiB is 2,000 page faults. */
  #spare: Buffer[] = [];
  #fault: { readonly error: unknown } | undefined;

  constructor(bucket: Bucket, key: string, uploadId: string) {
    this.#bucket = bucket;
    this.#key = key;
    this.#uploadId = uploadId;
    this.#ending = endingAfter(bucket.signal);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      this.#throwIfFailed();
      this.#part ??= this.#emptyPart();
      const piece = bytes.subarray(at, at + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === this.#part.length) await this.#sendPart();
    }
    this.#bytes += bytes.length;
  }

  async finish(): Promise<S3Receipt> {
    this.#throwIfFailed();
    if (this.#filled > 0) await this.#sendPart();
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    this.#throwIfFailed();
    this.#ending.end(this.#over());
    this.#spare = [];
    const parts = this.#parts.sort((a, b) => a.number - b.number);
    return { path: this.#key, bytes: this.#bytes, uploadId: this.#uploadId, parts };
  }

  async abort(): Promise<void> {
    this.#fault ??= { error: this.#over() };
    this.#ending.end(this.#over());
    // A part that arrives after the upload was aborted would stay, and be paid for.
    while (this.#sending.size > 0) await Promise.all(this.#sending);
    this.#spare = [];
    this.#part = undefined;
    await abortUpload(this.#bucket, this.#key, this.#uploadId);
  }

  #emptyPart(): Buffer {
    const bytes = bytesOfPart(this.#number, this.#bucket.partBytes);
    if (this.#number > maxParts) {
      const place = this.#bucket.nameOf(this.#key);
      const remedy = 'Set "partBytes" to a multiple of what it is, or let the job write several files.';
      throw new DrayError('FILE_FAILED', `${place} has no room for more than ${this.#bytes} bytes in ${maxParts} parts`, { place, remedy });
    }
    const spare = this.#spare.pop();
    if (spare?.length === bytes) return spare;
    this.#spare = [];
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Waits for room, and does not wait for the part. */
  async #sendPart(): Promise<void> {
    const part = this.#part!;
    const filled = this.#filled;
    const number = this.#number;
    const room = this.#bucket.partBytes * this.#bucket.concurrency - filled;
    while (this.#sending.size > 0 && this.#sendingBytes > room) await Promise.race(this.#sending);
    this.#throwIfFailed();
    this.#part = undefined;
    this.#filled = 0;
    this.#number += 1;
    this.#sendingBytes += filled;
    const sending: Promise<void> = this.#upload(number, part.subarray(0, filled)).then(
      (uploaded) => {
        this.#parts.push(uploaded);
        this.#spare.push(part);
      },
      (error: unknown) => {
        this.#fault ??= { error };
        this.#ending.end(error);
      },
    );
    const settled = sending.then(() => {
      this.#sendingBytes -= filled;
      this.#sending.delete(settled);
    });
    this.#sending.add(settled);
  }

  async #upload(number: number, body: Buffer): Promise<UploadedPart> {
    const bucket = this.#bucket;
    const ContentMD5 = createHash('md5').update(body).digest('base64');
    const call = { doing: `write ${bucket.nameOf(this.#key)}`, key: this.#key, signal: this.#ending.signal };
    const { ETag = '', ChecksumCRC32 } = await bucket.call(call, (client, how) =>
      client.uploadPart(
        {
          Bucket: bucket.name,
          Key: this.#key,
          UploadId: this.#uploadId,
          PartNumber: number,
          Body: body,
          ContentMD5,
          ContentLength: body.length,
        },
        how,
      ),
    );
    return { number, etag: ETag, ...(ChecksumCRC32 === undefined ? {} : { crc32: ChecksumCRC32 }) };
  }

  #throwIfFailed(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    this.#ending.signal.throwIfAborted();
  }

  #over(): DrayError {
    return new DrayError('INTERNAL', `the upload of ${this.#bucket.nameOf(this.#key)} is over`);
  }
}
