import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import type { ByteSink } from './codec.ts';
import { crc32 } from './crc32.ts';

/** Smaller ones are no faster, bigger ones no smaller. */
const blockBytes = 1024 * 1024;
/** How far back deflate looks: RFC 1951, section 2. */
const windowBytes = 32 * 1024;
/** Blocks that are packed at a time, each on a thread of libuv. */
const maxJobs = 2;

/** Magic, deflate, no flags, no time; what else there is says nothing (RFC 1952, section 2.3). */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** An empty last block, of fixed codes. */
const lastBlock = Buffer.from([3, 0]);

const packed = promisify(deflateRaw) as (plain: Uint8Array, options: object) => Promise<Buffer>;

interface Packing {
  readonly isPacked: Promise<Buffer>;
  /** Memory of what is packed. */
  readonly plain: Buffer;
}

/**
 * One member of gzip, of blocks that are packed side by side: each knows the bytes before it as its dictionary, and ends at a whole byte (a sync flush), so that they can
 * stand behind each other. pigz does the same (https://zlib.net/pigz/). In a stream of zlib one core packs, whatever there are.
 */
export class GzipSink implements ByteSink {
  readonly #into: ByteSink;
  readonly #level: number;
  /** In the order of the file. */
  readonly #jobs: Packing[] = [];
  readonly #spare: Buffer[] = [];
  /** What is kept stands behind the window before it. */
  #kept: Buffer = Buffer.allocUnsafe(windowBytes + blockBytes);
  #window = 0;
  #keptBytes = 0;
  #crc = 0;
  #size = 0;
  #isBegun = false;

  constructor(into: ByteSink, level: number) {
    this.#into = into;
    this.#level = level;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockBytes - this.#keptBytes);
      this.#kept.set(part, windowBytes + this.#keptBytes);
      this.#keptBytes += part.length;
      at += part.length;
      if (this.#keptBytes === blockBytes) await this.#pack();
    }
  }

  async end(): Promise<void> {
    if (this.#keptBytes > 0) await this.#pack();
    while (this.#jobs.length > 0) await this.#putFirst();
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

  async #pack(): Promise<void> {
    if (this.#jobs.length === maxJobs) await this.#putFirst();
    const plain = this.#kept;
    const end = windowBytes + this.#keptBytes;
    const content = plain.subarray(windowBytes, end);
    const dictionary = this.#window === 0 ? {} : { dictionary: plain.subarray(windowBytes - this.#window, windowBytes) };
    const how = { level: this.#level, memLevel: 9, chunkSize: blockBytes / 2, finishFlush: constants.Z_SYNC_FLUSH, ...dictionary };
    const isPacked = packed(content, how);
    isPacked.catch(() => {});
    this.#jobs.push({ isPacked, plain });
    this.#crc = crc32(content, this.#crc);
    this.#size += content.length;
    this.#kept = this.#spare.pop() ?? Buffer.allocUnsafe(windowBytes + blockBytes);
    this.#window = Math.min(windowBytes, content.length);
    plain.copy(this.#kept, windowBytes - this.#window, end - this.#window, end);
    this.#keptBytes = 0;
  }

  async #putFirst(): Promise<void> {
    const { isPacked, plain } = this.#jobs.shift()!;
    const block = await isPacked;
    this.#spare.push(plain);
    await this.#begin();
    await this.#into.write(block);
  }

  async #begin(): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    await this.#into.write(header);
  }
}
