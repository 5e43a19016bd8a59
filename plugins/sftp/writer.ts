import { defineWriter, type PluginContext, type Writer, z } from 'dray/sdk';
import { fileWriterDifferences } from '../_files/differences.ts';
import { fileWriterShape } from '../_files/writer-options.ts';
import { sftpDifferences } from './differences.ts';
import { connectionShape, sftpOptions } from './options.ts';

const options = z.strictObject({
  ...connectionShape,
  path: z
    .string()
    .min(1)
    .describe('Folder of the files; it is made if it is missing. From the folder of the login, unless it starts with /'),
  ...fileWriterShape,
});

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('./sftp-storage.ts'), import('../_files/open-writer.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Writer> {
  const [{ openSftpStorage }, { openWriterOver }] = await load();
  return openWriterOver(await openSftpStorage(sftpOptions(given), context.signal), given.path, given, context);
}

export default defineWriter({
  name: 'sftp',
  aliases: ['ftpwriter', 'sftpwriter'],
  summary: 'Writes files to an SFTP server, with digests beside them; they appear when the job has succeeded',
  differences: [...sftpDifferences, ...fileWriterDifferences],
  options,
  example: {
    host: 'files.example.com',
    username: 'shop',
    agent: true,
    path: 'out/orders',
    fileName: 'orders',
    writeMode: 'truncate',
    compress: 'zstd',
  },
  load,
  open,
});
