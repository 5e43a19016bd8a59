import { DrayError } from 'dray/sdk';
import { byPath, hasWildcard, isHiddenBelow, isMeant, patternOf } from '../_files/storage/paths.ts';
import type { StoredFile } from '../_files/storage/storage.ts';
import type { Bucket } from './bucket.ts';
import { errorName, statusOf } from './faults.ts';

/** The object of a key; undefined if there is none. */
export async function keyFacts(bucket: Bucket, key: string): Promise<StoredFile | undefined> {
  const call = { doing: `look at ${bucket.nameOf(key)}`, key };
  try {
    const head = await bucket.request(bucket.signal, (client, how) => client.headObject({ Bucket: bucket.name, Key: key }, how));
    if (head.ETag === undefined) throw bucket.notS3(call);
    bucket.isKnown = true;
    return storedFile(key, head.ETag, head.ContentLength);
  } catch (error) {
    bucket.signal.throwIfAborted();
    const status = statusOf(error);
    if (status === 404 && bucket.isKnown) return undefined;
    if (status !== undefined && status < 500) await askForReason(bucket, key);
    if (status === 404) return undefined;
    throw bucket.fault(error, call);
  }
}

/** The answer to a HEAD is a bare status; what is wrong with keys or bucket is said only to a request with a body in its answer. */
async function askForReason(bucket: Bucket, key: string): Promise<void> {
  try {
    await bucket.request(bucket.signal, (client, how) => client.listObjectsV2({ Bucket: bucket.name, Prefix: key, MaxKeys: 1 }, how));
    bucket.isKnown = true;
  } catch (error) {
    bucket.signal.throwIfAborted();
    // Keys without the right to list get 403 from HEAD even where there is nothing, and a 404 only where there is nothing.
    if (errorName(error) !== 'AccessDenied') throw bucket.fault(error, { doing: `look at ${bucket.nameOf(key)}`, key });
  }
}

/** What Storage.find promises. A key that is there as it is wins over what it would mean as a folder or a pattern. */
export async function findKeys(bucket: Bucket, path: string): Promise<StoredFile[]> {
  if (path !== '' && !path.endsWith('/')) {
    const file = await keyFacts(bucket, path);
    if (file !== undefined) return [file];
  }
  if (hasWildcard(path)) {
    const pattern = patternOf(path);
    const prefix = pattern.folder === '.' ? '' : `${pattern.folder}/`;
    // Also what stands in the name before the first wildcard narrows the list: it may be one day of ten years.
    const files = await listKeys(bucket, path.slice(0, path.search(/[*?]/)), { isFlat: false });
    return files.filter((file) => isMeant(pattern, file.path.slice(prefix.length)));
  }
  const prefix = folderPrefix(path);
  const files = await listKeys(bucket, prefix, { isFlat: false });
  return files.filter((file) => !isHiddenBelow(file.path.slice(prefix.length)));
}

/** `a/b` and `a/b/` are `a/b/`; the folder '' is the bucket. */
export function folderPrefix(folder: string): string {
  return folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
}

/** XML has no way to write some characters that a key may have. */
const asUrls = { EncodingType: 'url' } as const;

/** All objects whose keys start with the prefix, sorted; flat: without those in folders below. */
export async function listKeys(bucket: Bucket, prefix: string, { isFlat }: { isFlat: boolean }): Promise<StoredFile[]> {
  const call = { doing: `list ${bucket.nameOf(prefix)}`, key: prefix };
  const files: StoredFile[] = [];
  let token: string | undefined;
  do {
    const page = await bucket.call(call, (client, how) =>
      client.listObjectsV2(
        { Bucket: bucket.name, Prefix: prefix, ...asUrls, ...(isFlat ? { Delimiter: '/' } : {}), ContinuationToken: token },
        how,
      ),
    );
    if (page.Name === undefined && page.IsTruncated === undefined) throw bucket.notS3(call);
    for (const object of page.Contents ?? []) {
      const file = storedFile(plainKey(object.Key, page.EncodingType), object.ETag, object.Size);
      // Consoles make folders visible with an empty object of that name.
      if (!file.path.endsWith('/')) files.push(file);
    }
    token = nextPage(bucket, prefix, page.IsTruncated, page.NextContinuationToken);
  } while (token !== undefined);
  bucket.isKnown = true;
  return files.sort(byPath);
}

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  /** Milliseconds since 1970. */
  readonly begun: number;
}

/** Uploads that were neither completed nor aborted, to keys that start with the prefix; not those in folders below. */
export async function listUploads(bucket: Bucket, prefix: string): Promise<OpenUpload[]> {
  const uploads: OpenUpload[] = [];
  let marker: { KeyMarker: string; UploadIdMarker: string | undefined } | undefined;
  do {
    // Not as URLs: asked for that, Ceph writes them, but does not say so.
    const page = await bucket.callAlways({ doing: `list uploads to ${bucket.nameOf(prefix)}`, key: prefix }, (client, how) =>
      client.listMultipartUploads({ Bucket: bucket.name, Prefix: prefix, Delimiter: '/', ...marker }, how),
    );
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      uploads.push({ key: Key, uploadId: UploadId, begun: Initiated?.getTime() ?? 0 });
    }
    const next = nextPage(bucket, prefix, page.IsTruncated, page.NextKeyMarker);
    marker = next === undefined ? undefined : { KeyMarker: next, UploadIdMarker: page.NextUploadIdMarker };
  } while (marker !== undefined);
  // Not every server looks at the delimiter here.
  return uploads.filter(({ key }) => !key.includes('/', prefix.length));
}

function plainKey(key = '', encoding: string | undefined): string {
  // Amazon writes a space as +, Ceph as %20; both write a + as %2B.
  return encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
}

function nextPage(bucket: Bucket, prefix: string, isTruncated = false, next: string | undefined): string | undefined {
  if (!isTruncated) return undefined;
  if (next !== undefined && next !== '') return next;
  const place = bucket.nameOf(prefix);
  throw new DrayError('FILE_FAILED', `the server lists ${place} only in part, and does not say where it goes on`, { place });
}

function storedFile(key: string, etag = '', bytes = 0): StoredFile {
  return { path: key, bytes, version: `${bareTag(etag)}-${bytes}` };
}

/** Servers put an ETag into quotes, but not all and not everywhere. */
export function bareTag(etag: string): string {
  return etag.replaceAll('"', '');
}
