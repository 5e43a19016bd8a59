import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DrayError, type Json, type PluginContext, type Schema, type Target, type Writer } from 'dray/sdk';
import { checkMarks } from '../_files/formats/delimited/marks.ts';
import { delimited } from '../_files/formats/delimited.ts';
import type { FileFormat } from '../_files/formats/format.ts';
import { encodingCalled } from '../_files/formats/text/encodings.ts';
import { writeFault } from './file-faults.ts';
import { filesIn, outputNames } from './output-names.ts';
import { type TaskCommit, TaskFile } from './task-file.ts';
import type { WriterOptions } from './writer.ts';

export async function openTextWriter(options: WriterOptions, context: PluginContext): Promise<Writer> {
  const { fileName, writeMode } = options;
  const folder = resolve(options.path);
  const format = await formatOf(options);
  const isGzip = options.compress === 'gzip';
  const names = outputNames({ fileName, run: context.run, suffix: format.suffix, isGzip });
  /** Names that `publish` has made visible. */
  const published: string[] = [];
  let source: Schema = { columns: [] };

  const taskFile = (task: number, source: Schema) => {
    const final = names.final(task);
    return new TaskFile({
      task,
      final,
      temporary: join(folder, names.temporary(final)),
      encoder: format.encoder(source),
      gzipLevel: isGzip ? options.compressLevel : undefined,
    });
  };

  const inspect = async (from: Schema): Promise<Target> => {
    source = from;
    format.encoder(from);
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

async function formatOf(options: WriterOptions): Promise<FileFormat> {
  const { fieldDelimiter, nullFormat, fileFormat, lineDelimiter, header = false, csvWriterConfig: csv } = options;
  const encoding = await encodingCalled(options.encoding);
  const quote = fileFormat === 'csv' ? csv.textQualifier : undefined;
  checkMarks({ fieldDelimiter, nullFormat, quote }, 'write');
  return delimited({
    suffix: options.suffix ?? (fileFormat === 'csv' ? '.csv' : '.txt'),
    delimiter: fieldDelimiter,
    quote,
    nullText: nullFormat,
    encoding,
    header,
    lineDelimiter,
    quotesAll: csv.forceQualifier,
  });
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
