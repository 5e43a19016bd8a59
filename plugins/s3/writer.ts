import { DrayError, defineWriter, flag, ignored, type PluginContext, type Writer, z } from 'dray/sdk';
import { fileWriterDifferences } from '../_files/differences.ts';
import { fileWriterShape } from '../_files/writer-options.ts';
import { bucketShape } from './options.ts';

const { fileName, ...shape } = fileWriterShape;

/** A switch of DataX that has one side here. */
const off = (reason: string) =>
  flag()
    .refine((isOn) => !isOn, { error: reason })
    .optional()
    .describe(`false; true is refused: ${reason}`);

const options = z.strictObject({
  ...bucketShape,
  object: z
    .string()
    .regex(/[^/]$/, 'Expected a name at its end')
    .optional()
    .describe('Start of the keys, with folders: out/orders makes out/orders__RUN_TASK.csv'),
  path: z.string().optional().describe('Instead of "object", together with fileName: the folder of the keys'),
  fileName: fileName.optional(),
  column: ignored('names and types of the columns are those of the reader'),
  parquetSchema: ignored('names and types of the columns are those of the reader'),
  blockSizeInMB: ignored('"partSize" says how big a part of an upload is'),
  truncateMode: ignored('truncate removes what earlier runs have written under this name'),
  generateEmptyFile: ignored('a run without rows leaves one file without rows'),
  encrypt: off('the server is not told to encrypt; "encryptionKey" encrypts here'),
  writeSingleObject: off('each task writes objects of its own, under names that begin with "object"'),
  ...shape,
});

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('./s3-options.ts'), import('./s3-storage.ts'), import('../_files/open-writer.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Writer> {
  const [{ s3Options }, { openS3Storage }, { openWriterOver }] = await load();
  const key = given.object ?? `${given.path ?? ''}/${given.fileName ?? ''}`.replace(/^\/+/, '');
  const cut = key.lastIndexOf('/');
  const name = key.slice(cut + 1);
  if (name === '') throw new DrayError('JOB_INVALID', 'the writer has no "object"', { remedy: 'Name the start of the keys in "object".' });
  const folder = cut === -1 ? '' : key.slice(0, cut);
  return openWriterOver(await openS3Storage(s3Options(given), context.signal), folder, { ...given, fileName: name }, context);
}

export default defineWriter({
  name: 's3',
  aliases: ['osswriter', 's3writer'],
  summary: 'Writes files to S3 and servers like it, with digests beside them; they appear when the job has succeeded',
  differences: [
    {
      what: 'the server',
      datax: 'OSS, with its own protocol',
      here: 'Amazon S3 and what speaks like it, which OSS does under its S3 endpoint',
    },
    { what: '`maxFileSize` left out', datax: '100000 MB', here: 'no limit' },
    { what: '`writeSingleObject`, `encrypt`', datax: 'may be true', here: 'are refused if they are true' },
    ...fileWriterDifferences,
  ],
  options,
  example: { bucket: 'warehouse', object: 'out/orders/orders', writeMode: 'truncate', compress: 'zstd' },
  load,
  open,
});
