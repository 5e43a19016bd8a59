import { defineReader, type PluginContext, type Reader, texts, z } from 'dray/sdk';
import { fileReaderDifferences } from '../_files/differences.ts';
import { fileReaderShape } from '../_files/reader-options.ts';

const options = z.strictObject({
  path: texts().describe(
    'A file, a folder (all files below it), or a pattern with * and ? (a folder that it fits is read whole); or a list of them',
  ),
  ...fileReaderShape,
});

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('../_files/storage/local-storage.ts'), import('../_files/open-reader.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Reader> {
  const [{ openLocalStorage }, { openReaderOver }] = await load();
  return openReaderOver(openLocalStorage(), given, { paths: given.path, isRemote: false }, context);
}

export default defineReader({
  name: 'textfile',
  aliases: ['txtfilereader'],
  summary: 'Reads files of this machine: CSV, text, COPY text, JSON lines or Parquet, packed and encrypted or not',
  differences: fileReaderDifferences,
  options,
  address: { scheme: 'file', parameter: (address) => ({ path: address.replace(/^file:\/\//, '') }) },
  example: {
    path: 'in/*.csv',
    skipHeader: true,
    column: [
      { index: 0, type: 'long', name: 'id' },
      { index: 1, type: 'string', name: 'word' },
    ],
  },
  load,
  open,
});
