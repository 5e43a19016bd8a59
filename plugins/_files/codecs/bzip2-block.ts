import type { BitReader } from './bit-reader.ts';
import { BadBzip2, readCodes } from './bzip2-symbols.ts';

/*
 * A block of bzip2: bytes whose runs are shortened, sorted by what follows them (Burrows and Wheeler), moved to front, and written with two to six Huffman codes that
 * change every 50 symbols. There is no specification but bzip2 1.0.8 itself.
 */

const groupSymbols = 50;
/** bzip2 1.0.8 takes more, and looks at no more of them. */
const maxSelectors = 18_002;
const chunkBytes = 256 * 1024;

/** CRC-32 with the highest bit first, polynomial 0x04c11db7. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** What a block holds, still sorted. */
interface SortedBlock {
  /** For each byte its value, and × 256 the place of the byte that follows it. */
  readonly links: Uint32Array;
  readonly count: number;
  readonly origin: number;
}

/** Unpacks one block after the other, in the same memory: 4 bytes for each of a block. */
export class BlockUnpacker {
  readonly #links = new Uint32Array(900_000);

  /**
   * The bytes of the block whose 48 bits of mark have been taken.
   * @param bits in which it is whole; afterwards they stand behind it
   * @param maxBytes that its stream allows, before runs are made long again
   * @returns its checksum, in the end
   * @throws OutOfBits, BadBzip2
   */
  *unpack(bits: BitReader, maxBytes: number): Generator<Buffer, number> {
    const expected = bits.take32();
    if (bits.take(1) === 1) throw new BadBzip2('a block is randomised, as bzip2 did before 0.9.5');
    const origin = bits.take(24);
    const block = this.#sorted(bits, origin, maxBytes);
    let crc = -1;
    for (const chunk of unsorted(block)) {
      for (let at = 0; at < chunk.length; at++) crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ chunk[at]!]!;
      yield chunk;
    }
    if (~crc >>> 0 !== expected) throw new BadBzip2('the checksum of a block is wrong');
    return expected;
  }

  #sorted(bits: BitReader, origin: number, maxBytes: number): SortedBlock {
    const values = readValues(bits);
    const end = values.length + 1;
    const tables = bits.take(3);
    if (values.length === 0 || tables < 2 || tables > 6) throw new BadBzip2('the head of a block is not possible');
    const selectors = readSelectors(bits, tables);
    const codes = readCodes(bits, tables, values.length + 2);
    const links = this.#links;
    const starts = new Uint32Array(257);
    let count = 0;
    let run = 0;
    let runBit = 1;
    let code = codes[0]!;
    for (let read = 0, group = 0; ; read++) {
      if (read % groupSymbols === 0) {
        const selector = selectors[group++];
        if (selector === undefined) throw new BadBzip2('a block has no table for all its symbols');
        code = codes[selector]!;
      }
      const symbol = code.next(bits);
      if (symbol <= 1) {
        // Digits of a number to the base of two, written with 1 and 2; the lowest comes first.
        run += runBit << symbol;
        runBit *= 2;
        if (run > maxBytes - count) throw new BadBzip2('a block is longer than its stream says');
        continue;
      }
      if (run > 0) {
        const value = values[0]!;
        links.fill(value, count, count + run);
        starts[value + 1]! += run;
        count += run;
        run = 0;
        runBit = 1;
      }
      if (symbol === end) break;
      if (count === maxBytes) throw new BadBzip2('a block is longer than its stream says');
      const value = values[symbol - 1]!;
      values.copyWithin(1, 0, symbol - 1);
      values[0] = value;
      starts[value + 1]!++;
      links[count++] = value;
    }
    if (origin >= count) throw new BadBzip2('a block does not begin within itself');
    for (let value = 0; value < 256; value++) starts[value + 1]! += starts[value]!;
    for (let place = 0; place < count; place++) links[starts[links[place]! & 255]!++]! |= place << 8;
    return { links, count, origin };
  }
}

/** Byte values that a block has. */
function readValues(bits: BitReader): Uint8Array {
  const groups = bits.take(16);
  const values: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const inGroup = bits.take(16);
    for (let one = 0; one < 16; one++) if ((inGroup & (0x8000 >> one)) !== 0) values.push(16 * group + one);
  }
  return Uint8Array.from(values);
}

/** Which table the symbols are written with, for each 50 of them. */
function readSelectors(bits: BitReader, tables: number): Uint8Array {
  const count = bits.take(15);
  if (count === 0) throw new BadBzip2('the head of a block is not possible');
  const order = Array.from({ length: tables }, (_, table) => table);
  const selectors = new Uint8Array(Math.min(count, maxSelectors));
  for (let index = 0; index < count; index++) {
    let place = 0;
    while (bits.take(1) === 1) if (++place >= tables) throw new BadBzip2('there is no such table');
    const [table] = order.splice(place, 1);
    order.unshift(table!);
    if (index < maxSelectors) selectors[index] = table!;
  }
  return selectors;
}

/** In their order, with runs at their length: four equal bytes are followed by how many more there are. */
function* unsorted({ links, count, origin }: SortedBlock): Generator<Buffer> {
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let filled = 0;
  let last = -1;
  let same = 0;
  let link = links[links[origin]! >>> 8]!;
  for (let left = count; left > 0; left--) {
    const value = link & 255;
    link = links[link >>> 8]!;
    if (chunkBytes - filled < 256) {
      yield chunk.subarray(0, filled);
      chunk = Buffer.allocUnsafe(chunkBytes);
      filled = 0;
    }
    if (same === 4) {
      chunk.fill(last, filled, filled + value);
      filled += value;
      last = -1;
      same = 0;
      continue;
    }
    same = value === last ? same + 1 : 1;
    last = value;
    chunk[filled++] = value;
  }
  yield chunk.subarray(0, filled);
}
