import { DrayError } from 'dray/sdk';
import type { RandomAccess } from '../format.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Ranges that are so near are read together, up to so many bytes. */
const maxGap = 64 * 1024;
const maxTogether = 256 * 1024 * 1024;

/** A file as the Parquet library reads it. Tells what cannot be understood from what the source could not read. */
export class CheckedSource {
  readonly byteLength: number;
  readonly #source: RandomAccess;
  readonly #file: string;
  /** What the source said. */
  #fault: { readonly error: unknown } | undefined;

  constructor(source: RandomAccess, file: string) {
    this.byteLength = source.bytes;
    this.#source = source;
    this.#file = file;
  }

  /** For the library. */
  async slice(from: number, to = this.byteLength): Promise<ArrayBuffer> {
    const { buffer, byteOffset, length } = await this.#read(from, to);
    const isWhole = byteOffset === 0 && length === buffer.byteLength;
    return (isWhole ? buffer : buffer.slice(byteOffset, byteOffset + length)) as ArrayBuffer;
  }

  /** The bytes of all ranges, in their order. */
  async readAll(ranges: readonly Range[]): Promise<Uint8Array[]> {
    const together: { from: number; to: number }[] = [];
    for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
      const last = together.at(-1);
      if (last !== undefined && from - last.to <= maxGap && to - last.from <= maxTogether) last.to = Math.max(last.to, to);
      else together.push({ from, to });
    }
    const read = await Promise.all(together.map(async (range) => ({ ...range, bytes: await this.#read(range.from, range.to) })));
    return ranges.map(({ from, to }) => {
      const whole = read.find((one) => one.from <= from && to <= one.to)!;
      return whole.bytes.subarray(from - whole.from, to - whole.from);
    });
  }

  async #read(from: number, to: number): Promise<Buffer> {
    if (!(from >= 0 && from <= to && to <= this.byteLength))
      throw this.broken(`it names the bytes ${from} to ${to} and has ${this.byteLength}`);
    try {
      const bytes = await this.#source.read(from, to);
      if (bytes.length !== to - from) throw this.broken(`of the bytes ${from} to ${to} only ${bytes.length} came`);
      return bytes;
    } catch (error) {
      this.#fault ??= { error };
      throw error;
    }
  }

  /** @throws what the source said, or DrayError FILE_BROKEN for what `parse` does not understand */
  async parsing<T>(parse: () => Promise<T>): Promise<T> {
    try {
      if (this.byteLength < 12) throw this.broken('it is too short');
      return await parse();
    } catch (error) {
      if (this.#fault !== undefined) throw this.#fault.error;
      throw this.#explained(error);
    }
  }

  /** The same for bytes that are there. */
  decoding<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  broken(why: string, cause?: unknown): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file} is no Parquet file, or it is damaged or cut off: ${why}`, {
      place: this.#file,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #explained(error: unknown): unknown {
    return error instanceof DrayError ? error : this.broken(error instanceof Error ? error.message : String(error), error);
  }
}
