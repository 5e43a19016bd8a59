import { defineWriter, type PluginContext, type Writer, z } from 'dray/sdk';
import { fileWriterShape } from '../_files/writer-options.ts';
import { bucketShape } from './options.ts';

const { fileName: _fileName, ...shape } = fileWriterShape;

const options = z.strictObject({
  ...bucketShape,
  object: z
    .string()
    .regex(/[^/]$/, 'Expected a name at its end')
    .describe('Start of the keys, with folders: out/orders makes out/orders__RUN_TASK.csv'),
  ...shape,
});

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
async function open(given: z.output<typeof options>, context: PluginContext): Promise<Writer> {
  const { s3Options } = await import('./s3-options.ts');
  const { openS3Storage } = await import('./s3-storage.ts');
  const { openWriterOver } = await import('../_files/open-writer.ts');
  const cut = given.object.lastIndexOf('/');
  const folder = cut === -1 ? '' : given.object.slice(0, cut);
  return openWriterOver(
    await openS3Storage(s3Options(given), context.signal),
    folder,
    { ...given, fileName: given.object.slice(cut + 1) },
    context,
  );
}

export default defineWriter({
  name: 's3',
  aliases: ['osswriter', 's3writer'],
  summary: 'Writes files to S3 and servers like it, with digests beside them; they appear when the job has succeeded',
  options,
  example: { bucket: 'warehouse', object: 'out/orders/orders', writeMode: 'truncate', compress: 'zstd' },
  open,
});
