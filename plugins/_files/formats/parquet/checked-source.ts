import { DrayError } from 'dray/sdk';
import type { RandomAccess } from '../format.ts';

/** A file as the Parquet library reads it. Tells what the library does not understand from what the source could not read. */
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

  async slice(from: number, to = this.byteLength): Promise<ArrayBuffer> {
    if (from < 0 || from > to || to > this.byteLength) throw this.broken(`it names the bytes ${from} to ${to} and has ${this.byteLength}`);
    try {
      const { buffer, byteOffset, length } = await this.#source.read(from, to);
      if (length !== to - from) throw this.broken(`of the bytes ${from} to ${to} only ${length} came`);
      const isWhole = byteOffset === 0 && length === buffer.byteLength;
      return (isWhole ? buffer : buffer.slice(byteOffset, byteOffset + length)) as ArrayBuffer;
    } catch (error) {
      this.#fault ??= { error };
      throw error;
    }
  }

  /** @throws what the source said, or DrayError FILE_BROKEN for anything else */
  async parsing<T>(parse: () => Promise<T>): Promise<T> {
    try {
      if (this.byteLength < 12) throw this.broken('it is too short');
      return await parse();
    } catch (error) {
      if (this.#fault !== undefined) throw this.#fault.error;
      throw error instanceof DrayError ? error : this.broken((error as Error).message, error);
    }
  }

  broken(why: string, cause?: unknown): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file} is no Parquet file, or it is damaged or cut off: ${why}`, {
      place: this.#file,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
