import { DrayError } from 'dray/sdk';
import type { Attributes, ListedName } from 'ssh2-sftp-client';
import { byPath, hasWildcard, inFolder, isHidden, patternOf, safeName } from '../_files/storage/paths.ts';
import type { StoredFile } from '../_files/storage/storage.ts';
import type { Connection } from './connection.ts';
import { requestFault, status, statusOf } from './faults.ts';

/** Side by side; the protocol lists a hundred names per round trip, and one folder after the other would wait for each. */
const foldersAtOnce = 8;
/** A server that shows a folder within itself would keep us busy for ever. */
const deepestLevel = 100;

type Kind = 'file' | 'folder' | 'link' | 'other';

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly kind: Kind;
  readonly attributes: Attributes;
}

/** stat, which follows links; undefined if nothing is there. */
export async function statOf(connection: Connection, path: string, name: string): Promise<Attributes | undefined> {
  try {
    return await connection.request<Attributes>((sftp, done) => sftp.stat(path, done));
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return undefined;
    throw requestFault(error, { verb: 'look at', name });
  }
}

/** The files of the storage interface's `find`. A link counts where its path is named; links in folders are left out, lest a file be read twice. */
export async function findFiles(connection: Connection, path: string, nameOf: (path: string) => string): Promise<StoredFile[]> {
  const attributes = await statOf(connection, path, nameOf(path));
  if (attributes !== undefined) {
    const kind = kindOf(attributes);
    if (kind === 'file') return [storedFile(path, attributes)];
    return kind === 'folder' ? filesBelow(connection, path, nameOf) : [];
  }
  return hasWildcard(path) ? filesMeant(connection, path, nameOf) : [];
}

function filesBelow(connection: Connection, folder: string, nameOf: (path: string) => string): Promise<StoredFile[]> {
  return walk(connection, folder, nameOf, ({ name, kind }) =>
    isHidden(name) || (kind !== 'file' && kind !== 'folder') ? 'neither' : kind,
  );
}

function filesMeant(connection: Connection, path: string, nameOf: (path: string) => string): Promise<StoredFile[]> {
  const { folder, levels } = patternOf(path);
  const last = levels.length - 1;
  return walk(connection, folder === '' ? '/' : folder, nameOf, ({ name, kind }, level) => {
    const isFit = levels[level]?.test(name) ?? !isHidden(name);
    return isFit && (kind === 'folder' || (kind === 'file' && level >= last)) ? kind : 'neither';
  });
}

/** @param choose whether a file belongs to it and whether to go into a folder; `level` counts from 0 in the first folder */
async function walk(
  connection: Connection,
  folder: string,
  nameOf: (path: string) => string,
  choose: (entry: Entry, level: number) => 'file' | 'folder' | 'neither',
): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  let folders = [folder];
  for (let level = 0; folders.length > 0; level++) {
    if (level > deepestLevel) {
      throw new DrayError('FILE_BROKEN', `${nameOf(folder)} has more than ${deepestLevel} levels of folders`, { place: nameOf(folder) });
    }
    const next: string[] = [];
    for (let first = 0; first < folders.length; first += foldersAtOnce) {
      const some = folders.slice(first, first + foldersAtOnce);
      const lists = await Promise.all(some.map((one) => entriesIn(connection, one, nameOf(one))));
      for (const entry of lists.flat()) {
        const choice = choose(entry, level);
        if (choice === 'file') files.push(storedFile(entry.path, entry.attributes));
        if (choice === 'folder') next.push(entry.path);
      }
    }
    folders = next;
  }
  return files.sort(byPath);
}

/** The files in a folder itself, hidden ones too. */
export async function filesIn(connection: Connection, folder: string, name: string): Promise<StoredFile[]> {
  const entries = await entriesIn(connection, folder, name);
  return entries.flatMap(({ path, kind, attributes }) => (kind === 'file' ? [storedFile(path, attributes)] : [])).sort(byPath);
}

async function entriesIn(connection: Connection, folder: string, name: string): Promise<Entry[]> {
  let listed: ListedName[];
  try {
    listed = await connection.request<ListedName[]>((sftp, done) => sftp.readdir(folder, done));
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return [];
    throw requestFault(error, { verb: 'list', name });
  }
  return listed.map(({ filename, longname, attrs }) => ({
    name: safeName(filename, name),
    path: inFolder(folder, filename),
    kind: kindOf(attrs, longname),
    attributes: attrs,
  }));
}

/** S_IFMT of stat(2); a server that sends no mode still sends what `ls -l` begins a line with. */
export function kindOf({ mode }: Attributes, longname = '-'): Kind {
  const type = mode === undefined || (mode & 0o170000) === 0 ? longname[0] : mode & 0o170000;
  if (type === 0o100000 || type === '-') return 'file';
  if (type === 0o040000 || type === 'd') return 'folder';
  return type === 0o120000 || type === 'l' ? 'link' : 'other';
}

/** The protocol has times in seconds: a file that is changed twice in a second and keeps its size looks the same. */
export function storedFile(path: string, { size = 0, mtime = 0 }: Attributes): StoredFile {
  return { path, bytes: size, version: `${size}-${mtime}` };
}
