import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { readFault } from './file-faults.ts';

/** At 64 KB, node's own size, reading costs twice the CPU. */
const chunkBytes = 256 * 1024;

/**
 * The bytes of a file, chunk by chunk, unpacked. The file is closed when the generator ends or is left.
 * @throws DrayError PATH_MISSING, FILE_FAILED or FILE_BROKEN; what the signal says, once it has fired
 */
export async function* fileBytes(path: string, isGzip: boolean, signal?: AbortSignal): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const isClosed = once(file, 'close').catch(() => {});
  const source: Readable = isGzip ? pipeline(file, createGunzip({ chunkSize: chunkBytes }), () => {}) : file;
  const stop = () => {
    file.destroy();
    source.destroy();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      yield chunk;
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw readFault(error, path);
  } finally {
    signal?.removeEventListener('abort', stop);
    source.destroy();
    file.destroy();
    await isClosed;
  }
}
