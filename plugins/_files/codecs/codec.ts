/** A step on the way of bytes into a file. */
export interface ByteSink {
  /** Resolves when the bytes are no longer looked at, and there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything has gone on, and the sink behind it has ended, too. */
  end(): Promise<void>;
  /** Releases what it holds, without ending; never rejects. */
  destroy(): void;
}

/** Changes bytes on their way into a file (compression, encryption) and back. */
export interface Codec {
  /** Behind the suffix of the format: `.gz`. */
  readonly suffix: string;
  /** Puts itself before a sink. */
  writer(into: ByteSink): ByteSink;
  /** FILE_BROKEN, with the file and the offset, for bytes that it did not write, and for a cut off end. */
  reader(source: AsyncIterable<Buffer>, file: string): AsyncIterable<Buffer>;
}
