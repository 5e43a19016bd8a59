import { columnForms, flag, ignored, integer, refused, secret, z } from 'dray/sdk';
import {
  characterCode,
  encoding,
  fieldDelimiter,
  fileFormat,
  nullFormat,
  oneCharacter,
  oneOf,
  textQualifier,
  unpack,
} from './format-options.ts';
import { keyedColumnOption } from './formats/text/columns.ts';

const csvReaderConfig = z.strictObject({
  textQualifier: textQualifier.describe('Stands around cells that hold delimiters or line ends'),
  useTextQualifier: flag().prefault(true).describe('false: qualifiers are part of the cells'),
  escapeMode: oneOf(1, 2).default(1).describe('How a qualifier is written within a cell: 1 doubled, 2 with a backslash in front'),
  trimWhitespace: flag().prefault(false).describe('Cuts blanks and tabs off both ends of cells that are not quoted'),
  skipEmptyRecords: flag()
    .optional()
    .describe('Skips empty lines; default true, but in files of one column where nullFormat is "" they are NULL'),
  useComments: flag().prefault(false).describe('true: lines that begin with "comment" are no rows'),
  comment: oneCharacter.default('#').describe('What comment lines begin with'),
  delimiter: z
    .union([z.string().min(1), characterCode], { error: 'Expected a text that is not blank' })
    .optional()
    .describe('Between cells; goes before fieldDelimiter'),
  recordDelimiter: z
    .union([z.enum(['', '\n', '\r\n', '\0']), z.literal(0)], { error: 'Expected no delimiter but a line end: rows end with LF or CR LF' })
    .optional()
    .describe('Rows end with LF or CR LF, whatever stands here'),
  caseSensitive: ignored('columns are found by index'),
  safetySwitch: ignored('fields are limited to 64 MB'),
  captureRawRecord: ignored('it is about the inside of DataX'),
});

/** A week. */
const maxWaitMinutes = 10_080;

const waitText = z
  .string()
  .regex(/^wait \d{1,5}$/)
  .transform((text) => ({ waitMinutes: Number(text.slice('wait '.length)) }))
  .refine(({ waitMinutes }) => waitMinutes <= maxWaitMinutes);

/** What the readers of all storages take beside the place of the files. */
export const fileReaderShape = {
  column: z
    .union([z.array(z.literal('*')).length(1), z.array(keyedColumnOption).min(1)])
    .optional()
    .describe('What to deliver: ["*"] (everything, the default), or fields by index with their types; by name in jsonl and parquet'),
  fieldDelimiter,
  fileFormat: fileFormat
    .prefault('csv')
    .describe(
      'csv: cells may be quoted (RFC 4180); text: a quote is a character like others; copy: COPY text of PostgreSQL; jsonl: a JSON object per line; parquet',
    ),
  compress: unpack
    .transform((name) => (name === '' ? undefined : name))
    .optional()
    .describe(
      'none, gzip, zstd, bzip2 or zip (all files in it, one after the other); default: files that end in .gz, .zst, .bz2 or .zip are unpacked',
    ),
  encryptionKey: secret()
    .optional()
    .describe('Key of files that end in .enc: 32 bytes as hex or base64; write "${env:NAME}" or "${file:path}"'),
  encoding: encoding.describe('Of csv and text; any name that iconv-lite knows'),
  skipHeader: flag().prefault(false).describe('The first row is not data; without "column" it gives the names'),
  nullFormat: nullFormat.describe('A cell with exactly this text, not quoted, is NULL'),
  csvReaderConfig: csvReaderConfig.prefault({}).describe('Details of the format csv'),
  verify: z
    .enum(['auto', 'require', 'none'])
    .default('auto')
    .describe(
      'auto: what stands beside a file (manifest, sidecar, .sha256, .md5, .count) must be right before the first row is loaded; require: a file beside which nothing stands is refused; none',
    ),
  ready: z
    .union([z.enum(['require', 'ignore']), waitText, z.strictObject({ waitMinutes: integer({ min: 0, max: maxWaitMinutes }) })], {
      error: 'Expected "require", "ignore", "wait N" or {"waitMinutes": N}',
    })
    .default('ignore')
    .describe(
      'require: without _SUCCESS in the folder the job ends with exit code 7; "wait N" or {"waitMinutes": N}: it waits so many minutes; ignore',
    ),
  signatureKey: secret().optional().describe('Sets must be signed with this: the secret of an HMAC, or an Ed25519 public key (PEM)'),
  columnForms: columnForms(),
  skipEmptyRecords: flag().optional().describe('The same as in csvReaderConfig, which goes before'),
  bufferSize: ignored('files are read in chunks of 256 KB'),
  maxRetryTime: ignored('job.setting.retry says how often a task starts again'),
  enableInnerSplit: ignored('big files are cut by themselves where they can be'),
  balanceThreshold: ignored('big files are cut by themselves where they can be'),
  tarFileFilterPattern: refused('tar archives cannot be read here; unpack them first'),
  hivePartitionColumn: refused('values in names of folders are not read; write the value as a column {"value": …}'),
  markDoneFileName: ignored('"ready" waits for _SUCCESS'),
};

const shape = z.strictObject(fileReaderShape);
export type FileReaderOptions = z.output<typeof shape>;
