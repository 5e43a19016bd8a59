import { BlockPacker } from './block-packer.ts';
import type { ByteSink } from './codec.ts';
import { SeekTable, startMark } from './seek-table.ts';
import { newXxh64 } from './xxh64.ts';
import { withChecksum } from './zstd-frames.ts';
import { zstdLibrary } from './zstd-library.ts';

/** Packs what comes into frames, which go on in order. */
export class ZstdSink implements ByteSink {
  readonly #into: ByteSink;
  readonly #blocks: BlockPacker;
  readonly #table = SeekTable.ofMarkedFile();
  #storedOffset = 0;
  #plainOffset = 0;
  readonly frameIndex: [number, number][] = [];

  constructor(into: ByteSink, level: number) {
    this.#into = into;
    const library = zstdLibrary();
    this.#blocks = new BlockPacker({
      windowBytes: 0,
      pack: (block) => library.compress(block, level),
      put: (packed, block) => this.#put(packed, block),
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#blocks.write(bytes);
  }

  async end(): Promise<void> {
    await this.#blocks.finish();
    await this.#putMark();
    await this.#into.write(this.#table.toFrame());
    await this.#into.end();
  }

  destroy(): void {
    this.#into.destroy();
  }

  async #put(packed: Buffer, block: Buffer): Promise<void> {
    const checksum = (await newXxh64()).update(block).low32();
    const frame = withChecksum(packed, block.length, checksum);
    await this.#putMark();
    this.frameIndex.push([this.#storedOffset, this.#plainOffset]);
    this.#table.add(frame.length, block.length, checksum);
    this.#storedOffset += frame.length;
    this.#plainOffset += block.length;
    await this.#into.write(frame);
  }

  async #putMark(): Promise<void> {
    if (this.#storedOffset > 0) return;
    this.#storedOffset = startMark.length;
    await this.#into.write(startMark);
  }
}
