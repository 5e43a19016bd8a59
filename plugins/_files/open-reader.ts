import { DrayError, type PluginContext, type Reader } from 'dray/sdk';
import { codecsByName } from './codec-options.ts';
import { openFileReader } from './file-reader.ts';
import { copy } from './formats/copy.ts';
import { checkMarks } from './formats/delimited/marks.ts';
import { delimited } from './formats/delimited.ts';
import type { FileFormat, IndexedFormat } from './formats/format.ts';
import { jsonColumns } from './formats/json-lines/json-columns.ts';
import { jsonLines } from './formats/json-lines.ts';
import { parquet } from './formats/parquet.ts';
import { columnSources, constantOf, type KeyedColumnOption } from './formats/text/columns.ts';
import { encodingCalled } from './formats/text/encodings.ts';
import type { FileReaderOptions } from './reader-options.ts';
import { signingKey } from './set/signature.ts';
import type { Storage } from './storage/storage.ts';

/** Opens the reader that the options of a plugin ask for, over its storage. */
export async function openReaderOver(
  storage: Storage,
  options: FileReaderOptions,
  { paths, isRemote, allowsNone = false }: { paths: readonly string[]; isRemote: boolean; allowsNone?: boolean },
  context: PluginContext,
): Promise<Reader> {
  const { verify, ready, signatureKey } = options;
  return openFileReader(
    {
      storage,
      isRemote,
      paths,
      format: await formatOf(options),
      codecsOf: codecsByName(options),
      find: {
        verify,
        allowsNone,
        ready: ready === 'ignore' ? 'ignore' : 'require',
        signatureKey: signatureKey === undefined ? undefined : signingKey(signatureKey),
      },
      waitMinutes: typeof ready === 'object' ? ready.waitMinutes : 0,
    },
    context,
  );
}

async function formatOf(options: FileReaderOptions): Promise<FileFormat | IndexedFormat> {
  const { nullFormat: nullText, fileFormat, column, csvReaderConfig: csv, columnForms: forms } = options;
  const delimiter = (fileFormat === 'csv' ? csv.delimiter : undefined) ?? options.fieldDelimiter;
  const listed = column?.filter((one) => one !== '*').map((one) => ({ ...one, forms }));
  const columns = listed === undefined || listed.length === 0 ? undefined : listed;
  switch (fileFormat) {
    case 'jsonl':
      return jsonLines({ columns: columns === undefined ? undefined : jsonColumns(columns) });
    case 'parquet':
      return parquet({ columns: columns?.map((one, position) => constantOf(one, position) ?? one.index ?? one.name ?? '') });
    case 'copy':
      return copy({ columns: columns === undefined ? undefined : columnSources(byIndex(columns), nullText) });
    case 'csv':
    case 'text': {
      const encodingOf = await encodingCalled(options.encoding);
      const quote = fileFormat === 'csv' && csv.useTextQualifier ? csv.textQualifier : undefined;
      const isBackslashEscaped = fileFormat === 'csv' && csv.escapeMode === 2;
      checkMarks({ fieldDelimiter: delimiter, nullFormat: nullText, quote, isBackslashEscaped }, 'read');
      return delimited({
        suffix: '.csv',
        delimiter,
        quote,
        nullText,
        encoding: encodingOf,
        header: options.skipHeader,
        columns: columns === undefined ? undefined : columnSources(byIndex(columns), nullText),
        isBackslashEscaped,
        isTrimmed: csv.trimWhitespace,
        skipsEmptyRecords: csv.skipEmptyRecords ?? options.skipEmptyRecords,
        comment: fileFormat === 'csv' && csv.useComments ? csv.comment : undefined,
      });
    }
  }
}

type ColumnOptions = KeyedColumnOption[];

/** Fields of a line have numbers only. */
function byIndex(columns: ColumnOptions): ColumnOptions {
  const nameless = columns.findIndex(({ index, value }) => index === undefined && value === undefined);
  if (nameless === -1) return columns;
  throw new DrayError('JOB_INVALID', `the column number ${nameless} has neither "index" nor "value"`, {
    remedy: 'Fields of this file format are found by "index", counted from 0.',
  });
}
