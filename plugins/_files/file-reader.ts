import { setTimeout as wait } from 'node:timers/promises';
import { DrayError, type PluginContext, type Reader, type Schema } from 'dray/sdk';
import type { Codec } from './codecs/codec.ts';
import type { FileFormat, IndexedFormat } from './formats/format.ts';
import { type FileAccess, schemaOf } from './reading/file-access.ts';
import { type FilePart, partOf, partsIn } from './reading/file-part.ts';
import { planParts } from './reading/plan-parts.ts';
import { readPart } from './reading/read-part.ts';
import { Staging } from './reading/staging.ts';
import { verifyParts } from './reading/verify-parts.ts';
import { type FindOptions, type FoundFile, findSetFiles } from './set/find-set.ts';
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

/** The columns, and the file that they were looked up in, if any. */
interface FoundSchema {
  readonly schema: Schema;
  readonly file?: FoundFile;
}

const pollMs = 5000;

/** The reader that all storages share: finds files, cuts big ones, verifies what stands beside them before the first row, and decodes. */
export function openFileReader(setup: FileReaderSetup, context: PluginContext): Reader {
  const { storage, format, codecsOf } = setup;
  const { signal } = context;
  const staging = new Staging(context.run);
  let found: Promise<FoundFile[]> | undefined;
  const files = () => (found ??= findReady(setup, context));
  let foundSchema: Promise<FoundSchema> | undefined;
  const schema = () => (foundSchema ??= files().then((all) => findSchema(all, setup, signal)));

  const isStaged = ({ expected }: FoundFile) => setup.isRemote && expected !== undefined;
  const accessTo = ({ path, bytes }: Pick<FilePart, 'path' | 'bytes'>, isCopy: boolean): FileAccess => {
    const name = storage.nameOf(path);
    return isCopy ? { storage: openLocalStorage(), path: staging.copyOf(name), bytes, name } : { storage, path, bytes, name };
  };

  return {
    schema: async () => (await schema()).schema,

    async split(hint) {
      const isNear = (file: FoundFile) => !setup.isRemote || isStaged(file);
      const all = await files();
      return planParts(all, { storage, format, codecsOf, schema: async () => (await schema()).schema, isStaged, isNear, hint, signal });
    },

    async verify(splits) {
      const parts = new Map<string, FilePart[]>();
      for (const part of partsIn(splits)) parts.set(part.path, [...(parts.get(part.path) ?? []), part]);
      for (const file of await files()) {
        const own = (parts.get(file.path) ?? []).filter(({ cut, groups }) => cut !== undefined || groups !== undefined);
        if (file.expected === undefined && own.length === 0) continue;
        const access = accessTo(file, isStaged(file));
        const codecs = codecsOf(file.path);
        const counter = own.length === 0 || !('decoder' in format) ? undefined : format.counter((await schema()).schema);
        await verifyParts(file, own, { storage, format, codecs, counter, staging, isStaged: isStaged(file), access, signal });
        const looked = await foundSchema;
        if (looked?.file !== file) continue;
        // It was looked at before it was known to be whole.
        const now = await schemaOf(access, format, codecs, signal);
        if (JSON.stringify(now) !== JSON.stringify(looked.schema)) throw changed(access.name);
      }
    },

    async read(split, out, readSignal) {
      const part = partOf(split);
      readSignal.throwIfAborted();
      await refuseChanged(storage, part);
      await readPart(
        part,
        { access: accessTo(part, part.isStaged), format, codecs: codecsOf(part.path), staging, signal: readSignal },
        out,
      );
      await refuseChanged(storage, part);
    },

    resource: () => storage.resource,

    async close() {
      await staging.remove();
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

/** The columns that the options name, or those of the first file that has a row: of it no more is read than that takes. */
async function findSchema(
  files: readonly FoundFile[],
  { storage, format, paths, codecsOf }: FileReaderSetup,
  signal: AbortSignal,
): Promise<FoundSchema> {
  if ('decoder' in format && format.schema !== undefined) return { schema: format.schema };
  for (const file of files) {
    const { path, bytes, expected } = file;
    const codecs = codecsOf(path);
    try {
      const schema = await schemaOf({ storage, path, bytes, name: storage.nameOf(path) }, format, codecs, signal);
      if (schema !== undefined) return { schema, file };
    } catch (error) {
      signal.throwIfAborted();
      // What is damaged, or changed by somebody, is not understood either, and that says more.
      if (expected !== undefined) await verifyFile(storage, file, { signal });
      throw error;
    }
  }
  throw new DrayError('COLUMN_MISSING', `there is no row in ${paths.join(', ')} that would say how many columns there are`, {
    remedy: 'List the columns with their index in "column".',
  });
}

/** A file that is another one than when the plan was made. What has been staged cannot change. */
async function refuseChanged(storage: Storage, { path, version, isStaged }: FilePart): Promise<void> {
  if (isStaged) return;
  const now = await storage.facts(path);
  if (now?.version === version) return;
  const place = storage.nameOf(path);
  if (now === undefined) throw new DrayError('PATH_MISSING', `${place} is not there any more`, { place });
  throw changed(place);
}

function changed(place: string): DrayError {
  return new DrayError('FILE_CHANGED', `${place} has changed since it was found`, { place });
}
