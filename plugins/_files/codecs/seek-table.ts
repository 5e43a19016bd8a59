import { broken } from './broken.ts';
import { type PackedFrame, type SkippableFrame, skippable } from './zstd-frames.ts';

/*
 * A .zst file of dray begins with a skippable frame that says so, and ends with the table of its frames in the "Zstandard Seekable
 * Format", 0.1.0: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
 * Other programs skip both, or use the table. For dray it shows an end that was cut off between two frames, and frames in another order.
 */
const markMagic = 0x184d2a5d;
const markContent = Buffer.from('dray zst');
const tableMagic = 0x184d2a5e;
const seekableMagic = 0x8f92eab1;
const footerBytes = 9;
const hasChecksums = 0x80;
/** XXH64 of nothing, the lower half. */
const checksumOfNothing = 0x51d8e999;

export const startMark = skippable(markMagic, markContent);

export function isStartMark({ magic, content }: SkippableFrame): boolean {
  return magic === markMagic && content?.equals(markContent) === true;
}

/** True if a file begins like one that dray wrote, in frames that can be unpacked one by one. */
export function isMarked(start: Buffer): boolean {
  return start.subarray(0, startMark.length).equals(startMark);
}

/** What stands in the table of the frames of a file, in order. */
export class SeekTable {
  readonly #words: number[] = [];

  add(storedBytes: number, plainBytes: number, checksum: number): void {
    this.#words.push(storedBytes, plainBytes, checksum);
  }

  /** The table of a file that has begun with its mark. */
  static ofMarkedFile(): SeekTable {
    const table = new SeekTable();
    table.add(startMark.length, 0, checksumOfNothing);
    return table;
  }

  /** @param last the last block of the frame, with the checksum behind it */
  addFrame(file: string, { offset, header }: PackedFrame, storedBytes: number, last: Buffer): void {
    if (header.contentBytes === undefined || !header.hasChecksum) {
      throw broken(file, `holds a frame that dray did not write at byte ${offset}`, offset);
    }
    this.add(storedBytes, header.contentBytes, last.readUInt32LE(last.length - 4));
  }

  toFrame(): Buffer {
    const content = Buffer.alloc(this.#words.length * 4 + footerBytes);
    for (const [at, word] of this.#words.entries()) content.writeUInt32LE(word, at * 4);
    content.writeUInt32LE(this.#words.length / 3, content.length - footerBytes);
    content[content.length - 5] = hasChecksums;
    content.writeUInt32LE(seekableMagic, content.length - 4);
    return skippable(tableMagic, content);
  }

  /** True if this frame is a table. FILE_BROKEN if it is not that of these frames. */
  isEndedBy(file: string, { magic, offset, content }: SkippableFrame): boolean {
    if (magic !== tableMagic || content === undefined) return false;
    if (content.equals(this.toFrame().subarray(8))) return true;
    throw broken(file, `is damaged: the table at byte ${offset} is not that of the frames before it`, offset);
  }
}
