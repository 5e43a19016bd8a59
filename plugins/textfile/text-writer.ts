import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DrayError, type Json, type PluginContext, type Schema, type Target, type Writer } from 'dray/sdk';
import { encodingCalled } from './encodings.ts';
import { writeFault } from './file-faults.ts';
import { checkMarks } from './options.ts';
import { filesIn, outputNames } from './output-names.ts';
import { encodeNames, type RowFormat } from './row-encoder.ts';
import { convertedHeader, type TaskCommit, TaskFile } from './task-file.ts';
import type { WriterOptions } from './writer.ts';

export async function openTextWriter(options: WriterOptions, context: PluginContext): Promise<Writer> {
  const { fileName, writeMode } = options;
  const folder = resolve(options.path);
  const encoding = await encodingCalled(options.encoding);
  const format = rowFormat(options);
  const isGzip = options.compress === 'gzip';
  const suffix = options.suffix ?? (options.fileFormat === 'csv' ? '.csv' : '.txt');
  const names = outputNames({ fileName, run: context.run, suffix, isGzip });
  /** Names that `publish` has made visible. */
  const published: string[] = [];
  let source: Schema = { columns: [] };

  const taskFile = (task: number, source: Schema) => {
    const final = names.final(task);
    return new TaskFile({
      task,
      final,
      temporary: join(folder, names.temporary(final)),
      format,
      encoding,
      gzipLevel: isGzip ? options.compressLevel : undefined,
      header: headerOf(source),
    });
  };
  const headerOf = (source: Schema) => {
    if (options.header === undefined || options.header === false) return Buffer.alloc(0);
    const titles = options.header === true ? source.columns.map(({ name }) => name) : options.header;
    if (titles.length !== source.columns.length) {
      throw new DrayError('COLUMN_COUNT', `"header" has ${titles.length} names where the rows have ${source.columns.length} columns`);
    }
    try {
      return encodeNames(format, titles);
    } catch (cause) {
      throw new DrayError('JOB_INVALID', 'a name of the header cannot be written in the file format "text"', { cause });
    }
  };

  const inspect = async (from: Schema): Promise<Target> => {
    source = from;
    if (encoding === undefined) headerOf(from);
    else convertedHeader(headerOf(from), encoding);
    if (await isOtherThanFolder(folder)) throw new DrayError('FILE_FAILED', `${folder} is not a folder`, { place: folder });
    if (writeMode === 'nonConflict') {
      const older = (await filesIn(folder)).find(names.isOlder);
      if (older !== undefined) throw new DrayError('FILE_EXISTS', `${join(folder, older)} is there already`, { place: folder });
    }
    return { schema: { columns: from.columns.map(({ name, type }) => ({ name, type, isNullable: true })) } };
  };

  const publish = async (commits: readonly Json[]) => {
    const all = commits.filter((one) => one !== null) as unknown as TaskCommit[];
    const files = all.filter(({ rows }) => rows > 0);
    if (files.length === 0) {
      // Zero rows are a result, too: a file shows that the job has run.
      const task = all[0]?.task ?? 0;
      const empty = taskFile(task, source);
      await empty.commitEmpty();
      const final = names.final(task);
      files.push({ task, temporary: names.temporary(final), final, rows: 0 });
    }
    if (writeMode === 'truncate') {
      const older = (await filesIn(folder)).filter((name) => names.isOlder(name) || names.isOlderTemporary(name));
      for (const name of older) await failing(join(folder, name), rm(join(folder, name), { force: true }));
    }
    for (const { temporary = '', final = '' } of files) {
      await failing(join(folder, final), rename(join(folder, temporary), join(folder, final)));
      published.push(final);
    }
    await failing(folder, syncFolder(folder));
  };

  return {
    inspect,
    async prepare(from) {
      const target = await inspect(from);
      await failing(folder, mkdir(folder, { recursive: true }));
      return target;
    },
    openTask: async (task) => taskFile(task.id, task.source),
    publish,
    async discard() {
      const left = (await filesIn(folder)).filter(names.isOwnTemporary);
      for (const name of [...left, ...published]) await failing(join(folder, name), rm(join(folder, name), { force: true }));
    },
  };
}

function rowFormat({ fieldDelimiter, nullFormat, fileFormat, lineDelimiter, csvWriterConfig: csv }: WriterOptions): RowFormat {
  const quote = fileFormat === 'csv' ? csv.textQualifier : undefined;
  checkMarks({ fieldDelimiter, nullFormat, quote }, 'write');
  return {
    quote: quote?.charCodeAt(0),
    quotesAll: quote !== undefined && csv.forceQualifier,
    delimiter: Buffer.from(fieldDelimiter),
    lineDelimiter: Buffer.from(lineDelimiter),
    nullText: Buffer.from(nullFormat),
  };
}

async function isOtherThanFolder(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw writeFault(error, path);
  }
}

/** Makes renames durable. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

async function failing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw writeFault(error, path);
  }
}
