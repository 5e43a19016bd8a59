import { DrayError, type RecordBatch } from 'dray/sdk';
import { addMurmur3 } from './murmur3.ts';

const wordBits = 2 ** 32;
/** "dray". With 0 the hash of an empty row would be 0, and nobody would miss one. */
const seed = 0x64726179;
/** So many 32-bit words can be added before a double is no longer exact. */
const maxAdded = 2 ** 20;

/**
 * Digest of a multiset of rows: the MurmurHash3_x86_128 of each row's packed text (without its LF), added modulo 2^128. How often a
 * row is there matters; the order of rows does not, nor do the borders of batches, files and tasks, because digests are added the same
 * way. It finds what accidents do to rows. It is no protection against somebody who chooses rows: that is what the signature over a
 * manifest is for.
 */
export class RowDigest {
  /** Four words, the lowest first; normalised to 32 bits after each batch. */
  readonly #sums = new Float64Array(4);

  add(batch: RecordBatch): void {
    const { bytes, rowEnds } = batch;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let from = 0;
    for (let row = 0; row < rowEnds.length; row++) {
      const end = rowEnds[row]!;
      addMurmur3(view, from, end - 1, seed, this.#sums);
      from = end;
      if (row % maxAdded === maxAdded - 1) this.#carry();
    }
    this.#carry();
  }

  /** Adds the rows of another digest. */
  merge(other: RowDigest): void {
    for (const [at, word] of other.#sums.entries()) this.#sums[at]! += word;
    this.#carry();
  }

  #carry(): void {
    let carried = 0;
    for (const [at, word] of this.#sums.entries()) {
      const sum = word + carried;
      carried = Math.floor(sum / wordBits);
      this.#sums[at] = sum % wordBits;
    }
  }

  /** 32 hexadecimal digits, the highest first. */
  toString(): string {
    return [...this.#sums]
      .toReversed()
      .map((word) => word.toString(16).padStart(8, '0'))
      .join('');
  }

  /** @throws DrayError FILE_FORGED for a text that is none: they come from sidecars */
  static parse(text: string): RowDigest {
    if (!/^[0-9a-f]{32}$/.test(text)) throw new DrayError('FILE_FORGED', `"${text}" is not a digest of rows`);
    const digest = new RowDigest();
    for (let at = 0; at < 4; at++) digest.#sums[3 - at] = Number.parseInt(text.slice(at * 8, at * 8 + 8), 16);
    return digest;
  }
}
