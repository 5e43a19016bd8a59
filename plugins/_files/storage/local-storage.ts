import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DrayError } from 'dray/sdk';
import { readFault, writeFault } from './file-faults.ts';
import { findLocalFiles } from './find-local-files.ts';
import type { Receipt, Storage, StoredFile, Upload } from './storage.ts';

/** At 64 KB, node's own size, reading costs twice the CPU. */
const chunkBytes = 256 * 1024;
const mebi = 1024 * 1024;

/** Files of this machine. Paths are absolute, or from the working folder. */
export function openLocalStorage(): Storage {
  return {
    resource: { kind: 'disk', host: 'localhost' },
    nameOf: (path) => path,
    find: async (path) => {
      const files: StoredFile[] = [];
      for (const file of await findLocalFiles(path)) files.push(await existing(file));
      return files;
    },
    async filesIn(folder) {
      const names = await readFailing(folder, fileNames(folder));
      const files: StoredFile[] = [];
      for (const name of names) {
        const file = await factsOf(join(folder, name));
        if (file !== undefined) files.push(file);
      }
      return files;
    },
    facts: factsOf,
    read,
    begin: async (path) => new LocalUpload(resolve(path)),
    async publish(receipt, { replaces }) {
      const { path } = receipt;
      const from = temporaryOf(receipt);
      if (replaces) await writeFailing(path, rename(from, path));
      else {
        // A link fails where there is a file already; a rename would replace it.
        await linkNew(from, path);
        await writeFailing(from, rm(from));
      }
      await writeFailing(path, syncFolder(dirname(path)));
    },
    async discard(receipt) {
      const from = temporaryOf(receipt);
      await writeFailing(from, rm(from, { force: true }));
    },
    async unfinishedIn(folder) {
      const names = await readFailing(folder, fileNames(folder));
      return names.flatMap((name): Receipt[] => {
        const final = /^\.(.+)\.tmp$/s.exec(name)?.[1];
        return final === undefined ? [] : [{ path: join(folder, final), temporary: name, bytes: 0 }];
      });
    },
    remove: (path) => writeFailing(path, rm(path, { force: true })),
    makeFolder: async (folder) => {
      await writeFailing(folder, mkdir(folder, { recursive: true }));
      if (!(await writeFailing(folder, stat(folder))).isDirectory())
        throw new DrayError('FILE_FAILED', `${folder} is not a folder`, { place: folder });
    },
    join,
    close: async () => undefined,
  };
}

function temporaryOf({ path, temporary }: Receipt): string {
  return join(dirname(path), temporary as string);
}

async function fileNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function factsOf(path: string): Promise<StoredFile | undefined> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return { path, bytes: Number(size), version: `${ino}-${size}-${mtimeNs}` };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw readFault(error, path);
  }
}

async function existing(path: string): Promise<StoredFile> {
  return (await factsOf(path)) ?? Promise.reject(readFault(Object.assign(new Error('gone'), { code: 'ENOENT' }), path));
}

async function* read(path: string, { from, to }: { from: number; to?: number }, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  if (to !== undefined && to <= from) return;
  const stream = createReadStream(path, { highWaterMark: chunkBytes, start: from, ...(to === undefined ? {} : { end: to - 1 }) });
  const stop = () => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      yield chunk;
    }
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw readFault(error, path);
  } finally {
    signal.removeEventListener('abort', stop);
    if (!stream.closed) {
      stream.destroy();
      await new Promise<void>((resolve) => stream.once('close', () => resolve()));
    }
  }
}

/** Writes under a hidden name in the same folder, and flushes to the disk at the end. */
class LocalUpload implements Upload {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: WriteStream;
  #fault: Error | undefined;
  #bytes = 0;
  /** Rejects the call that waits. A promise per file to race with would gather a reaction per batch. */
  #stopWaiting: ((fault: Error) => void) | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `.${path.slice(path.lastIndexOf('/') + 1)}.tmp`;
    this.#file = createWriteStream(this.#temporaryPath, { highWaterMark: mebi, flush: true });
    this.#file.on('error', (fault) => {
      this.#fault ??= fault;
      this.#stopWaiting?.(fault);
    });
  }

  get #temporaryPath(): string {
    return join(dirname(this.#path), this.#temporary);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    await this.#waitFor((done) => this.#file.write(bytes, done));
  }

  async finish(): Promise<Receipt> {
    await this.#waitFor((done) => {
      this.#file.once('close', done);
      this.#file.end();
    });
    const { size } = await readFailing(this.#temporaryPath, lstat(this.#temporaryPath));
    if (size !== this.#bytes) {
      throw new DrayError('FILE_FAILED', `${this.#temporaryPath} has ${size} bytes after ${this.#bytes} were written`, {
        place: this.#path,
      });
    }
    return { path: this.#path, temporary: this.#temporary, bytes: this.#bytes };
  }

  async abort(): Promise<void> {
    this.#file.destroy();
    if (!this.#file.closed) await new Promise<void>((resolve) => this.#file.once('close', () => resolve()));
    await rm(this.#temporaryPath, { force: true });
  }

  async #waitFor(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#fault !== undefined) return reject(this.#fault);
        this.#stopWaiting = reject;
        start((error) => (error || this.#fault ? reject(this.#fault ?? error) : resolve()));
      });
    } catch (error) {
      throw writeFault(error, this.#temporaryPath);
    }
  }
}

async function linkNew(from: string, path: string): Promise<void> {
  try {
    await link(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeFault(error, path);
    throw new DrayError('FILE_EXISTS', `${path} is there already`, { cause: error, place: path });
  }
}

/** Makes renames durable. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

async function writeFailing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw writeFault(error, path);
  }
}

async function readFailing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw readFault(error, path);
  }
}
