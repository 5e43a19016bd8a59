import { defineReader, flag, ignored, type Reader, texts, z } from 'dray/sdk';
import { columnOption } from '../_files/formats/text/columns.ts';
import { compress, encoding, fieldDelimiter, fileFormat, nullFormat, oneOf, textQualifier } from './options.ts';

const csvReaderConfig = z.strictObject({
  textQualifier: textQualifier.describe('Stands around cells that hold delimiters or line ends'),
  useTextQualifier: flag().prefault(true).describe('false: qualifiers are part of the cells'),
  escapeMode: oneOf(1, 2).default(1).describe('How a qualifier is written within a cell: 1 doubled, 2 with a backslash in front'),
  trimWhitespace: flag().prefault(false).describe('Cuts blanks and tabs off both ends of cells that are not quoted'),
  skipEmptyRecords: flag()
    .optional()
    .describe('Skips empty lines; default true, but in files of one column where nullFormat is "" they are NULL'),
  useComments: z.literal(false).optional().describe('Comment lines are not supported'),
  delimiter: ignored('fieldDelimiter says it'),
  recordDelimiter: ignored('rows end with LF or CR LF'),
  comment: ignored('comment lines are not supported'),
  caseSensitive: ignored('columns are found by index'),
  safetySwitch: ignored('fields are limited to 64 MB'),
  captureRawRecord: ignored('it is about the inside of DataX'),
});

const options = z.strictObject({
  path: texts().describe(
    'A file, a folder (all files below it), or a pattern with * and ? (which match within one folder); or a list of them',
  ),
  column: z
    .union([z.array(z.literal('*')).length(1), z.array(columnOption).min(1)])
    .optional()
    .describe('What to deliver: ["*"] (all fields as texts, the default), or fields by index with their types'),
  fieldDelimiter,
  fileFormat: fileFormat.default('csv').describe('csv: cells may be quoted (RFC 4180); text: a quote is a character like others'),
  compress: compress
    .transform((name) => (name === '' ? undefined : name))
    .optional()
    .describe('none or gzip; default: files that end in .gz are unpacked'),
  encoding: encoding.describe('Of the files; any name that iconv-lite knows'),
  skipHeader: flag().prefault(false).describe('The first row is not data; without "column" it gives the names'),
  nullFormat: nullFormat.describe('A cell with exactly this text, not quoted, is NULL'),
  csvReaderConfig: csvReaderConfig.prefault({}).describe('Details of the format csv'),
  bufferSize: ignored('files are read in chunks of 256 KB'),
});

export type ReaderOptions = z.output<typeof options>;

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
async function open(given: ReaderOptions): Promise<Reader> {
  const { openTextReader } = await import('./text-reader.ts');
  return openTextReader(given);
}

export default defineReader({
  name: 'textfile',
  aliases: ['txtfilereader'],
  summary: 'Reads CSV and other delimited text files, plain or packed with gzip',
  options,
  example: {
    path: 'in/*.csv',
    skipHeader: true,
    column: [
      { index: 0, type: 'long', name: 'id' },
      { index: 1, type: 'string', name: 'word' },
    ],
  },
  open,
});
