import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline, type Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { writeFault } from './file-faults.ts';

const mebi = 1024 * 1024;

/** A file that is being written, plain or packed. */
export class OutputFile {
  readonly path: string;
  readonly #entry: Writable;
  readonly #file: WriteStream;
  #fault: Error | undefined;
  /** Rejects the call that waits. A promise per file to race with would gather a reaction per batch. */
  #stopWaiting: ((fault: Error) => void) | undefined;

  /** @param gzipLevel undefined: not packed */
  constructor(path: string, gzipLevel: number | undefined) {
    this.path = path;
    this.#file = createWriteStream(path, { highWaterMark: mebi, flush: true });
    this.#file.on('error', (fault) => {
      this.#fault ??= fault;
      this.#stopWaiting?.(fault);
    });
    if (gzipLevel === undefined) this.#entry = this.#file;
    else {
      const gzip = createGzip({ level: gzipLevel, chunkSize: 256 * 1024 });
      pipeline(gzip, this.#file, () => {});
      this.#entry = gzip;
    }
  }

  /** Resolves when the bytes are no longer looked at, so that their memory may be used again. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#waitFor((done) => this.#entry.write(bytes, done));
  }

  /** Resolves when everything is on disk. */
  finish(): Promise<void> {
    return this.#waitFor((done) => {
      this.#file.once('close', done);
      this.#entry.end();
    });
  }

  /** Closes the file and deletes it. */
  async remove(): Promise<void> {
    this.#entry.destroy();
    this.#file.destroy();
    if (!this.#file.closed) await new Promise<void>((resolve) => this.#file.once('close', () => resolve()));
    await rm(this.path, { force: true });
  }

  async #waitFor(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#fault !== undefined) return reject(this.#fault);
        this.#stopWaiting = reject;
        start((error) => (error || this.#fault ? reject(this.#fault ?? error) : resolve()));
      });
    } catch (error) {
      throw writeFault(error, this.path);
    }
  }
}
