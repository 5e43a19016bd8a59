import type { RecordBatch, RecordOutput, Schema } from 'dray/sdk';

/*
 * A format is made once per open reader or writer, and makes an encoder or a decoder for each file.
 */

/**
 * Turns the rows of one file into its bytes. Calls do not overlap. Returned bytes stay as they are until the call after the next, so that
 * they can be on their way while the next batch is encoded; they are never the memory of the batch, which is used again before that.
 */
export interface FileEncoder {
  /** What a file starts with, before the first row. Once, before anything else. */
  start(): Uint8Array;
  /** The rows of a batch; may keep some back. ROW_REJECTED, with row and column, for a row that the format cannot hold: then nothing of the batch is kept. */
  encode(batch: RecordBatch): Uint8Array;
  /** What was kept back, and what a file ends with. Once, after the last batch; never refuses a row. */
  end(): Uint8Array;
}

/** Turns the bytes of one file into rows, in chunks of any size. */
export interface FileDecoder {
  /** Copies what it needs of the chunk. */
  push(chunk: Buffer): void;
  /** No chunk will follow. What is missing is told by the last `fill`. */
  end(): void;
  /**
   * Packs rows into `out.builder` (or rejects them) until a batch is full, then returns true; false: all that was pushed is used up. To be
   * called until it says so after each `push`, and after `end`. FILE_BROKEN, with the file, where the rest cannot be read.
   */
  fill(): boolean;
}

/** Finds out which columns a file has, by its first row. */
export interface SchemaFinder {
  /** Undefined: more bytes are needed. Afterwards it is not called again. */
  push(chunk: Buffer): Schema | undefined;
  /** No chunk will follow. Undefined: there is no row in the file. */
  end(): Schema | undefined;
}

/** A place in a file at which a record begins. */
export interface RecordPlace {
  /** Number of its line, from 1. */
  readonly line: number;
}

/**
 * Counts the rows of one file without decoding them, as the decoder will deliver or reject them, and finds out where rows begin. The bytes may come in chunks of
 * any size, without a byte order mark in front.
 */
export interface RecordCounter {
  /** Rows that have ended so far. */
  readonly rows: number;
  /** Line ends so far. */
  readonly lines: number;
  /** Files of this format and encoding may start with the byte order mark of UTF-8, which is no part of the first row. */
  readonly isUtf8: boolean;
  /** True once there can be no row behind. */
  readonly isOver: boolean;
  /**
   * Goes on over a chunk from `from` to the first place at or behind `stop` where a record begins, and returns it; -1: the chunk is used up. A place at the end of the
   * chunk is one, too.
   */
  run(chunk: Buffer, from: number, stop: number): number;
  /** No chunk will follow: counts a row that has no line end. */
  end(): void;
}

/** The half of a format that writes. */
export interface WritingFormat {
  /** Behind the name of a file: `.csv`. */
  readonly suffix: string;
  /** JOB_INVALID, COLUMN_COUNT or TYPE_UNSUPPORTED for columns that no file of this format and these options can have. */
  encoder(schema: Schema): FileEncoder;
}

/** One way to write rows into files that are read from their start to their end. */
export interface FileFormat extends WritingFormat {
  /** Columns of all files, where the options name them; undefined: those of the first file that has a row, by `finder`. */
  readonly schema: Schema | undefined;
  finder(file: string): SchemaFinder;
  /**
   * `out.schema` is the one above.
   * @param from where the bytes begin, if that is not the start of the file
   */
  decoder(out: RecordOutput, file: string, from?: RecordPlace): FileDecoder;
  /** Counts rows of files with these columns. Undefined: with these options only the decoder can tell where a row begins. */
  counter(schema: Schema): RecordCounter | undefined;
}

/** The bytes of a file, in any order. */
export interface RandomAccess {
  /** Length of the file. */
  readonly bytes: number;
  /** The bytes from `from` up to, not including, `to`. */
  read(from: number, to: number): Promise<Buffer>;
}

/** A file that is read here and there. */
export interface IndexedFile {
  readonly schema: Schema;
  readonly rowCount: number;
  /** Parts that can be read for themselves, in order: what fits into memory at once, and so the smallest split. */
  readonly parts: readonly { readonly rows: number; readonly bytes: number }[];
  /** Delivers the rows of the parts from `from` up to, not including, `to` (all of them by default); rejects with what the signal says once it has fired. */
  read(out: RecordOutput, signal: AbortSignal, parts?: { readonly from: number; readonly to: number }): Promise<void>;
}

/** One way to write rows into files that carry an index at their end, and so need random access to be read. */
export interface IndexedFormat extends WritingFormat {
  /** Reads the index. */
  open(source: RandomAccess, file: string): Promise<IndexedFile>;
}
