import type { DrayError } from 'dray/sdk';
import fc from 'fast-check';
import type { ByteSink, Codec } from '../../../../plugins/_files/codecs/codec.ts';

export const file = '/data/orders.bin';

/** The end of a chain: keeps copies, because what is written may be overwritten afterwards. */
export class MemorySink implements ByteSink {
  readonly chunks: Buffer[] = [];
  state: 'open' | 'ended' | 'destroyed' = 'open';

  async write(bytes: Uint8Array): Promise<void> {
    const copy = Buffer.from(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    this.chunks.push(copy);
  }

  async end(): Promise<void> {
    this.state = 'ended';
  }

  destroy(): void {
    this.state = 'destroyed';
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** Bytes in chunks of these sizes, which are repeated until all are out. */
export function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export async function* stream(bytes: Buffer, sizes: readonly number[] = [100_000]): AsyncGenerator<Buffer> {
  for (const chunk of cut(bytes, sizes)) yield Buffer.from(chunk);
}

export async function pack(codec: Codec, plain: Buffer, sizes: readonly number[] = [100_000]): Promise<Buffer> {
  const memory = new MemorySink();
  const sink = codec.writer(memory);
  for (const chunk of cut(plain, sizes)) {
    const lent = Buffer.from(chunk);
    await sink.write(lent);
    lent.fill(0xee);
  }
  await sink.end();
  return memory.bytes;
}

export async function unpack(codec: Codec, stored: Buffer, sizes?: readonly number[], maxBytes?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of codec.reader(stream(stored, sizes), file, maxBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What unpacking ends with: the bytes, or the error. */
export async function outcome(codec: Codec, stored: Buffer): Promise<Buffer | DrayError> {
  return unpack(codec, stored).catch((error: DrayError) => error);
}

/** Text that can be packed, some of it by a lot. */
export function textOf(bytes: number): Buffer {
  let text = '';
  for (let row = 0; text.length < bytes; row++) text += `${row}\tcustomer ${(row * 7919) % 1000}\t${(row * 104_729) % 65_536}\tshipped\n`;
  return Buffer.from(text.slice(0, bytes));
}

/** Sizes of the chunks that bytes come in. */
export const chunkSizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });

export const contents = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 0, max: 20_000 }).map(textOf),
);

/** A copy with one byte changed. */
export function flipped(bytes: Buffer, at: number, by = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= by;
  return copy;
}
