import { broken } from './broken.ts';
import type { StoredBytes } from './stored-bytes.ts';

/*
 * Frames of Zstandard: RFC 8878, section 3. The library takes whole frames only, so that their borders have to be found. Integers
 * are little-endian.
 */
const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const maxBlockBytes = 128 * 1024;
const maxHeaderBytes = 18;
const checksumBytes = 4;
/** Of the contents of skippable frames that are looked at; of a table, five million frames. */
const maxKeptBytes = 64 * 1024 * 1024;
/** As `zstd -d` has it: unpacking takes so much memory. */
const maxWindowBytes = 128 * 1024 * 1024;

export interface FrameHeader {
  readonly bytes: number;
  readonly windowBytes: number;
  /** Of the plain content, if the frame says it. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** A frame, or the start of one that is too big to be unpacked as a whole. */
export interface PackedFrame {
  readonly kind: 'packed';
  readonly offset: number;
  readonly header: FrameHeader;
  /** The header, and each block; the last one with the checksum of the frame behind it. */
  readonly parts: readonly Buffer[];
  /** No more than this comes out of the parts. */
  readonly maxPlainBytes: number;
  readonly isWhole: boolean;
}

export interface SkippableFrame {
  readonly kind: 'skippable';
  readonly offset: number;
  readonly storedBytes: number;
  readonly magic: number;
  /** undefined: more than anyone looks at. */
  readonly content: Buffer | undefined;
}

/** The next frame; undefined at the end of the file. One of whose content there may be more than `maxWholeBytes` is not whole. */
export async function nextFrame(
  stored: StoredBytes,
  file: string,
  maxWholeBytes: number,
): Promise<PackedFrame | SkippableFrame | undefined> {
  const { offset } = stored;
  if (await stored.isAtEnd()) return undefined;
  const start = await stored.peek(maxHeaderBytes);
  if (start.length < 4) throw cutOff(file, offset + start.length);
  const magic = start.readUInt32LE(0);
  const isSkippable = magic >>> 4 === skippableMagic >>> 4;
  if ((isSkippable || magic === frameMagic) && start.length < 8) throw cutOff(file, offset + start.length);
  if (isSkippable) return skippableFrame(stored, file, magic);
  if (magic !== frameMagic) throw broken(file, `holds something that is not zstd data at byte ${offset}`, offset);
  const header = frameHeader(start, file, offset);
  const parts = [await stored.take(header.bytes)];
  let maxPlainBytes = 0;
  let isWhole = false;
  const isBig = (header.contentBytes ?? 0) > maxWholeBytes;
  while (!isWhole && !isBig && maxPlainBytes <= maxWholeBytes) {
    const block = await nextBlock(stored, file, header);
    parts.push(block.bytes);
    maxPlainBytes += block.maxPlainBytes;
    isWhole = block.isLast;
  }
  return { kind: 'packed', offset, header, parts, maxPlainBytes, isWhole };
}

async function skippableFrame(stored: StoredBytes, file: string, magic: number): Promise<SkippableFrame> {
  const { offset } = stored;
  const length = (await stored.take(8)).readUInt32LE(4);
  const frame = { kind: 'skippable', offset, storedBytes: 8 + length, magic } as const;
  if (length <= maxKeptBytes) return { ...frame, content: await taken(stored, file, length) };
  for (let left = length; left > 0; left -= maxBlockBytes) await taken(stored, file, Math.min(left, maxBlockBytes));
  return { ...frame, content: undefined };
}

export interface Block {
  readonly bytes: Buffer;
  readonly isLast: boolean;
  readonly maxPlainBytes: number;
}

export async function nextBlock(stored: StoredBytes, file: string, { windowBytes, hasChecksum }: FrameHeader): Promise<Block> {
  const { offset } = stored;
  const start = await stored.peek(3);
  if (start.length < 3) throw cutOff(file, offset + start.length);
  const word = start.readUIntLE(0, 3);
  const isLast = (word & 1) === 1;
  const kind = (word >> 1) & 3;
  const size = word >> 3;
  const limit = Math.min(windowBytes, maxBlockBytes);
  if (kind === 3 || size > limit) throw broken(file, `is damaged: its zstd data is none at byte ${offset}`, offset);
  const isRun = kind === 1;
  const isPacked = kind === 2;
  const bytes = await taken(stored, file, 3 + (isRun ? 1 : size) + (isLast && hasChecksum ? checksumBytes : 0));
  return { bytes, isLast, maxPlainBytes: isPacked ? limit : size };
}

function frameHeader(bytes: Buffer, file: string, offset: number): FrameHeader {
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionaryAt = isSingleSegment ? 5 : 6;
  const contentSizeAt = dictionaryAt + dictionaryBytes;
  const length = contentSizeAt + contentSizeBytes;
  if (bytes.length < length) throw cutOff(file, offset + bytes.length);
  if ((descriptor & 8) !== 0) throw broken(file, `is damaged: the header of a zstd frame is none at byte ${offset}`, offset);
  if (dictionaryBytes > 0 && bytes.readUIntLE(dictionaryAt, dictionaryBytes) !== 0) {
    throw broken(file, `was packed with a zstd dictionary, which dray does not read, at byte ${offset}`, offset);
  }
  const contentBytes = contentSizeBytes === 0 ? undefined : sizeAt(bytes, contentSizeAt, contentSizeBytes);
  const windowBytes = isSingleSegment ? contentBytes! : (1 + (bytes[5]! & 7) / 8) * 2 ** (10 + (bytes[5]! >> 3));
  if (windowBytes > maxWindowBytes) {
    throw broken(
      file,
      `was packed so that unpacking takes ${windowBytes} bytes of memory, and ${maxWindowBytes} are allowed, at byte ${offset}`,
      offset,
    );
  }
  return { bytes: length, windowBytes, contentBytes, hasChecksum: (descriptor & 4) !== 0 };
}

function sizeAt(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

/** The library writes neither size nor checksum of the content: the frame again, with both. The content is at most one window. */
export function withChecksum(frame: Buffer, contentBytes: number, checksum: number): Buffer {
  const { bytes: headerBytes } = frameHeader(frame, '', 0);
  const result = Buffer.allocUnsafe(9 + frame.length - headerBytes + checksumBytes);
  result.writeUInt32LE(frameMagic, 0);
  // Four bytes of content size, the window is the content, a checksum follows.
  result[4] = 0xa4;
  result.writeUInt32LE(contentBytes, 5);
  frame.copy(result, 9, headerBytes);
  result.writeUInt32LE(checksum, result.length - checksumBytes);
  return result;
}

export function skippable(magic: number, content: Buffer): Buffer {
  const start = Buffer.alloc(8);
  start.writeUInt32LE(magic, 0);
  start.writeUInt32LE(content.length, 4);
  return Buffer.concat([start, content]);
}

async function taken(stored: StoredBytes, file: string, count: number): Promise<Buffer> {
  const bytes = await stored.take(count);
  if (bytes.length < count) throw cutOff(file, stored.offset);
  return bytes;
}

function cutOff(file: string, offset: number): Error {
  return broken(file, `is cut off: its zstd data breaks off at byte ${offset}`, offset);
}
