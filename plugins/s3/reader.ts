import { DrayError, defineReader, flag, ignored, type PluginContext, type Reader, texts, z } from 'dray/sdk';
import { fileReaderDifferences } from '../_files/differences.ts';
import { fileReaderShape } from '../_files/reader-options.ts';
import { bucketShape } from './options.ts';

const options = z.strictObject({
  ...bucketShape,
  object: texts()
    .optional()
    .describe('A key, a folder (all keys below it), or a pattern with * and ? (a folder that it fits is read whole); or a list of them'),
  path: texts().optional().describe('The same under the name that DataX gives it with ORC and Parquet'),
  successOnNoObject: flag().prefault(false).describe('true: no object is no error but no rows; "column" must say what columns there are'),
  parquetSchema: ignored('a Parquet file says itself what is in it'),
  ...fileReaderShape,
});

/** `s3://bucket/key` */
function addressed(address: string): object {
  const [, bucket = '', object = ''] = /^s3:\/\/([^/]+)\/(.*)$/i.exec(address) ?? [];
  return { bucket, object };
}

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('./s3-options.ts'), import('./s3-storage.ts'), import('../_files/open-reader.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Reader> {
  const [{ s3Options }, { openS3Storage }, { openReaderOver }] = await load();
  const paths = given.object ?? given.path?.map((one) => one.replace(/^\/+/, '')) ?? [];
  if (paths.length === 0)
    throw new DrayError('JOB_INVALID', 'the reader has no "object"', { remedy: 'Name the keys to read, or their folder, in "object".' });
  const storage = await openS3Storage(s3Options(given), context.signal);
  return openReaderOver(storage, given, { paths, isRemote: true, allowsNone: given.successOnNoObject }, context);
}

export default defineReader({
  name: 's3',
  aliases: ['ossreader', 's3reader'],
  summary: 'Reads files of S3 and of servers like it: CSV, text, COPY text, JSON lines or Parquet, packed and encrypted or not',
  differences: [
    {
      what: 'the server',
      datax: 'OSS, with its own protocol',
      here: 'Amazon S3 and what speaks like it, which OSS does under its S3 endpoint',
    },
    { what: '`fileFormat` orc', datax: 'is read', here: 'is refused; parquet is read' },
    ...fileReaderDifferences,
  ],
  options,
  address: { scheme: 's3', parameter: addressed },
  example: { bucket: 'warehouse', object: 'in/orders/', ready: { waitMinutes: 30 }, verify: 'require' },
  load,
  open,
});
