import { BitReader, OutOfBits } from './bit-reader.ts';
import { broken, tooLong } from './broken.ts';
import { BlockUnpacker } from './bzip2-block.ts';
import { BadBzip2 } from './bzip2-symbols.ts';
import type { Codec } from './codec.ts';
import { StoredBytes } from './stored-bytes.ts';

const headBytes = 4;
/** Of a block, and of the end of a stream: pi and its root, in decimal digits. */
const blockMark = [0x314159, 0x265359] as const;
const endMark = [0x177245, 0x385090] as const;
/** Of a block: 20 bits for each byte are the most there can be, and tables. */
const maxBlockBytes = (level: number) => level * 250_000 + 100_000;

/** bzip2, for reading only; streams behind each other are one, as `bzip2 -d` and parallel packers have it. */
export function bzip2(): Codec {
  return {
    suffix: '.bz2',
    writer: () => {
      throw new Error('bzip2 is not written');
    },
    reader: unpacked,
  };
}

async function* unpacked(source: AsyncIterable<Buffer>, file: string, maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const stored = new StoredBytes(source);
  const blocks = new BlockUnpacker();
  let produced = 0;
  try {
    do {
      for await (const chunk of streamBytes(stored, blocks, file)) {
        produced += chunk.length;
        if (produced > maxBytes) throw tooLong(file, maxBytes, stored.offset);
        yield chunk;
      }
    } while (!(await stored.isAtEnd()));
  } finally {
    await stored.close();
  }
}

async function* streamBytes(stored: StoredBytes, blocks: BlockUnpacker, file: string): AsyncGenerator<Buffer> {
  const startsAt = stored.offset;
  const head = await stored.take(headBytes);
  const level = /^BZh([1-9])$/.exec(head.toString('latin1'))?.[1];
  if (level === undefined) {
    if (head.length < headBytes && 'BZh'.startsWith(head.toString('latin1', 0, 3))) throw cutOff(file, stored.offset);
    const sentence = startsAt === 0 ? 'does not begin like bzip2 data' : `goes on behind the end of its bzip2 data, at byte ${startsAt}`;
    throw broken(file, sentence, startsAt);
  }
  let combined = 0;
  /** Bits of the next byte that belong to the block before. */
  let bit = 0;
  for (;;) {
    const window = await stored.peek(maxBlockBytes(Number(level)));
    const bits = new BitReader(window, bit);
    try {
      const mark = [bits.take(24), bits.take(24)] as const;
      if (isSame(mark, endMark)) {
        if (bits.take32() !== combined >>> 0) throw new BadBzip2('the checksum of the stream is wrong');
        await stored.take(Math.ceil(bits.position / 8));
        return;
      }
      if (!isSame(mark, blockMark)) throw new BadBzip2('no block begins where one should');
      const crc = yield* blocks.unpack(bits, Number(level) * 100_000);
      combined = ((combined << 1) | (combined >>> 31)) ^ crc;
    } catch (error) {
      if (error instanceof OutOfBits && (await isLast(stored, window.length))) throw cutOff(file, stored.offset + window.length);
      if (error instanceof BadBzip2 || error instanceof OutOfBits) throw damaged(file, stored.offset, error);
      throw error;
    }
    await stored.take(bits.position >> 3);
    bit = bits.position & 7;
  }
}

function isSame(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

async function isLast(stored: StoredBytes, count: number): Promise<boolean> {
  return (await stored.peek(count + 1)).length === count;
}

function cutOff(file: string, offset: number) {
  return broken(file, `is cut off: its bzip2 data breaks off at byte ${offset}`, offset);
}

function damaged(file: string, offset: number, error: Error) {
  const why = error instanceof OutOfBits ? 'a block has no end' : error.message;
  return broken(file, `is damaged behind byte ${offset}: ${why}`, offset, error);
}
