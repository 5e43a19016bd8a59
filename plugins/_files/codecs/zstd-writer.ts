import type { ByteSink } from './codec.ts';
import { SeekTable, startMark } from './seek-table.ts';
import { Xxh64 } from './xxh64.ts';
import { withChecksum } from './zstd-frames.ts';
import { maxJobs, zstdLibrary } from './zstd-library.ts';

/** Frames of 4 MiB are 1 % smaller, and no faster. */
const framePlainBytes = 1024 * 1024;

interface Packing {
  readonly isPacked: Promise<Buffer>;
  readonly plain: Buffer;
  readonly plainBytes: number;
  readonly checksum: number;
}

/** Packs what comes into frames, which go on in order. */
export class ZstdSink implements ByteSink {
  readonly #into: ByteSink;
  readonly #level: number;
  readonly #library = zstdLibrary();
  readonly #table = SeekTable.ofMarkedFile();
  /** In the order of the file. */
  readonly #jobs: Packing[] = [];
  readonly #spare: Buffer[] = [];
  #kept: Buffer = Buffer.allocUnsafe(framePlainBytes);
  #keptBytes = 0;
  #storedOffset = 0;
  #plainOffset = 0;
  readonly frameIndex: [number, number][] = [];

  constructor(into: ByteSink, level: number) {
    this.#into = into;
    this.#level = level;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + framePlainBytes - this.#keptBytes);
      this.#kept.set(part, this.#keptBytes);
      this.#keptBytes += part.length;
      at += part.length;
      if (this.#keptBytes === framePlainBytes) await this.#pack();
    }
  }

  async end(): Promise<void> {
    if (this.#keptBytes > 0) await this.#pack();
    while (this.#jobs.length > 0) await this.#putFirst();
    await this.#putMark();
    await this.#into.write(this.#table.toFrame());
    await this.#into.end();
  }

  destroy(): void {
    this.#into.destroy();
  }

  async #pack(): Promise<void> {
    if (this.#jobs.length === maxJobs) await this.#putFirst();
    const plain = this.#kept;
    const plainBytes = this.#keptBytes;
    const content = plain.subarray(0, plainBytes);
    const isPacked = this.#library.compress(content, this.#level);
    isPacked.catch(() => {});
    this.#jobs.push({ isPacked, plain, plainBytes, checksum: new Xxh64().update(content).low32() });
    this.#kept = this.#spare.pop() ?? Buffer.allocUnsafe(framePlainBytes);
    this.#keptBytes = 0;
  }

  async #putFirst(): Promise<void> {
    const { isPacked, plain, plainBytes, checksum } = this.#jobs.shift()!;
    const frame = withChecksum(await isPacked, plainBytes, checksum);
    this.#spare.push(plain);
    await this.#putMark();
    this.frameIndex.push([this.#storedOffset, this.#plainOffset]);
    this.#table.add(frame.length, plainBytes, checksum);
    this.#storedOffset += frame.length;
    this.#plainOffset += plainBytes;
    await this.#into.write(frame);
  }

  async #putMark(): Promise<void> {
    if (this.#storedOffset > 0) return;
    this.#storedOffset = startMark.length;
    await this.#into.write(startMark);
  }
}
