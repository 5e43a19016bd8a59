import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DrayError, type Json, LF, type PluginContext, type Reader, type RecordOutput, type Schema, type Split } from 'dray/sdk';
import { unchain } from './codecs/chain.ts';
import type { Codec } from './codecs/codec.ts';
import type { FileDecoder, FileFormat, IndexedFormat, RandomAccess } from './formats/format.ts';
import { type Expected, type FindOptions, type FoundFile, findSetFiles } from './set/find-set.ts';
import { verifyFile } from './set/verify.ts';
import { openLocalStorage } from './storage/local-storage.ts';
import type { Storage } from './storage/storage.ts';

/** What the options of a plugin amount to. */
export interface FileReaderSetup {
  readonly storage: Storage;
  /** Files of a storage that is far away are fetched once: verified, and kept here until they have been loaded. */
  readonly isRemote: boolean;
  readonly paths: readonly string[];
  readonly format: FileFormat | IndexedFormat;
  /** How a file was packed and encrypted, by its name. */
  readonly codecsOf: (name: string) => readonly Codec[];
  readonly find: Omit<FindOptions, 'signal'>;
  /** How long to wait for `_SUCCESS`. */
  readonly waitMinutes: number;
}

/** What a split carries to the task that reads it. */
interface FilePart {
  readonly path: string;
  readonly version: string;
  readonly bytes: number;
  readonly expected?: Pick<Expected, 'rows' | 'storedBytes'>;
  readonly isStaged: boolean;
}

const pollMs = 5000;
const sampleBytes = 64 * 1024;

/** The reader that all storages share: finds files, verifies what stands beside them before the first row, and decodes. */
export function openFileReader(setup: FileReaderSetup, context: PluginContext): Reader {
  const { storage, format, paths, codecsOf } = setup;
  const { signal } = context;
  let found: Promise<FoundFile[]> | undefined;
  const files = () => (found ??= findReady(setup, context));
  const staging = join(tmpdir(), `dray-${context.run}`);
  let hasStaged = false;
  const staged = (path: string) => join(staging, createHash('sha256').update(storage.nameOf(path)).digest('hex'));
  const verified = new Map<string, Promise<void>>();

  /** Verifies a file, once: no byte of it is unpacked or decoded before. */
  const verifiedOnce = (file: FoundFile): Promise<void> => {
    const before = verified.get(file.path);
    if (before !== undefined) return before;
    hasStaged ||= setup.isRemote;
    const checking = setup.isRemote ? stage(storage, file, staged(file.path), signal) : verifyFile(storage, file, { signal });
    verified.set(file.path, checking);
    return checking;
  };

  return {
    async schema() {
      if ('decoder' in format && format.schema !== undefined) return format.schema;
      for (const file of await files()) {
        const isStaged = setup.isRemote && file.expected !== undefined;
        if (file.expected !== undefined) await verifiedOnce(file);
        const from = isStaged ? { storage: openLocalStorage(), path: staged(file.path) } : { storage, path: file.path };
        const schema = await schemaOf({ ...from, bytes: file.bytes, name: storage.nameOf(file.path) }, format, codecsOf(file.path), signal);
        if (schema !== undefined) return schema;
      }
      throw new DrayError('COLUMN_MISSING', `there is no row in ${paths.join(', ')} that would say how many columns there are`, {
        remedy: 'List the columns with their index in "column".',
      });
    },

    async split() {
      const all = await files();
      const sample = all.find(({ path, bytes }) => bytes > 0 && codecsOf(path).length === 0);
      const rowBytes = sample === undefined || !('decoder' in format) ? undefined : await bytesPerLine(storage, sample, signal);
      return all.map((file): Split => {
        const { path, version, bytes, expected } = file;
        const isStaged = setup.isRemote && expected !== undefined;
        const part: FilePart = {
          path,
          version,
          bytes,
          isStaged,
          ...(expected === undefined
            ? {}
            : { expected: { storedBytes: expected.storedBytes, ...(expected.rows === undefined ? {} : { rows: expected.rows }) } }),
        };
        const guess = rowBytes === undefined || codecsOf(path).length > 0 ? undefined : Math.round(bytes / rowBytes);
        const rows = expected?.rows ?? guess;
        return {
          name: storage.nameOf(path),
          part: part as unknown as Json,
          estimatedBytes: bytes,
          ...(rows === undefined ? {} : { estimatedRows: rows }),
        };
      });
    },

    async verify() {
      for (const file of await files()) if (file.expected !== undefined) await verifiedOnce(file);
    },

    async read(split, out, readSignal) {
      const part = split.part as unknown as FilePart;
      readSignal.throwIfAborted();
      const from = part.isStaged ? { storage: openLocalStorage(), path: staged(part.path) } : { storage, path: part.path };
      await refuseChanged(storage, part);
      const counting = countingOutput(out);
      if ('decoder' in format) {
        const bytes = unchain(codecsOf(part.path), from.storage.read(from.path, { from: 0 }, readSignal), storage.nameOf(part.path));
        await decode(format.decoder(counting, storage.nameOf(part.path)), bytes, counting, readSignal);
      } else {
        const file = await format.open(randomAccess(from.storage, from.path, part.bytes, readSignal), storage.nameOf(part.path));
        await file.read(counting, readSignal);
        await counting.flush();
      }
      await refuseChanged(storage, part);
      const expected = part.expected?.rows;
      if (expected === undefined || counting.rows === expected) return;
      const place = storage.nameOf(part.path);
      throw new DrayError('ROWS_DIFFER', `${place} has ${counting.rows} rows where its sidecar says ${expected}`, { place });
    },

    async close() {
      if (hasStaged) await rm(staging, { recursive: true, force: true });
      await storage.close();
    },
  };
}

/** Waits for `_SUCCESS` if the job says so. */
async function findReady({ storage, paths, find, waitMinutes }: FileReaderSetup, { signal, warn }: PluginContext): Promise<FoundFile[]> {
  const endsAt = performance.now() + waitMinutes * 60_000;
  for (;;) {
    try {
      return await findSetFiles(storage, paths, { ...find, signal });
    } catch (error) {
      if (!(error instanceof DrayError) || error.code !== 'FILES_NOT_READY' || performance.now() >= endsAt) throw error;
      warn(`${error.message}: waiting for it, at most ${waitMinutes} minutes`);
      await wait(Math.min(pollMs, Math.max(0, endsAt - performance.now())), undefined, { signal });
    }
  }
}

async function schemaOf(
  { storage, path, bytes, name }: { storage: Storage; path: string; bytes: number; name: string },
  format: FileFormat | IndexedFormat,
  codecs: readonly Codec[],
  signal: AbortSignal,
): Promise<Schema | undefined> {
  if (!('decoder' in format)) return (await format.open(randomAccess(storage, path, bytes, signal), name)).schema;
  const finder = format.finder(name);
  for await (const chunk of unchain(codecs, storage.read(path, { from: 0 }, signal), name)) {
    const schema = finder.push(chunk);
    if (schema !== undefined) return schema;
  }
  return finder.end();
}

async function decode(decoder: FileDecoder, bytes: AsyncIterable<Buffer>, out: RecordOutput, signal: AbortSignal): Promise<void> {
  for await (const chunk of bytes) {
    // What is in memory already comes without a pause in which the reading itself would notice.
    signal.throwIfAborted();
    decoder.push(chunk);
    while (decoder.fill()) await out.flush();
  }
  decoder.end();
  while (decoder.fill()) await out.flush();
  await out.flush();
}

function randomAccess(storage: Storage, path: string, bytes: number, signal: AbortSignal): RandomAccess {
  return {
    bytes,
    async read(from, to) {
      const chunks: Buffer[] = [];
      for await (const chunk of storage.read(path, { from, to }, signal)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
  };
}

/** Fetches a file while it is verified. */
async function stage(storage: Storage, file: FoundFile, to: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await using handle = await open(to, 'w', 0o600);
  await verifyFile(storage, file, {
    signal,
    keep: async (chunk) => {
      await handle.write(chunk);
    },
  });
}

/** A file that is another one than when the plan was made. What has been staged cannot change. */
async function refuseChanged(storage: Storage, { path, version, isStaged }: FilePart): Promise<void> {
  if (isStaged) return;
  const now = await storage.facts(path);
  if (now?.version === version) return;
  const place = storage.nameOf(path);
  if (now === undefined) throw new DrayError('PATH_MISSING', `${place} is not there any more`, { place });
  throw new DrayError('FILE_CHANGED', `${place} has changed since it was found`, { place });
}

interface CountingOutput extends RecordOutput {
  /** Rows delivered or rejected; all of them, after the last flush. */
  readonly rows: number;
}

function countingOutput(out: RecordOutput): CountingOutput {
  let rows = 0;
  return {
    schema: out.schema,
    builder: out.builder,
    push: (cells) => out.push(cells),
    drain: () => out.drain(),
    flush() {
      rows += out.builder.rowCount;
      return out.flush();
    },
    send(batch) {
      rows += batch.rowCount;
      return out.send(batch);
    },
    reject(fault) {
      rows++;
      out.reject(fault);
    },
    get rows() {
      return rows;
    },
  };
}

/** Of the first lines of a file. */
async function bytesPerLine(storage: Storage, { path, bytes }: FoundFile, signal: AbortSignal): Promise<number | undefined> {
  let length = 0;
  let lines = 0;
  for await (const chunk of storage.read(path, { from: 0, to: Math.min(bytes, sampleBytes) }, signal)) {
    length += chunk.length;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) lines++;
  }
  return lines === 0 ? undefined : length / lines;
}
