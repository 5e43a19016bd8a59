import { choice, columnForms, flag, ignored, integer, refused, secret, z } from 'dray/sdk';
import { compress, encoding, fieldDelimiter, fileFormat, nullFormat, oneOf, textQualifier } from './format-options.ts';

const csvWriterConfig = z.strictObject({
  textQualifier: textQualifier.describe('Stands around cells that hold delimiters, line ends or the qualifier itself, which is doubled'),
  forceQualifier: flag().prefault(false).describe('true: around every cell that is not NULL'),
  useTextQualifier: flag()
    .refine((isOn) => isOn, { error: 'Expected true: for files without quoting use "fileFormat": "text"' })
    .optional()
    .describe('true; for files without quoting use fileFormat "text"'),
  escapeMode: oneOf(1).optional().describe('1: a qualifier within a cell is doubled'),
  delimiter: ignored('fieldDelimiter says it'),
  recordDelimiter: ignored('lineDelimiter says it'),
  comment: ignored('no comments are written'),
});

const dateFormat = z.string().optional();

const writeModes = ['truncate', 'overwrite-atomically', 'append', 'nonConflict'] as const;
const writeModeFault = `Expected one of ${writeModes.join(', ')}`;

/** What the writers of all storages take beside the folder of the files. */
export const fileWriterShape = {
  fileName: z
    .string()
    .regex(/^[^/\0]+$/, 'Expected a name without slashes')
    .describe('Start of the file names, which go on with __RUN_TASK.csv'),
  writeMode: z
    .string({ error: writeModeFault })
    .transform((given) => writeModes.find((mode) => mode.toLowerCase() === given.trim().toLowerCase()) ?? given)
    .pipe(z.enum(writeModes, { error: writeModeFault }))
    .meta({ enum: writeModes })
    .describe(
      'truncate: files that were written before under this fileName are replaced; overwrite-atomically: the same, and they can be read until the new ones can; append: they stay; nonConflict: they are an error',
    ),
  fieldDelimiter,
  fileFormat: fileFormat
    .prefault('csv')
    .describe(
      'csv: cells are quoted where needed, every value can be written; text: nothing is quoted, rows that would need it are refused; copy: COPY text of PostgreSQL; jsonl: a JSON object per line; parquet',
    ),
  lineDelimiter: z.enum(['\n', '\r\n']).default('\n').describe('Behind each row of csv and text'),
  header: z
    .union([flag(), z.array(z.string()).transform((names) => (names.length === 0 ? false : names))])
    .optional()
    .describe('First line of each csv or text file: a list of names, or true for the column names; an empty list is none'),
  compress: compress.prefault('none').describe('none, gzip or zstd; parquet packs its pages itself, with snappy'),
  compressLevel: integer({ min: 1, max: 19 }).prefault(1).describe('Higher is smaller and much slower; of gzip at most 9'),
  encryptionKey: secret()
    .optional()
    .describe('Files are encrypted with it: 32 bytes as hex or base64; write "${env:NAME}" or "${file:path}"'),
  sidecar: flag()
    .prefault(true)
    .describe('true: each file has a FILE.meta.json with its digests beside it, the set a manifest, and _SUCCESS is written last'),
  signatureKey: secret().optional().describe('The manifest is signed with it: the secret of an HMAC, or an Ed25519 private key (PEM)'),
  maxFileSize: integer({ min: 1 }).optional().describe('In MB; a task that writes more goes on in another file'),
  encoding: encoding.describe('Of csv and text; any name that iconv-lite knows'),
  nullFormat: nullFormat.describe('Written for NULL, never quoted; a text that is the same is quoted'),
  suffix: z
    .string()
    .regex(/^[^/\0]*$/, 'Expected a suffix without slashes')
    .optional()
    .describe('End of the file names instead of .csv or .txt; .gz is added where it applies'),
  csvWriterConfig: csvWriterConfig.prefault({}).describe('Details of the format csv'),
  dateFormat: dateFormat.describe(
    'How dates and timestamps are written in csv and text, like yyyy-MM-dd, which leaves out the time of day. Default: exactly, yyyy-MM-dd HH:mm:ss with up to six digits of a fraction',
  ),
  format: dateFormat.describe('Older name of dateFormat, which goes before'),
  byteEncoding: choice(['base64', 'hex', ''])
    .optional()
    .describe('base64: bytes are written so in csv and text; default: \\x and hex digits'),
  columnForms: columnForms(),
  table: refused('it belongs to "fileFormat": "sql", which is not written here'),
  quoteChar: refused('it belongs to "fileFormat": "sql"; the text qualifier of csv stands in csvWriterConfig'),
  syncMode: refused('files are not copied as they are here; rows are read and written'),
  markDoneFileName: ignored('_SUCCESS is written last'),
  markDoingFileName: ignored('files appear when the job has succeeded'),
  maxRetryTime: ignored('job.setting.retry says how often a task starts again'),
  commitSize: ignored('it belongs to "fileFormat": "sql"'),
};

const shape = z.strictObject(fileWriterShape);
export type FileWriterOptions = z.output<typeof shape>;
