import { timingSafeEqual } from 'node:crypto';
import { DrayError } from 'dray/sdk';
import { tooLong } from './broken.ts';
import {
  type CipherKey,
  type FileKeys,
  fileKeys,
  headerBytes,
  keyIdAt,
  macAt,
  macOf,
  magic,
  opened,
  plainToStored,
  saltAt,
  tagBytes,
  version,
  versionAt,
} from './cipher-chunks.ts';
import type { ReadFrom } from './codec.ts';
import { StoredBytes } from './stored-bytes.ts';

/** The plain bytes of a file. */
export async function* decrypted(
  key: CipherKey,
  maxChunks: number,
  source: AsyncIterable<Buffer>,
  file: string,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const stored = new StoredBytes(source);
  try {
    const { keys, chunkBytes } = checkedHeader(await stored.take(headerBytes), key, file);
    let produced = 0;
    for await (const { plain, offset } of openedChunks(stored, { keys, chunkBytes, maxChunks, first: 0 }, file)) {
      produced += plain.length;
      if (produced > maxBytes) throw tooLong(file, maxBytes, offset);
      yield plain;
    }
  } finally {
    await stored.close();
  }
}

/** The plain bytes from an offset on. */
export async function* decryptedAt(
  key: CipherKey,
  maxChunks: number,
  read: ReadFrom,
  plainOffset: number,
  file: string,
): AsyncGenerator<Buffer> {
  const start = new StoredBytes(read(0));
  const header = await start.take(headerBytes);
  await start.close();
  const { keys, chunkBytes } = checkedHeader(header, key, file);
  const { chunk: first, storedOffset, skip } = plainToStored(plainOffset, chunkBytes);
  const stored = new StoredBytes(read(storedOffset), storedOffset);
  try {
    let left = skip;
    for await (const { plain } of openedChunks(stored, { keys, chunkBytes, maxChunks, first }, file)) {
      yield plain.subarray(left);
      left = 0;
    }
  } finally {
    await stored.close();
  }
}

interface ChunkFacts {
  readonly keys: FileKeys;
  readonly chunkBytes: number;
  readonly maxChunks: number;
  /** Number of the chunk that comes next. */
  readonly first: number;
}

interface OpenedChunk {
  /** Of the chunk in the file. */
  readonly offset: number;
  readonly plain: Buffer;
}

async function* openedChunks(
  stored: StoredBytes,
  { keys, chunkBytes, maxChunks, first }: ChunkFacts,
  file: string,
): AsyncGenerator<OpenedChunk> {
  for (let chunk = first, isLast = false; !isLast; chunk++) {
    const { offset } = stored;
    const sealed = await stored.take(chunkBytes + tagBytes);
    isLast = await stored.isAtEnd();
    const isTooMany = chunk >= maxChunks;
    const plain = isTooMany ? undefined : opened(keys, chunk, isLast, sealed);
    if (plain === undefined || (plain.length === 0 && chunk > 0)) {
      throw refused(file, offset, isTooMany ? 'is more than a file can have' : whyRefused(keys, chunk, isLast, sealed), chunk);
    }
    yield { offset, plain };
  }
}

function checkedHeader(header: Buffer, key: CipherKey, file: string): { keys: FileKeys; chunkBytes: number } {
  const isOurs = header.subarray(0, versionAt).equals(magic);
  if (!isOurs) throw refused(file, 0, 'does not begin like a file that dray has encrypted');
  if (header.length < headerBytes) throw refused(file, header.length, 'is cut off within its header');
  if (header[versionAt] !== version) {
    throw refused(file, versionAt, `is encrypted in form ${header[versionAt]}, and this dray knows form ${version}`);
  }
  const id = header.toString('hex', keyIdAt, saltAt);
  if (id !== key.id) {
    throw new DrayError('KEY_WRONG', `${file} was encrypted with the key ${id}, and the key given is ${key.id}`, { place: file });
  }
  const keys = fileKeys(key, header.subarray(saltAt, macAt));
  if (!timingSafeEqual(macOf(header, keys), header.subarray(macAt))) throw refused(file, 0, 'is damaged, or was changed, in its header');
  return { keys, chunkBytes: header.readUInt32BE(versionAt + 1) };
}

function whyRefused(keys: FileKeys, chunk: number, isLast: boolean, sealed: Buffer): string {
  if (isLast && sealed.length === 0) return 'is not there: the file is cut off';
  const isDamaged = opened(keys, chunk, !isLast, sealed) === undefined;
  if (isDamaged) return isLast ? 'is damaged, was changed, or is cut off' : 'is damaged, or was changed';
  return isLast ? 'is not the last, but nothing follows: the file is cut off' : 'is the last, but more follows';
}

function refused(file: string, offset: number, what: string, chunk?: number): DrayError {
  const sentence = chunk === undefined ? `${file} ${what}` : `chunk ${chunk} of ${file}, at byte ${offset}, ${what}`;
  return new DrayError('CIPHER_BROKEN', sentence, { place: `${file}, offset ${offset}` });
}
