import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import { BlockPacker, blockBytes } from './block-packer.ts';
import type { ByteSink } from './codec.ts';
import { crc32 } from './crc32.ts';

/** How far back deflate looks: RFC 1951, section 2. */
const windowBytes = 32 * 1024;

/** Magic, deflate, no flags, no time; what else there is says nothing (RFC 1952, section 2.3). */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** An empty last block, of fixed codes. */
const lastBlock = Buffer.from([3, 0]);

const deflated = promisify(deflateRaw) as (plain: Uint8Array, options: object) => Promise<Buffer>;

/**
 * One member of gzip, of blocks that are packed side by side: each knows the bytes before it as its dictionary, and ends at a whole byte (a sync flush), so that they can
 * stand behind each other. pigz does the same (https://zlib.net/pigz/). In a stream of zlib one core packs, whatever there are.
 */
export class GzipSink implements ByteSink {
  readonly #into: ByteSink;
  readonly #blocks: BlockPacker;
  #crc = 0;
  #size = 0;
  #isBegun = false;

  constructor(into: ByteSink, level: number) {
    this.#into = into;
    const how = { level, memLevel: 9, chunkSize: blockBytes / 2, finishFlush: constants.Z_SYNC_FLUSH };
    this.#blocks = new BlockPacker({
      windowBytes,
      pack: (block, before) => {
        const packed = deflated(block, before.length === 0 ? how : { ...how, dictionary: before });
        this.#crc = crc32(block, this.#crc);
        this.#size += block.length;
        return packed;
      },
      put: async (bytes) => {
        await this.#begin();
        await into.write(bytes);
      },
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#blocks.write(bytes);
  }

  async end(): Promise<void> {
    await this.#blocks.finish();
    await this.#begin();
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
    await this.#into.write(Buffer.concat([lastBlock, trailer]));
    await this.#into.end();
  }

  destroy(): void {
    this.#into.destroy();
  }

  async #begin(): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    await this.#into.write(header);
  }
}
