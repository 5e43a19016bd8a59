import { DrayError, type Resource } from 'dray/sdk';
import type { Storage } from '../_files/storage/storage.ts';
import { openBucket, type S3Options } from './bucket.ts';
import { errorName } from './faults.ts';
import { findKeys, folderPrefix, keyFacts, listKeys, listUploads } from './find-keys.ts';
import { abortUpload, beginUpload, type S3Receipt } from './multipart-upload.ts';
import { publishUpload } from './publish.ts';
import { readObject } from './read-object.ts';

export type { S3Options } from './bucket.ts';

/**
 * A bucket of Amazon S3 or of a server that speaks like it. Paths are keys, without a slash at the beginning; folders are what stands
 * before a slash in a key, and need not be made. Nothing is sent until the first call.
 *
 * An unfinished file is a multipart upload: invisible, durable part by part, and made visible by its completion. What remains of runs
 * that were killed costs room until it is discarded; `unfinishedIn` tells when each was begun (`begun`, milliseconds since 1970).
 *
 * @param signal when it fires, pending and later calls reject with its reason. Upload.abort and discard go on, and unfinishedIn and remove
 *   can be called again, to clean up; each request of theirs then has 30 s.
 * @throws DrayError JOB_INVALID for options that contradict each other
 */
export async function openS3Storage(options: S3Options, signal: AbortSignal): Promise<Storage> {
  const bucket = await openBucket(options, signal);
  return {
    resource: serverOf(options),
    nameOf: (key) => bucket.nameOf(key),
    find: (path) => findKeys(bucket, path),
    filesIn: (folder) => listKeys(bucket, folderPrefix(folder), { isFlat: true }),
    facts: (key) => keyFacts(bucket, key),
    read: (key, range, readSignal) => readObject(bucket, key, range, readSignal),
    begin: async (key) => beginUpload(bucket, validKey(key)),
    publish: (receipt, how) => publishUpload(bucket, receipt, how),
    discard: (receipt) => abortUpload(bucket, receipt.path, (receipt as S3Receipt).uploadId),
    unfinishedIn: async (folder) =>
      (await listUploads(bucket, folderPrefix(folder))).map(({ key, uploadId, begun }) => ({
        path: key,
        bytes: 0,
        uploadId,
        parts: [],
        begun,
      })),
    async remove(key) {
      await bucket.callAlways({ doing: `remove ${bucket.nameOf(key)}`, key }, async (client, how) => {
        try {
          await client.deleteObject({ Bucket: bucket.name, Key: key }, how);
        } catch (error) {
          if (errorName(error) !== 'NoSuchKey') throw error;
        }
      });
    },
    makeFolder: async () => undefined,
    join: (folder, name) => `${folderPrefix(folder)}${name}`,
    close: async () => bucket.close(),
  };
}

/** All of Amazon counts as one server. */
function serverOf({ endpoint }: S3Options): Resource {
  const { protocol, hostname, port } = new URL(endpoint ?? 'https://s3.amazonaws.com');
  return { kind: 's3', host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'http:' ? 80 : 443) };
}

function validKey(key: string): string {
  if (key === '' || key.endsWith('/')) throw new DrayError('FILE_FAILED', `"${key}" is not the key of a file: it has no name at its end`);
  return key;
}
