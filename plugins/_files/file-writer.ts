import type { Json, PluginContext, Schema, Target, TaskFacts, TaskWriter, WriteIntent, Writer } from 'dray/sdk';
import { DrayError } from 'dray/sdk';
import { suffixOf } from './codecs/chain.ts';
import type { Codec } from './codecs/codec.ts';
import { RowDigest } from './codecs/row-digest.ts';
import { DataFile, type WrittenFile } from './data-file.ts';
import type { WritingFormat } from './formats/format.ts';
import { isJournal, isMark, type SetNames, setNames } from './set/names.ts';
import { type FinishedFile, nameIn, publishSet, readSuccess, type SetFacts } from './set/publish.ts';
import { settleCrashed } from './set/settle.ts';
import { type Sidecar, type SuccessEntry, sidecarColumns, sidecarVersion } from './set/sidecar.ts';
import type { SigningKey } from './set/signature.ts';
import { markRun } from './set/turn.ts';
import type { Receipt, Storage } from './storage/storage.ts';
import type { FileWriterOptions } from './writer-options.ts';

/** What the options of a plugin amount to. */
export interface FileWriterSetup {
  readonly storage: Storage;
  readonly folder: string;
  readonly fileName: string;
  readonly writeMode: FileWriterOptions['writeMode'];
  readonly format: WritingFormat;
  /** For the sidecar: `csv`, `gzip`, `none`. */
  readonly formatName: string;
  readonly compression: string;
  readonly encryptionKey: string | null;
  /** In the order in which the rows' bytes pass them. */
  readonly codecs: readonly Codec[];
  readonly signatureKey: SigningKey | undefined;
  /** Sidecars, manifest and _SUCCESS. */
  readonly hasSidecars: boolean;
  /** Stored bytes from which on the rest goes into another file; undefined: no limit. */
  readonly maxFileBytes: number | undefined;
}

/** What a task tells `publish`. */
interface TaskCommit {
  readonly task: number;
  readonly rows: number;
  readonly files: readonly (WrittenFile & { readonly part: number })[];
}

/** The writer that all storages share: tasks write hidden files, `publish` makes them visible together. */
export function openFileWriter(setup: FileWriterSetup, context: PluginContext): Writer {
  const { storage, folder, fileName, writeMode, format } = setup;
  const names = setNames(fileName, context.run, format.suffix + suffixOf(setup.codecs));
  const set: SetFacts = {
    storage,
    folder,
    fileName,
    run: context.run,
    job: context.job,
    names,
    keepsEarlier: writeMode === 'append' || writeMode === 'nonConflict',
    signatureKey: setup.signatureKey,
    signal: context.signal,
  };
  /** What is replayed is added to what is there, whatever the job says. */
  const setFor = (mode: WriteIntent['mode']): SetFacts => (mode === 'replay' ? { ...set, keepsEarlier: true } : set);
  let source: Schema = { columns: [] };
  /** What takes back what may be visible, in the order in which it became so. */
  const undo: (() => Promise<void>)[] = [];
  let marked: SuccessEntry | undefined;

  const refuseEarlier = async (mode: WriteIntent['mode'] = 'run') => {
    if (writeMode !== 'nonConflict' || mode === 'replay') return;
    for (const { path } of await storage.filesIn(folder)) {
      const name = nameIn(path);
      const isOther = ![context.run, undefined].includes(names.runOf(name)) && !isMark(name) && !isJournal(name);
      if (!isOther && name !== fileName) continue;
      throw new DrayError('FILE_EXISTS', `${storage.nameOf(path)} is there already`, { place: storage.nameOf(folder) });
    }
  };
  const targetOf = (from: Schema): Target => {
    source = from;
    format.encoder(from);
    return { schema: { columns: from.columns.map(({ name, type }) => ({ name, type, isNullable: true })) } };
  };

  return {
    async inspect(from) {
      const target = targetOf(from);
      await refuseEarlier();
      return target;
    },
    // What a task has committed is hidden until the run publishes just that; what else lies there then goes.
    refusesExactlyOnce: async () => undefined,
    async prepare(from, { mode }) {
      const target = targetOf(from);
      await storage.makeFolder(folder);
      await settleCrashed(setFor(mode));
      await refuseEarlier(mode);
      await markRun(set);
      return target;
    },
    openTask: async (task) => new TaskFiles(setup, names, task),
    async publish(commits, { mode }) {
      const all = (commits.filter((one) => one !== null) as unknown as TaskCommit[]).sort((a, b) => a.task - b.task);
      const files = all.flatMap(({ task, files: parts }) => parts.map((part) => ({ task, ...part })));
      if (files.length === 0) {
        // Zero rows are a result, too: a file shows that the job has run.
        const empty = new TaskFiles(setup, names, {
          id: all[0]?.task ?? 0,
          attempt: 1,
          guarantee: 'at-least-once',
          source,
          target: { schema: source },
        });
        files.push(...(await empty.commitEmpty()).files.map((part) => ({ task: all[0]?.task ?? 0, ...part })));
      }
      const digest = new RowDigest();
      for (const file of files) digest.merge(RowDigest.parse(file.rowDigest));
      const finished = files.map(
        (file): FinishedFile => ({ receipt: file.receipt, name: nameIn(file.receipt.path), sidecar: sidecarOf(file, setup, set, source) }),
      );
      await publishSet(setFor(mode), source, finished, {
        rowDigest: digest,
        hasSidecars: setup.hasSidecars,
        isAgain: mode === 'resume',
        check: () => refuseEarlier(mode),
        onVisible: (one) => void undo.push(one),
        onMarked: (entry) => {
          marked = entry;
        },
      });
      await storage.remove(storage.join(folder, names.mark));
      undo.length = 0;
      marked = undefined;
    },
    async discard() {
      // Once readers may have seen the set it stays; the next run settles what is left of publishing it.
      if (marked !== undefined && (await isListed(set, marked))) return;
      for (const one of undo.toReversed()) await one();
      await storage.remove(storage.join(folder, names.journal));
      for (const receipt of await storage.unfinishedIn(folder))
        if (names.runOf(nameIn(receipt.path)) === context.run) await storage.discard(receipt);
      await storage.remove(storage.join(folder, names.mark));
    },
    resource: () => storage.resource,
    close: () => storage.close(),
  };
}

async function isListed({ storage, folder, fileName, signal }: SetFacts, { sha256 }: SuccessEntry): Promise<boolean> {
  return (await readSuccess(storage, folder, signal))?.sets[fileName]?.some((one) => one.sha256 === sha256) === true;
}

function sidecarOf(
  { receipt, rows, rowDigest, key, rawBytes, sha256, task, part }: WrittenFile & { task: number; part: number },
  { formatName, compression, encryptionKey }: FileWriterSetup,
  { job, run }: SetFacts,
  schema: Schema,
): Sidecar {
  return {
    format: sidecarVersion,
    file: nameIn(receipt.path),
    rows,
    rowDigest,
    rawBytes,
    storedBytes: receipt.bytes,
    sha256,
    fileFormat: formatName,
    compression,
    encryptionKey,
    columns: sidecarColumns(schema),
    ...(key === undefined ? {} : { key }),
    job,
    run,
    task,
    part,
    created: new Date().toISOString(),
  };
}

/** Writes one task's rows into hidden files. */
class TaskFiles implements TaskWriter {
  readonly #setup: FileWriterSetup;
  readonly #names: SetNames;
  readonly #task: TaskFacts;
  readonly #done: (WrittenFile & { part: number })[] = [];
  #open: DataFile | undefined;

  constructor(setup: FileWriterSetup, names: SetNames, task: TaskFacts) {
    this.#setup = setup;
    this.#names = names;
    this.#task = task;
  }

  async write(batch: Parameters<TaskWriter['write']>[0]): Promise<void> {
    if (batch.rowCount === 0) return;
    const file = this.#open ?? (await this.#begin());
    await file.write(batch);
    const { maxFileBytes } = this.#setup;
    if (maxFileBytes !== undefined && file.storedBytes >= maxFileBytes) await this.#close();
  }

  async commit(): Promise<Json> {
    await this.#close();
    return { task: this.#task.id, rows: this.#done.reduce((sum, { rows }) => sum + rows, 0), files: this.#done } as unknown as Json;
  }

  /** Makes the file though there are no rows. */
  async commitEmpty(): Promise<TaskCommit> {
    await this.#begin();
    return (await this.commit()) as unknown as TaskCommit;
  }

  async abort(): Promise<void> {
    await this.#open?.abort();
    const receipts: Receipt[] = this.#done.map(({ receipt }) => receipt);
    for (const receipt of receipts) await this.#setup.storage.discard(receipt);
  }

  async #begin(): Promise<DataFile> {
    const { storage, folder, format, codecs } = this.#setup;
    const name = this.#names.data(this.#task.id, this.#done.length, this.#task.attempt);
    const upload = await storage.begin(storage.join(folder, name));
    this.#open = new DataFile(format.encoder(this.#task.source), upload, codecs, this.#task.source);
    await this.#open.start();
    return this.#open;
  }

  async #close(): Promise<void> {
    if (this.#open === undefined) return;
    const written = await this.#open.finish();
    this.#open = undefined;
    this.#done.push({ ...written, part: this.#done.length });
  }
}
