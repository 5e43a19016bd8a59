import type { Codec } from './codec.ts';
import { unpacked, unpackedAt } from './zstd-reader.ts';
import { ZstdSink } from './zstd-writer.ts';

export interface ZstdOptions {
  /** 1 to 22. */
  readonly level?: number;
  /** The library holds a whole frame and what comes out of it. Bigger ones go through JavaScript, at 150 instead of 900 MB/s. */
  readonly maxWholeBytes?: number;
}

/**
 * Zstandard, in independent frames of 1 MiB, each with its checksum, and a table behind them: `zstd -d` reads it, and it can be read
 * from any frame on.
 */
export function zstd({ level = 1, maxWholeBytes = 64 * 1024 * 1024 }: ZstdOptions = {}): Codec {
  return {
    suffix: '.zst',
    isFramed: true,
    writer: (into) => new ZstdSink(into, level),
    reader: (source, file, maxBytes, onFrame) => unpacked(source, file, { maxWholeBytes, maxBytes, onFrame }),
    readerAt: (read, place, file) => unpackedAt(read, place, file, maxWholeBytes),
  };
}
