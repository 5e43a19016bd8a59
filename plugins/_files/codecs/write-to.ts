import type { Duplex } from 'node:stream';

/** Resolves when a stream of zlib has taken the bytes. Also settles when the stream is destroyed while it waits for room: then zlib calls nobody back. */
export function writeTo(stream: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('the stream was closed'));
    stream.once('close', stop);
    stream.write(bytes, (error) => {
      stream.off('close', stop);
      if (error) reject(error);
      else resolve();
    });
  });
}
