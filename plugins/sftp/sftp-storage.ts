import { finalName, folderOf, inFolder, nameIn } from '../_files/storage/paths.ts';
import type { Receipt, Storage } from '../_files/storage/storage.ts';
import type { Connection, SftpOptions } from './connection.ts';
import { requestFault } from './faults.ts';
import { makeFolder, publishFile, removeFile, temporaryOf } from './files.ts';
import { filesIn, findFiles, kindOf, statOf, storedFile } from './listing.ts';
import { readFile } from './read-file.ts';
import { Session } from './session.ts';
import { SftpUpload } from './sftp-upload.ts';

/**
 * Files of an SFTP server (protocol version 3: draft-ietf-secsh-filexfer-02 and the extensions of OpenSSH). Paths are absolute, or from the
 * folder where the login begins. A path that is named may be a link; links in folders are left out. One connection serves all calls, and is made
 * again when it is lost; when the signal fires it ends, and everything rejects with the signal's reason. What removes unfinished files
 * (`abort`, `discard`, `unfinishedIn`, `remove`) still works then, over another connection. Not durable here, because the protocol has nothing for it: that a
 * file was renamed or removed.
 * @throws DrayError CONNECT_FAILED, HOST_KEY_REFUSED or LOGIN_REFUSED
 */
export async function openSftpStorage(options: SftpOptions, signal: AbortSignal): Promise<Storage> {
  const session = new Session(options, signal);
  const origin = originOf(options);
  let home: string;
  try {
    const connection = await session.connection();
    home = await connection.request<string>((sftp, done) => sftp.realpath('.', done));
  } catch (error) {
    await session.close();
    throw requestFault(error, { verb: 'find the folder of the login at', name: origin });
  }
  const absolute = (path: string) => {
    const whole = path.startsWith('/') ? path : inFolder(home, path.replace(/^(\.\/+)+/, ''));
    return whole.replace(/(?:\/+\.?)+$/, '');
  };
  const nameOf = (path: string) => `${origin}${absolute(path) || '/'}`;
  const removing = (path: string) => ({ verb: 'remove', name: nameOf(path) });
  const orRoot = (path: string) => absolute(path) || '/';

  return {
    resource: { kind: 'sftp', host: options.host, port: options.port ?? 22 },
    nameOf,
    find: (path) => session.retrying((connection) => findFiles(connection, orRoot(path), nameOf)),
    filesIn: (folder) => session.retrying((connection) => filesIn(connection, orRoot(folder), nameOf(folder))),
    facts: (path) =>
      session.retrying(async (connection) => {
        const attributes = await statOf(connection, orRoot(path), nameOf(path));
        return attributes !== undefined && kindOf(attributes) === 'file' ? storedFile(absolute(path), attributes) : undefined;
      }),
    read: (path, range, stop) => readFile(session, { path: absolute(path), name: nameOf(path) }, range, stop),
    begin: (path) => SftpUpload.begin(session, absolute(path), nameOf(path)),
    publish: (receipt, { replaces }) => publishFile(session, receipt, nameOf(receipt.path), replaces),
    discard: (receipt) => session.tidying((connection) => removeFile(connection, temporaryOf(receipt), removing(temporaryOf(receipt)))),
    unfinishedIn: (folder) =>
      session.tidying(async (connection) => {
        const files = await filesIn(connection, orRoot(folder), nameOf(folder));
        return files.flatMap(({ path, bytes }): Receipt[] => {
          const name = finalName(nameIn(path));
          return name === undefined ? [] : [{ path: inFolder(folderOf(path), name), bytes, temporary: nameIn(path) }];
        });
      }),
    remove: (path) => {
      const remove = (connection: Connection) => removeFile(connection, absolute(path), removing(path));
      return signal.aborted ? session.tidying(remove) : session.retrying(remove);
    },
    makeFolder: (folder) => session.retrying((connection) => makeFolder(connection, absolute(folder), nameOf)),
    join: inFolder,
    close: () => session.close(),
  };
}

/** Never with the user or the password. */
function originOf({ host, port = 22 }: SftpOptions): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `sftp://${name}${port === 22 ? '' : `:${port}`}`;
}
