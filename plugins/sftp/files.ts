import { DrayError } from 'dray/sdk';
import type { Attributes, FileSystem } from 'ssh2-sftp-client';
import { folderOf, inFolder, nameIn, temporaryName } from '../_files/storage/paths.ts';
import type { Receipt } from '../_files/storage/storage.ts';
import type { Connection } from './connection.ts';
import { type Doing, offers, requestFault, status, statusOf } from './faults.ts';
import { kindOf, statOf } from './listing.ts';
import type { Session } from './session.ts';

/** Less room than for two requests counts as a full disk: a server may have written the part that still fitted. */
const leastRoomBytes = 256 * 1024;

/**
 * What a request that takes up room failed of. The protocol has no status for a full disk, and OpenSSH answers "Failure" to that as to most
 * things: only statvfs@openssh.com (OpenSSH's PROTOCOL, section 4.4) tells. A quota stays a FILE_FAILED.
 */
export async function writeFault(cause: unknown, doing: Doing, connection: Connection, folder: string): Promise<unknown> {
  if (statusOf(cause) !== status.failure || !offers(connection.sftp, 'statvfs@openssh.com')) return requestFault(cause, doing);
  try {
    const room = await connection.request<FileSystem>((sftp, done) => sftp.ext_openssh_statvfs(folder === '' ? '/' : folder, done));
    // A file system that makes its inodes as it needs them may say that it has none.
    const isFull = room.f_bavail * room.f_frsize < leastRoomBytes || (room.f_files > 0 && room.f_favail === 0);
    return isFull
      ? new DrayError('DISK_FULL', `there is no room for ${doing.name}`, { cause, place: doing.name })
      : requestFault(cause, doing);
  } catch {
    return requestFault(cause, doing);
  }
}

/** Removes a file or a link; it may be gone already. */
export async function removeFile(connection: Connection, path: string, { name, verb }: Doing): Promise<void> {
  try {
    await connection.request((sftp, done) => sftp.unlink(path, done));
  } catch (error) {
    if (statusOf(error) !== status.noSuchFile) throw requestFault(error, { verb, name });
  }
}

/** Makes a folder, and those above it. */
export async function makeFolder(connection: Connection, folder: string, nameOf: (path: string) => string): Promise<void> {
  const name = nameOf(folder);
  if (await isFolder(connection, folder, name)) return;
  await makeFolder(connection, folderOf(folder), nameOf);
  try {
    await connection.request((sftp, done) => sftp.mkdir(folder, done));
  } catch (error) {
    // Another task may have been faster.
    if (await isFolder(connection, folder, name)) return;
    throw await writeFault(error, { verb: 'make the folder', name }, connection, folderOf(folder));
  }
}

async function isFolder(connection: Connection, path: string, name: string): Promise<boolean> {
  if (path === '' || path === '.') return true;
  const attributes = await statOf(connection, path, name);
  if (attributes === undefined) return false;
  if (kindOf(attributes) === 'folder') return true;
  throw new DrayError('FILE_FAILED', `${name} is not a folder`, { place: name });
}

/** Where the bytes of an upload are until it is published. */
export function temporaryOf({ path, temporary }: Receipt): string {
  return inFolder(folderOf(path), typeof temporary === 'string' ? temporary : temporaryName(nameIn(path)));
}

/** Gives a finished file its name. A connection that is lost in between leaves the question whether that was done; the files answer it. */
export async function publishFile(session: Session, receipt: Receipt, name: string, replaces: boolean): Promise<void> {
  const { path, bytes } = receipt;
  const temporary = temporaryOf(receipt);
  let wasSent = false;
  await session.retrying(async (connection) => {
    try {
      if (wasSent && (await sizeOf(connection, temporary)) === undefined && (await sizeOf(connection, path)) === bytes) return;
      if (!replaces && (await sizeOf(connection, path)) !== undefined) throw exists(name);
      wasSent = true;
      await (replaces ? renameOver(connection, temporary, path) : renameBeside(connection, temporary, path, name));
    } catch (error) {
      throw await writeFault(error, { verb: 'rename a finished file to', name }, connection, folderOf(path));
    }
  });
}

/** Section 6.5 of the draft: RENAME fails where there is a file already. OpenSSH makes a link, then removes the old name. */
async function renameBeside(connection: Connection, from: string, to: string, name: string): Promise<void> {
  try {
    await connection.request((sftp, done) => sftp.rename(from, to, done));
  } catch (error) {
    // Somebody was faster than our look a moment ago.
    if (statusOf(error) === status.failure && (await sizeOf(connection, to)) !== undefined) throw exists(name);
    throw error;
  }
}

/** posix-rename@openssh.com (OpenSSH's PROTOCOL, section 4.3) replaces in one step; without it the file is away for a moment. */
async function renameOver(connection: Connection, from: string, to: string): Promise<void> {
  if (offers(connection.sftp, 'posix-rename@openssh.com')) {
    await connection.request((sftp, done) => sftp.ext_openssh_rename(from, to, done));
    return;
  }
  try {
    await connection.request((sftp, done) => sftp.rename(from, to, done));
  } catch (error) {
    if (statusOf(error) !== status.failure) throw error;
    await connection.request((sftp, done) => sftp.unlink(to, done));
    await connection.request((sftp, done) => sftp.rename(from, to, done));
  }
}

/** Of what bears this name itself, a link included; undefined if nothing does. */
async function sizeOf(connection: Connection, path: string): Promise<number | undefined> {
  try {
    return (await connection.request<Attributes>((sftp, done) => sftp.lstat(path, done))).size ?? 0;
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return undefined;
    throw error;
  }
}

function exists(name: string): DrayError {
  return new DrayError('FILE_EXISTS', `${name} is there already`, { place: name });
}
