import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Encoding } from './encodings.ts';
import { readFault } from './file-faults.ts';

/** At 64 KB, node's own size, reading costs twice the CPU. */
const chunkBytes = 256 * 1024;

export interface FileForm {
  readonly isGzip: boolean;
  /** Undefined: UTF-8. */
  readonly encoding: Encoding | undefined;
}

/**
 * The text of a file as UTF-8, chunk by chunk, unpacked and decoded. The file is closed when the generator ends or is left.
 * @throws DrayError PATH_MISSING, FILE_FAILED or FILE_BROKEN; what the signal says, once it has fired
 */
export async function* fileBytes(path: string, { isGzip, encoding }: FileForm, signal?: AbortSignal): AsyncGenerator<Buffer> {
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
    const decoder = encoding?.decoder();
    for await (const chunk of source as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      if (decoder === undefined) yield chunk;
      else yield Buffer.from(decoder.write(chunk));
    }
    signal?.throwIfAborted();
    const rest = decoder?.end();
    if (rest) yield Buffer.from(rest);
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
