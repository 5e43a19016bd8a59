import type { BitReader } from './bit-reader.ts';

/** bzip2 data that no bzip2 has written; the message completes "its bzip2 data is damaged: …". */
export class BadBzip2 extends Error {}

const maxLength = 20;
/** Codes of up to so many bits, nearly all, are looked up at once. */
const directBits = 10;

/** A Huffman code: which symbol stands for which bits. */
export class SymbolCode {
  /** By the next bits: symbol × 32 + length of its code; 0: the code is longer, or there is none. */
  readonly #direct = new Uint16Array(1 << directBits);
  /** By length: the first code that is longer, with as many bits as the longest; and what to add to a code to find its symbol. */
  readonly #ends = new Int32Array(maxLength + 2);
  readonly #shifts = new Int32Array(maxLength + 2);
  readonly #sorted: Uint16Array;

  /** @param lengths of the codes, by symbol: 1 to 20 */
  constructor(lengths: Uint8Array) {
    this.#sorted = new Uint16Array(lengths.length);
    let [code, place] = [0, 0];
    for (let length = 1; length <= maxLength; length++) {
      this.#shifts[length] = place - code;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        if (code >= 1 << length) throw new BadBzip2('a table of symbols has more than fit');
        if (length <= directBits) {
          const from = code << (directBits - length);
          this.#direct.fill(symbol * 32 + length, from, from + (1 << (directBits - length)));
        }
        this.#sorted[place++] = symbol;
        code++;
      }
      this.#ends[length] = code << (maxLength - length);
      code <<= 1;
    }
  }

  next(bits: BitReader): number {
    const ahead = bits.look(maxLength);
    const direct = this.#direct[ahead >> (maxLength - directBits)]!;
    if (direct !== 0) {
      bits.take(direct & 31);
      return direct >> 5;
    }
    for (let length = directBits + 1; length <= maxLength; length++) {
      if (ahead >= this.#ends[length]!) continue;
      bits.take(length);
      return this.#sorted[(ahead >> (maxLength - length)) + this.#shifts[length]!]!;
    }
    throw new BadBzip2('a code stands for no symbol');
  }
}

/** The tables of a block, each with as many symbols. */
export function readCodes(bits: BitReader, count: number, symbols: number): SymbolCode[] {
  return Array.from({ length: count }, () => {
    const lengths = new Uint8Array(symbols);
    let length = bits.take(5);
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (;;) {
        if (length < 1 || length > maxLength) throw new BadBzip2('the length of a code is not possible');
        if (bits.take(1) === 0) break;
        length += bits.take(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return new SymbolCode(lengths);
  });
}
