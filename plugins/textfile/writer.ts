import { resolve } from 'node:path';
import { defineWriter, type PluginContext, type Writer, z } from 'dray/sdk';
import { fileWriterDifferences } from '../_files/differences.ts';
import { fileWriterShape } from '../_files/writer-options.ts';

const options = z.strictObject({
  path: z.string().min(1).describe('Folder of the files; it is made if it is missing'),
  ...fileWriterShape,
});

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('../_files/storage/local-storage.ts'), import('../_files/open-writer.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Writer> {
  const [{ openLocalStorage }, { openWriterOver }] = await load();
  return openWriterOver(openLocalStorage(), resolve(given.path), given, context);
}

export default defineWriter({
  name: 'textfile',
  aliases: ['txtfilewriter'],
  summary: 'Writes files of this machine, with digests beside them; they appear when the job has succeeded',
  differences: fileWriterDifferences,
  options,
  example: { path: 'out', fileName: 'words', writeMode: 'truncate', header: true },
  load,
  open,
});
