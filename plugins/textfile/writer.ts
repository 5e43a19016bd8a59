import { defineWriter, flag, ignored, integer, type PluginContext, type Writer, z } from 'dray/sdk';
import { compress, encoding, fieldDelimiter, fileFormat, nullFormat, oneOf, textQualifier } from './options.ts';

const csvWriterConfig = z.strictObject({
  textQualifier: textQualifier.describe('Stands around cells that hold delimiters, line ends or the qualifier itself, which is doubled'),
  forceQualifier: flag().prefault(false).describe('true: around every cell that is not NULL'),
  useTextQualifier: z.literal(true).optional().describe('For files without quoting use fileFormat "text"'),
  escapeMode: oneOf(1).optional().describe('1: a qualifier within a cell is doubled'),
  delimiter: ignored('fieldDelimiter says it'),
  recordDelimiter: ignored('lineDelimiter says it'),
  comment: ignored('no comments are written'),
});

const options = z.strictObject({
  path: z.string().min(1).describe('Folder of the files; it is made if it is missing'),
  fileName: z
    .string()
    .regex(/^[^/\0]+$/, 'Expected a name without slashes')
    .describe('Start of the file names, which go on with __RUN_TASK.csv'),
  writeMode: z
    .enum(['truncate', 'append', 'nonConflict'])
    .describe(
      'truncate: files that were written before under this fileName are replaced; append: they stay; nonConflict: they are an error',
    ),
  fieldDelimiter,
  fileFormat: fileFormat
    .default('csv')
    .describe(
      'csv: cells are quoted where needed, every value can be written; text: nothing is quoted, rows that would need it are refused',
    ),
  lineDelimiter: z.enum(['\n', '\r\n']).default('\n').describe('Behind each row'),
  header: z
    .union([flag(), z.array(z.string()).min(1)])
    .optional()
    .describe('First line of each file: a list of names, or true for the column names'),
  compress: compress.default('none').describe('none or gzip'),
  compressLevel: integer({ min: 1, max: 9 }).prefault(1).describe('Of gzip; higher is smaller and much slower'),
  encoding: encoding.describe('Of the files; any name that iconv-lite knows'),
  nullFormat: nullFormat.describe('Written for NULL, never quoted; a text that is the same is quoted'),
  suffix: z
    .string()
    .regex(/^[^/\0]*$/, 'Expected a suffix without slashes')
    .optional()
    .describe('End of the file names instead of .csv or .txt; .gz is added where it applies'),
  csvWriterConfig: csvWriterConfig.prefault({}).describe('Details of the format csv'),
  dateFormat: ignored('dates are written exactly, as yyyy-MM-dd HH:mm:ss with up to six digits of a fraction'),
  format: ignored('dates are written exactly, as yyyy-MM-dd HH:mm:ss with up to six digits of a fraction'),
  byteEncoding: ignored('bytes are written as \\x and hex digits'),
});

export type WriterOptions = z.output<typeof options>;

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
async function open(given: WriterOptions, context: PluginContext): Promise<Writer> {
  const { openTextWriter } = await import('./text-writer.ts');
  return openTextWriter(given, context);
}

export default defineWriter({
  name: 'textfile',
  aliases: ['txtfilewriter'],
  summary: 'Writes CSV and other delimited text files, plain or packed with gzip; they appear when the job has succeeded',
  options,
  example: { path: 'out', fileName: 'words', writeMode: 'truncate', header: true },
  open,
});
