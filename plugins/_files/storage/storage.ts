import type { Json, Resource } from 'dray/sdk';

/** A file as its storage describes it. */
export interface StoredFile {
  /** As `read` takes it. */
  readonly path: string;
  readonly bytes: number;
  /** Another one whenever the content may be another one, as far as the storage tells: an ETag, or size and time. */
  readonly version: string;
}

/** A file that has been written whole and durably, and that nobody sees yet. Plain JSON: it travels from the task to `publish`. */
export interface Receipt {
  readonly [key: string]: Json;
  /** Where it will be. */
  readonly path: string;
  readonly bytes: number;
}

/** A file on its way into a storage. Calls do not overlap. */
export interface Upload {
  /** Resolves when the bytes are no longer looked at, and there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything is durable. */
  finish(): Promise<Receipt>;
  /** Removes what was written; also after a failed `write` or `finish`. */
  abort(): Promise<void>;
}

/** A byte range, half-open; `to` absent: to the end. */
export interface ByteRange {
  readonly from: number;
  readonly to?: number;
}

/** Where files live. Three small ones: the local disk, SFTP and S3. Every failure is a DrayError with the file as its place. */
export interface Storage {
  /** The server that is asked, or the disks of this machine. */
  readonly resource: Resource;
  /** A path as people know it: `/data/a.csv`, `sftp://host/data/a.csv`, `s3://bucket/data/a.csv`. */
  readonly nameOf: (path: string) => string;
  /**
   * The files that a path means, sorted: a file, all files below a folder, or what a pattern with * and ? fits (each within one name), of
   * folders all files below. Files and folders
   * whose names start with a dot are left out unless they are named. None: an empty list.
   */
  find(path: string): Promise<StoredFile[]>;
  /** The files directly in a folder, also hidden ones, sorted; none if there is no such folder. */
  filesIn(folder: string): Promise<StoredFile[]>;
  /** undefined: there is no such file. */
  facts(path: string): Promise<StoredFile | undefined>;
  /** The bytes of a file, in chunks of some 100 kB. Leaving the loop closes it. PATH_MISSING if it is not there. */
  read(path: string, range: ByteRange, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Starts a file that will be at `path` once it is published. The folder exists. */
  begin(path: string): Promise<Upload>;
  /** Makes a finished file visible under its path, in one step. With `replaces` false a file that is there already is FILE_EXISTS. */
  publish(receipt: Receipt, how: { replaces: boolean }): Promise<void>;
  /** Removes a finished file that was not published. It may be gone already. */
  discard(receipt: Receipt): Promise<void>;
  /** Files that were begun in a folder and neither published nor discarded, by runs that are over; `path` is where they would have been. */
  unfinishedIn(folder: string): Promise<Receipt[]>;
  /** Removes a file. It may be gone already. */
  remove(path: string): Promise<void>;
  /** Makes a folder, and those above it, where the storage has folders. */
  makeFolder(folder: string): Promise<void>;
  /** Path of a file in a folder. */
  join(folder: string, name: string): string;
  close(): Promise<void>;
}
