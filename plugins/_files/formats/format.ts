import type { RecordBatch, RecordOutput, Schema } from 'dray/sdk';

/** Turns the rows of one file into its bytes. Calls do not overlap; returned bytes may be overwritten by the next call. */
export interface FileEncoder {
  /** What a file starts with, before the first row. */
  start(): Uint8Array;
  /** The rows of a batch; may keep some back. ROW_REJECTED, with row and column, for a row that the format cannot hold: then nothing of the batch is kept. */
  encode(batch: RecordBatch): Uint8Array | Promise<Uint8Array>;
  /** What was kept back, and what a file ends with. */
  end(): Uint8Array | Promise<Uint8Array>;
}

/** Turns the bytes of one file into rows, in chunks of any size. */
export interface FileDecoder {
  push(chunk: Buffer): void;
  /** No chunk will follow. FILE_BROKEN if the file is cut off. */
  end(): void;
  /** Packs rows into `out.builder` (or rejects them) until a batch is full, then returns true; false: all that was pushed is used up. */
  fill(): boolean;
}

/** One way to write rows into files. */
export interface FileFormat {
  /** Behind the name of a file: `.csv`. */
  readonly suffix: string;
  encoder(schema: Schema): FileEncoder;
  decoder(out: RecordOutput, file: string): FileDecoder;
}
