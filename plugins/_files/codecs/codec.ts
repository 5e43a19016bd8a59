/** Places from which a packed file can be unpacked: where in the packed bytes, and where in the bytes before they were packed. */
export type FrameIndex = readonly (readonly [stored: number, plain: number])[];

/** The bytes of a file from an offset on. */
export type ReadFrom = (offset: number) => AsyncIterable<Buffer>;

/** A place from which a packed file can be unpacked: where in the packed bytes, and where in the bytes that come out. */
export interface Place {
  readonly stored: number;
  readonly plain: number;
}

/** A step on the way of bytes into a file. Calls do not overlap; after one that failed only `destroy` is called. */
export interface ByteSink {
  /** Resolves when the bytes are no longer looked at, and there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything has gone on, and the sink behind it has ended, too. */
  end(): Promise<void>;
  /** Releases what it holds, without ending; never rejects. */
  destroy(): void;
  /** Complete once it has ended; absent where a file can be read from its start only. */
  readonly frameIndex?: FrameIndex;
}

/** Changes bytes on their way into a file (compression, encryption) and back. Holds nothing of a file: one serves all of a task. */
export interface Codec {
  /** Behind the suffix of the format: `.gz`. */
  readonly suffix: string;
  /** There are places here and there from which a file can be unpacked; there may be just one, its start. */
  readonly isFramed?: true;
  /** Puts itself before a sink. */
  writer(into: ByteSink): ByteSink;
  /**
   * FILE_BROKEN (encryption: CIPHER_BROKEN), with the file and the offset, for bytes that it did not write, for a cut off end, and for
   * more than `maxBytes` of outcome. The chunks of the source stay as they are; leaving the loop closes the source.
   * @param onFrame where `isFramed`: told of each place from which `readerAt` can go on, before its bytes come
   */
  reader(source: AsyncIterable<Buffer>, file: string, maxBytes?: number, onFrame?: (place: Place) => void): AsyncIterable<Buffer>;
  /**
   * What comes out from a place on. Absent: a file is unpacked from its start only. Finds what `reader` finds, but not what the bytes before or the end would tell.
   * @param place where `isFramed`, one that `onFrame` was told; else any, and `plain` alone counts
   */
  readerAt?(read: ReadFrom, place: Place, file: string): AsyncIterable<Buffer>;
}
