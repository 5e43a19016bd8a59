import { DrayError, type Schema } from 'dray/sdk';
import { DelimitedDecoder } from './delimited/decoder.ts';
import { convertedHeader, DelimitedEncoder } from './delimited/encoder.ts';
import { DelimitedFinder } from './delimited/finder.ts';
import { DelimitedCounter } from './delimited/record-counter.ts';
import { encodeNames, type RowFormat } from './delimited/row-encoder.ts';
import type { ScanFormat } from './delimited/scan-kinds.ts';
import type { FileFormat } from './format.ts';
import { type ColumnSource, schemaOf, textColumns } from './text/columns.ts';
import type { Encoding } from './text/encodings.ts';

/** How the rows stand in the files; `checkMarks` has found that they can be told apart. */
export interface DelimitedOptions {
  readonly suffix: string;
  /** Between cells: one or more characters. */
  readonly delimiter: string;
  /** An ASCII character around cells; undefined: nothing is quoted, and cells that would need it are refused. */
  readonly quote: string | undefined;
  readonly nullText: string;
  /** Undefined: UTF-8. */
  readonly encoding: Encoding | undefined;
  /** The first row holds names: those of the columns, or the ones listed. A reader skips it, and without `columns` takes it for the names. */
  readonly header: boolean | readonly string[];
  /** What a reader delivers; undefined: all fields as texts. */
  readonly columns?: readonly ColumnSource[] | undefined;
  /** Reading: a quote within quotes has a backslash in front, instead of being doubled. */
  readonly isBackslashEscaped?: boolean;
  /** Reading: without the blanks and tabs at both ends of cells that are not quoted. */
  readonly isTrimmed?: boolean;
  /** Reading: undefined: empty lines are skipped unless they are the NULLs of a single column. */
  readonly skipsEmptyRecords?: boolean | undefined;
  /** Reading: lines that begin with this ASCII character are no rows. */
  readonly comment?: string | undefined;
  /** Writing. */
  readonly lineDelimiter?: '\n' | '\r\n';
  /** Writing: quotes around all cells that are not NULL. */
  readonly quotesAll?: boolean;
}

/** CSV (RFC 4180) and other text with a delimiter between cells. */
export function delimited(options: DelimitedOptions): FileFormat {
  const { encoding, header, columns, nullText } = options;
  const scan = scanFormat(options);
  const row = rowFormat(options);
  const skipsEmptyRecords = (ofOneField: boolean) => options.skipsEmptyRecords ?? !(ofOneField && nullText === '');
  return {
    suffix: options.suffix,
    schema: columns === undefined ? undefined : schemaOf(columns),
    finder: (file) => new DelimitedFinder({ ...scan, skipsEmptyRecords: skipsEmptyRecords(true) }, file, encoding, header !== false),
    encoder(schema) {
      const first = header === false ? Buffer.alloc(0) : headerBytes(row, header === true ? undefined : header, schema);
      const start = encoding === undefined ? first : Buffer.concat([encoding.mark, convertedHeader(first, encoding)]);
      return new DelimitedEncoder(row, encoding, start, first.length === 0);
    },
    decoder(out, file, from) {
      const sources = sourcesOf(out.schema, columns);
      const format = { ...scan, skipsEmptyRecords: skipsEmptyRecords(isOneField(sources)) };
      const facts = { format, encoding, sources, wantsAll: columns === undefined, hasHeader: header !== false };
      return new DelimitedDecoder(out, file, facts, from);
    },
    counter(schema) {
      const { quote, delimiter, comment, isTrimmed = false, isBackslashEscaped = false } = options;
      const stored = encoding === undefined ? Buffer.from(delimiter) : encoding.isBytewise() ? encoding.encode(delimiter) : undefined;
      if (stored === undefined || comment !== undefined || isBackslashEscaped || (isTrimmed && quote !== undefined)) return undefined;
      return new DelimitedCounter({
        delimiter: stored,
        quote: quote?.charCodeAt(0),
        skipsEmptyRecords: skipsEmptyRecords(isOneField(sourcesOf(schema, columns))),
        hasHeader: header !== false,
        isUtf8: encoding === undefined,
      });
    },
  };
}

function sourcesOf({ columns: all }: Schema, listed: readonly ColumnSource[] | undefined): readonly ColumnSource[] {
  return listed ?? textColumns(all.map(({ name }) => name));
}

function isOneField(sources: readonly ColumnSource[]): boolean {
  return sources.every(({ field = 0 }) => field === 0);
}

function scanFormat({
  delimiter,
  quote,
  nullText,
  encoding,
  comment,
  isBackslashEscaped = false,
  isTrimmed = false,
}: DelimitedOptions): ScanFormat {
  return {
    comment: comment?.charCodeAt(0),
    delimiter: Buffer.from(delimiter),
    quote: quote?.charCodeAt(0),
    isBackslashEscaped,
    isTrimmed,
    nullText: Buffer.from(nullText),
    skipsEmptyRecords: true,
    isUtf8: encoding === undefined,
  };
}

function rowFormat({ delimiter, quote, nullText, lineDelimiter = '\n', quotesAll = false }: DelimitedOptions): RowFormat {
  return {
    quote: quote?.charCodeAt(0),
    quotesAll: quote !== undefined && quotesAll,
    delimiter: Buffer.from(delimiter),
    lineDelimiter: Buffer.from(lineDelimiter),
    nullText: Buffer.from(nullText),
  };
}

/** @param names undefined: those of the columns */
function headerBytes(format: RowFormat, names: readonly string[] | undefined, schema: Schema): Buffer {
  const titles = names ?? schema.columns.map(({ name }) => name);
  if (titles.length !== schema.columns.length) {
    throw new DrayError('COLUMN_COUNT', `"header" has ${titles.length} names where the rows have ${schema.columns.length} columns`);
  }
  try {
    return encodeNames(format, titles);
  } catch (cause) {
    throw new DrayError('JOB_INVALID', 'a name of the header cannot be written in the file format "text"', { cause });
  }
}
