import { createRequire } from 'node:module';
import { DrayError } from 'dray/sdk';

/** @mongodb-js/zstd: whole buffers, on threads of libuv. */
export interface Library {
  compress(bytes: Buffer, level: number): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/** Frames that are unpacked at a time. */
export const maxJobs = 2;

let library: Library | undefined;

/** @throws DrayError JOB_INVALID where there is none for this machine */
export function zstdLibrary(): Library {
  try {
    // What the package exports itself drops the level.
    library ??= createRequire(import.meta.url)('@mongodb-js/zstd/bindings.js') as Library;
    return library;
  } catch (cause) {
    throw new DrayError('JOB_INVALID', 'this machine has no zstd: @mongodb-js/zstd is not made for it', { cause, remedy: 'Use gzip.' });
  }
}
