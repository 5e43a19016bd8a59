import { open, stat } from 'node:fs/promises';
import { DrayError, LF, type Reader, type RecordOutput, type Schema, type Split } from 'dray/sdk';
import { checkMarks } from '../_files/formats/delimited/marks.ts';
import { delimited } from '../_files/formats/delimited.ts';
import type { FileFormat } from '../_files/formats/format.ts';
import { columnSources } from '../_files/formats/text/columns.ts';
import { encodingCalled } from '../_files/formats/text/encodings.ts';
import { fileBytes } from './file-bytes.ts';
import { readFault } from './file-faults.ts';
import { findFiles } from './find-files.ts';
import type { ReaderOptions } from './reader.ts';

const sampleBytes = 64 * 1024;

export async function openTextReader(options: ReaderOptions): Promise<Reader> {
  const format = await formatOf(options);
  const isGzip = (file: string) => options.compress === 'gzip' || (options.compress === undefined && /\.gz$/i.test(file));
  let found: Promise<string[]> | undefined;
  const files = () => {
    found ??= findFiles(options.path);
    return found;
  };

  const firstSchema = async (): Promise<Schema> => {
    for (const file of await files()) {
      const schema = await schemaIn(format, file, isGzip(file));
      if (schema !== undefined) return schema;
    }
    throw new DrayError('COLUMN_MISSING', `there is no row in ${options.path.join(', ')} that would say how many columns there are`, {
      remedy: 'List the columns with their index in "column".',
    });
  };

  const read = async (file: string, out: RecordOutput, signal: AbortSignal) => {
    const decoder = format.decoder(out, file);
    for await (const chunk of fileBytes(file, isGzip(file), signal)) {
      decoder.push(chunk);
      while (decoder.fill()) await out.flush();
    }
    decoder.end();
    while (decoder.fill()) await out.flush();
  };

  return {
    schema: () => format.schema ?? firstSchema(),
    split: async () => splitsOf(await files(), isGzip),
    read: (split, out, signal) => read(split.part as string, out, signal),
  };
}

async function formatOf(options: ReaderOptions): Promise<FileFormat> {
  const { fieldDelimiter, nullFormat, fileFormat, column, csvReaderConfig: csv } = options;
  const encoding = await encodingCalled(options.encoding);
  const quote = fileFormat === 'csv' && csv.useTextQualifier ? csv.textQualifier : undefined;
  const isBackslashEscaped = fileFormat === 'csv' && csv.escapeMode === 2;
  checkMarks({ fieldDelimiter, nullFormat, quote, isBackslashEscaped }, 'read');
  const listed = column?.filter((one) => one !== '*');
  return delimited({
    suffix: '.csv',
    delimiter: fieldDelimiter,
    quote,
    nullText: nullFormat,
    encoding,
    header: options.skipHeader,
    columns: listed === undefined || listed.length === 0 ? undefined : columnSources(listed, nullFormat),
    isBackslashEscaped,
    isTrimmed: csv.trimWhitespace,
    skipsEmptyRecords: csv.skipEmptyRecords,
  });
}

async function schemaIn(format: FileFormat, file: string, isGzip: boolean): Promise<Schema | undefined> {
  const finder = format.finder(file);
  for await (const chunk of fileBytes(file, isGzip)) {
    const schema = finder.push(chunk);
    if (schema !== undefined) return schema;
  }
  return finder.end();
}

async function splitsOf(files: readonly string[], isGzip: (file: string) => boolean): Promise<Split[]> {
  const sizes: number[] = [];
  for (const file of files) {
    try {
      sizes.push((await stat(file)).size);
    } catch (error) {
      throw readFault(error, file);
    }
  }
  const sample = files.findIndex((file, index) => sizes[index]! > 0 && !isGzip(file));
  const rowBytes = sample === -1 ? undefined : await bytesPerLine(files[sample]!);
  return files.map((file, index) => {
    const estimatedBytes = sizes[index]!;
    const isKnown = rowBytes !== undefined && !isGzip(file);
    return { name: file, part: file, estimatedBytes, ...(isKnown ? { estimatedRows: Math.round(estimatedBytes / rowBytes) } : {}) };
  });
}

/** Of the first lines of a file. */
async function bytesPerLine(file: string): Promise<number | undefined> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sampleBytes), 0, sampleBytes, 0);
    const lines = buffer.subarray(0, bytesRead).reduce((count, byte) => (byte === LF ? count + 1 : count), 0);
    return lines === 0 ? undefined : bytesRead / lines;
  } catch (error) {
    throw readFault(error, file);
  }
}
