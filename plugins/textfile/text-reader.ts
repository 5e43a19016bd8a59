import { open, stat } from 'node:fs/promises';
import { DrayError, LF, type Reader, type RecordOutput, type Split } from 'dray/sdk';
import { columnSources, schemaOf, textColumns } from './columns.ts';
import { type Encoding, encodingCalled } from './encodings.ts';
import { type FileForm, fileBytes } from './file-bytes.ts';
import { readFault } from './file-faults.ts';
import { findFiles } from './find-files.ts';
import { checkMarks } from './options.ts';
import type { ReaderOptions } from './reader.ts';
import { hasEscapes } from './record-fields.ts';
import { RecordScanner } from './record-scanner.ts';
import { RowWriter } from './row-writer.ts';
import type { ScanFormat } from './scan-kinds.ts';
import { Unescaper } from './unescaper.ts';

const sampleBytes = 64 * 1024;

export async function openTextReader(options: ReaderOptions): Promise<Reader> {
  const { skipHeader, nullFormat } = options;
  const encoding = await encodingCalled(options.encoding);
  const format = scanFormat(options, encoding);
  const columns =
    options.column === undefined || options.column[0] === '*'
      ? undefined
      : columnSources(
          options.column.filter((one) => one !== '*'),
          nullFormat,
        );
  const form = (file: string): FileForm => ({
    isGzip: options.compress === 'gzip' || (options.compress === undefined && /\.gz$/i.test(file)),
    encoding,
  });
  let found: Promise<string[]> | undefined;
  const files = () => {
    found ??= findFiles(options.path);
    return found;
  };
  const skipsEmptyRecords = (isOneField: boolean) => options.csvReaderConfig.skipEmptyRecords ?? !(isOneField && nullFormat === '');

  const firstNames = async () => {
    for (const file of await files()) {
      const record = await firstRecord(file, form(file), { ...format, skipsEmptyRecords: skipsEmptyRecords(true) });
      if (record !== undefined) return skipHeader ? headerNames(record) : record.map((_, index) => `c${index}`);
    }
    throw new DrayError('COLUMN_MISSING', `there is no row in ${options.path.join(', ')} that would say how many columns there are`, {
      remedy: 'List the columns with their index in "column".',
    });
  };

  const read = async (file: string, out: RecordOutput, signal: AbortSignal) => {
    const sources = columns ?? textColumns(out.schema.columns.map(({ name }) => name));
    const isOneField = sources.every(({ field = 0 }) => field === 0);
    const fileFormat = { ...format, skipsEmptyRecords: skipsEmptyRecords(isOneField) };
    const scanner = new RecordScanner(fileFormat, file);
    const rows = new RowWriter(scanner, out, sources, { format: fileFormat, encoding: options.encoding, wantsAll: columns === undefined });
    let isHeaderNext = skipHeader;
    /** True when a batch is full, false when the scanner needs more bytes. */
    const fill = () => {
      while (scanner.next()) {
        if (isHeaderNext) {
          isHeaderNext = false;
          if (columns === undefined) checkHeader(file, textsOf(scanner, format), out);
          continue;
        }
        rows.write();
        if (out.builder.isFull) return true;
      }
      return false;
    };
    for await (const chunk of fileBytes(file, form(file), signal)) {
      scanner.push(chunk);
      while (fill()) await out.flush();
    }
    scanner.end();
    while (fill()) await out.flush();
  };

  return {
    schema: async () => schemaOf(columns ?? textColumns(await firstNames())),
    split: async () => splitsOf(await files(), form),
    read: (split, out, signal) => read(split.part as string, out, signal),
  };
}

function scanFormat(
  { fieldDelimiter, nullFormat, fileFormat, csvReaderConfig: csv }: ReaderOptions,
  encoding: Encoding | undefined,
): ScanFormat {
  const isQuoting = fileFormat === 'csv' && csv.useTextQualifier;
  checkMarks({ fieldDelimiter, nullFormat, quote: isQuoting ? csv.textQualifier : undefined }, 'read');
  const isBackslashEscaped = fileFormat === 'csv' && csv.escapeMode === 2;
  if (isBackslashEscaped && fieldDelimiter.includes('\\'))
    throw new DrayError('JOB_INVALID', 'fieldDelimiter holds a backslash, which escapes in escapeMode 2');
  return {
    delimiter: Buffer.from(fieldDelimiter),
    quote: isQuoting ? csv.textQualifier.charCodeAt(0) : undefined,
    isBackslashEscaped,
    isTrimmed: csv.trimWhitespace,
    nullText: Buffer.from(nullFormat),
    skipsEmptyRecords: true,
    isUtf8: encoding === undefined,
  };
}

async function firstRecord(file: string, form: FileForm, format: ScanFormat): Promise<string[] | undefined> {
  const scanner = new RecordScanner(format, file);
  for await (const chunk of fileBytes(file, form)) {
    scanner.push(chunk);
    if (scanner.next()) return textsOf(scanner, format);
  }
  scanner.end();
  return scanner.next() ? textsOf(scanner, format) : undefined;
}

function textsOf({ bytes, fields: { count, starts, ends, flags } }: RecordScanner, format: ScanFormat): string[] {
  const unescaper = new Unescaper(format);
  return Array.from({ length: count }, (_, field) => {
    const [from, to] = [starts[field]!, ends[field]!];
    const length = (flags[field]! & hasEscapes) === 0 ? -1 : unescaper.run(bytes, from, to);
    return length === -1 ? bytes.toString('utf8', from, to) : unescaper.bytes.toString('utf8', 0, length);
  });
}

function headerNames(record: readonly string[]): string[] {
  return record.map((text, index) => text.trim() || `c${index}`);
}

/** All files of a content deliver the same columns; a header that says otherwise means that cells would land in the wrong ones. */
function checkHeader(file: string, record: readonly string[], out: RecordOutput): void {
  const names = headerNames(record);
  const expected = out.schema.columns.map(({ name }) => name);
  if (names.length === expected.length && names.every((name, index) => name === expected[index])) return;
  throw new DrayError('FILE_BROKEN', `${file}: its header names other columns than that of the first file`, {
    place: file,
    remedy: 'Read it in a content of its own, or list the columns by index in "column".',
  });
}

async function splitsOf(files: readonly string[], form: (file: string) => FileForm): Promise<Split[]> {
  const sizes: number[] = [];
  for (const file of files) {
    try {
      sizes.push((await stat(file)).size);
    } catch (error) {
      throw readFault(error, file);
    }
  }
  const sample = files.findIndex((file, index) => sizes[index]! > 0 && !form(file).isGzip);
  const rowBytes = sample === -1 ? undefined : await bytesPerLine(files[sample]!);
  return files.map((file, index) => {
    const estimatedBytes = sizes[index]!;
    const isKnown = rowBytes !== undefined && !form(file).isGzip;
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
