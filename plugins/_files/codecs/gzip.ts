import { createGunzip, type Gunzip } from 'node:zlib';
import { broken, tooLong } from './broken.ts';
import type { Codec } from './codec.ts';
import { GzipSink } from './gzip-writer.ts';
import { writeTo } from './write-to.ts';

/** At node's own sizes (64 kB in, 16 kB out) it takes twice the time. */
const chunkSize = 256 * 1024;

/** gzip, in one member; members behind each other are read, too. */
export function gzip({ level = 1 }: { level?: number } = {}): Codec {
  return { suffix: '.gz', writer: (into) => new GzipSink(into, level), reader: unpacked };
}

async function* unpacked(source: AsyncIterable<Buffer>, file: string, maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize });
  const isFed = feed(stream, source, file);
  isFed.catch((error: unknown) => stream.destroy(error as Error));
  let produced = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      produced += chunk.length;
      if (produced > maxBytes) throw tooLong(file, maxBytes, stream.bytesWritten);
      yield chunk;
    }
    await isFed;
  } catch (error) {
    throw inWords(error, file, stream.bytesWritten);
  } finally {
    stream.destroy();
    await isFed.catch(() => {});
  }
}

async function feed(stream: Gunzip, source: AsyncIterable<Buffer>, file: string): Promise<void> {
  let fed = 0;
  let isOver = false;
  for await (const chunk of source) {
    if (!isOver) await writeTo(stream, chunk);
    // zlib stops at a zero behind a member, and says nothing of what follows.
    const from: number = isOver ? 0 : Math.max(0, stream.bytesWritten - fed);
    isOver ||= from < chunk.length;
    for (let at = from; at < chunk.length; at++) {
      if (chunk[at] !== 0) throw broken(file, `goes on behind the end of its gzip data, at byte ${fed + at}`, fed + at);
    }
    fed += chunk.length;
  }
  stream.end();
}

function inWords(error: unknown, file: string, offset: number): unknown {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) return error;
  if (error.code === 'Z_BUF_ERROR') return broken(file, `is cut off: its gzip data breaks off at byte ${offset}`, offset, error);
  return broken(file, `is damaged behind byte ${offset}: gzip says "${error.message}"`, offset, error);
}
