import { createInflateRaw } from 'node:zlib';
import type { StoredBytes } from './stored-bytes.ts';
import { writeTo } from './write-to.ts';

const chunkSize = 256 * 1024;
const pieceBytes = 64 * 1024;

/** Deflated bytes that no packer has written, or that break off. */
export class BadDeflate extends Error {}

/**
 * Unpacks a deflated stream that ends somewhere within a file, and takes no byte behind it.
 * @returns how many bytes were taken, in the end
 * @throws BadDeflate
 */
export async function* inflated(stored: StoredBytes): AsyncGenerator<Buffer, number> {
  const stream = createInflateRaw({ chunkSize });
  let isOver = false;
  let taken = 0;
  const feed = async () => {
    while (!isOver) {
      const piece = await stored.peek(pieceBytes);
      if (piece.length === 0) throw new BadDeflate('it breaks off');
      await writeTo(stream, piece);
      // Of the last piece zlib takes what belongs to the stream; and nothing, if that has ended with the piece before.
      const used = stream.bytesWritten - taken;
      isOver = used < piece.length;
      taken += used;
      await stored.take(used);
    }
    stream.end();
  };
  const isFed = feed();
  isFed.catch((error: unknown) => stream.destroy(error as Error));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
    await isFed;
    return taken;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw new BadDeflate(error.message);
    throw error;
  } finally {
    stream.destroy();
    await isFed.catch(() => {});
  }
}
