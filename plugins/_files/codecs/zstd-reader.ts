import { DrayError } from 'dray/sdk';
import { Decompress } from 'fzstd';
import { broken, tooLong } from './broken.ts';
import type { Place, ReadFrom } from './codec.ts';
import { isStartMark, SeekTable } from './seek-table.ts';
import { StoredBytes } from './stored-bytes.ts';
import { newXxh64 } from './xxh64.ts';
import { type FrameHeader, nextBlock, nextFrame, type PackedFrame } from './zstd-frames.ts';
import { maxJobs, zstdLibrary } from './zstd-library.ts';

export interface UnpackingOptions {
  /** Frames of which no more can come out go through the library, the others block by block. */
  readonly maxWholeBytes: number;
  /** Of all that comes out. */
  readonly maxBytes?: number | undefined;
  /** Told where each frame begins, before its bytes come; as long as all frames say how much comes out of them. */
  readonly onFrame?: ((place: Place) => void) | undefined;
}

/** What comes out of all frames. */
export async function* unpacked(source: AsyncIterable<Buffer>, file: string, options: UnpackingOptions): AsyncGenerator<Buffer> {
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  const stored = new StoredBytes(source);
  let produced = 0;
  try {
    for await (const chunk of unpackedFrames(stored, file, options)) {
      produced += chunk.length;
      if (produced > maxBytes) throw tooLong(file, maxBytes, stored.offset);
      yield chunk;
    }
  } finally {
    await stored.close();
  }
}

/** What comes out of the frame that begins at a place, and of those behind it. Their table is not looked at. */
export async function* unpackedAt(read: ReadFrom, place: Place, file: string, maxWholeBytes: number): AsyncGenerator<Buffer> {
  const stored = new StoredBytes(read(place.stored), place.stored);
  try {
    yield* unpackedFrames(stored, file, { maxWholeBytes });
  } finally {
    await stored.close();
  }
}

async function* unpackedFrames(stored: StoredBytes, file: string, { maxWholeBytes, onFrame }: UnpackingOptions): AsyncGenerator<Buffer> {
  const jobs: { readonly isUnpacked: Promise<Buffer>; readonly maxPlainBytes: number }[] = [];
  let pendingBytes = 0;
  async function* results(isEnough: () => boolean): AsyncGenerator<Buffer> {
    while (jobs.length > 0 && !isEnough()) {
      const { isUnpacked, maxPlainBytes } = jobs.shift()!;
      yield await isUnpacked;
      pendingBytes -= maxPlainBytes;
    }
  }
  const isIdle = () => jobs.length === 0;
  /** Of a file that dray wrote: what its table must say. */
  let table: SeekTable | undefined;
  let plain: number | undefined = 0;
  for (;;) {
    const frame = await nextFrame(stored, file, maxWholeBytes);
    if (frame?.kind === 'packed' && plain !== undefined) {
      onFrame?.({ stored: frame.offset, plain });
      plain = frame.header.contentBytes === undefined ? undefined : plain + frame.header.contentBytes;
    }
    if (frame?.kind !== 'packed') {
      // What is wrong with an earlier frame says more than what is wrong with the table.
      if (frame === undefined || table !== undefined) yield* results(isIdle);
      if (frame === undefined) break;
      if (table === undefined && isStartMark(frame)) table = SeekTable.ofMarkedFile();
      else if (table?.isEndedBy(file, frame)) table = undefined;
    } else if (frame.isWhole) {
      const { maxPlainBytes, parts } = frame;
      table?.addFrame(file, frame, stored.offset - frame.offset, parts.at(-1)!);
      yield* results(() => jobs.length < maxJobs && pendingBytes + maxPlainBytes <= maxWholeBytes);
      const isUnpacked = unpackedFrame(frame, file);
      isUnpacked.catch(() => {});
      jobs.push({ isUnpacked, maxPlainBytes });
      pendingBytes += maxPlainBytes;
    } else {
      yield* results(isIdle);
      const last = yield* unpackedBlocks(frame, stored, file);
      table?.addFrame(file, frame, stored.offset - frame.offset, last);
    }
  }
  if (stored.offset === 0) throw broken(file, 'is empty: there is not one zstd frame in it', 0);
  if (table !== undefined) {
    throw broken(file, `is cut off at byte ${stored.offset}: the table of its zstd frames is not there`, stored.offset);
  }
}

async function unpackedFrame({ parts, header, offset }: PackedFrame, file: string): Promise<Buffer> {
  let plain: Buffer;
  try {
    plain = await zstdLibrary().decompress(Buffer.concat(parts));
  } catch (cause) {
    if (cause instanceof DrayError) throw cause;
    throw damaged(file, offset, cause);
  }
  if (plain.length !== (header.contentBytes ?? plain.length)) throw damaged(file, offset);
  return plain;
}

/** A frame that is too big for the library, block by block. Returns the last one. */
async function* unpackedBlocks({ parts, header, offset }: PackedFrame, stored: StoredBytes, file: string): AsyncGenerator<Buffer, Buffer> {
  const ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => ready.push(chunk));
  const checksum = await newXxh64();
  let plainBytes = 0;
  let last: Buffer = Buffer.alloc(0);
  for await (const { bytes, isLast } of blocksFrom(parts, stored, file, header)) {
    try {
      stream.push(bytes, isLast);
    } catch (cause) {
      throw damaged(file, offset, cause);
    }
    for (const chunk of ready.splice(0)) {
      checksum.update(chunk);
      plainBytes += chunk.length;
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
    last = bytes;
  }
  // fzstd looks at neither.
  const isSame = !header.hasChecksum || checksum.low32() === last.readUInt32LE(last.length - 4);
  if (!isSame || plainBytes !== (header.contentBytes ?? plainBytes)) throw damaged(file, offset);
  return last;
}

async function* blocksFrom(
  parts: readonly Buffer[],
  stored: StoredBytes,
  file: string,
  header: FrameHeader,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  for (const bytes of parts) yield { bytes, isLast: false };
  for (let isLast = false; !isLast; ) {
    const block = await nextBlock(stored, file, header);
    isLast = block.isLast;
    yield block;
  }
}

function damaged(file: string, offset: number, cause?: unknown): DrayError {
  return broken(file, `is damaged: its zstd frame at byte ${offset} cannot be unpacked`, offset, cause);
}
