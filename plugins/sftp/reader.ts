import { defineReader, type PluginContext, type Reader, texts, z } from 'dray/sdk';
import { fileReaderDifferences } from '../_files/differences.ts';
import { fileReaderShape } from '../_files/reader-options.ts';
import { sftpDifferences } from './differences.ts';
import { connectionShape, sftpOptions } from './options.ts';

const options = z.strictObject({
  ...connectionShape,
  path: texts().describe(
    'A file, a folder (all files below it), or a pattern with * and ? (a folder that it fits is read whole); or a list of them. From the folder of the login, unless it starts with /',
  ),
  ...fileReaderShape,
});

/** `sftp://user@host:port/path`, from the root; a password never stands in an address. */
function addressed(address: string): object {
  const { hostname, port, username, pathname } = new URL(address);
  return {
    host: hostname,
    username: decodeURIComponent(username),
    path: decodeURIComponent(pathname),
    ...(port === '' ? {} : { port: Number(port) }),
  };
}

// Not written within the definition: below "export default" TypeScript 6.0 leaves the .ts of a dynamic import as it is.
const load = () => Promise.all([import('./sftp-storage.ts'), import('../_files/open-reader.ts')]);

async function open(given: z.output<typeof options>, context: PluginContext): Promise<Reader> {
  const [{ openSftpStorage }, { openReaderOver }] = await load();
  const storage = await openSftpStorage(sftpOptions(given), context.signal);
  return openReaderOver(storage, given, { paths: given.path, isRemote: true }, context);
}

export default defineReader({
  name: 'sftp',
  aliases: ['ftpreader', 'sftpreader'],
  summary: 'Reads files of an SFTP server: CSV, text, COPY text, JSON lines or Parquet, packed and encrypted or not',
  differences: [...sftpDifferences, ...fileReaderDifferences],
  options,
  address: { scheme: 'sftp', parameter: addressed },
  example: {
    host: 'files.example.com',
    username: 'shop',
    agent: true,
    path: 'in/orders',
    ready: { waitMinutes: 30 },
    verify: 'require',
  },
  load,
  open,
});
