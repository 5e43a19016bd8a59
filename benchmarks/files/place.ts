import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startSshd } from '../../test/support/sshd-server.ts';
import type { Plugin } from '../dray-job.ts';

export type PlaceKind = 'local' | 'sftp' | 's3';

export interface PlacedFile {
  readonly name: string;
  readonly bytes: number;
  open(): Promise<Readable>;
}

/** Where files are written to and read from: one folder, empty before each run. */
export interface Place {
  readonly kind: PlaceKind;
  /** Its server, for people; undefined: there is none. */
  readonly version: string | undefined;
  /** Reads `name` in the folder, or the whole folder. */
  reader(name?: string): Plugin;
  /** Writes files called `orders__…` into the folder. */
  readonly writer: Plugin;
  /** What the plugins' parameters take from the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** All that stands in the folder, hidden files, too. */
  files(): Promise<PlacedFile[]>;
  empty(): Promise<void>;
  stop(): Promise<void>;
}

export interface FolderPlace extends Place {
  /** The folder, in paths of this machine. */
  readonly folder: string;
}

export async function openLocalPlace(parent: string): Promise<FolderPlace> {
  const folder = await mkdtemp(join(parent, 'files-'));
  return {
    kind: 'local',
    version: undefined,
    ...inFolder(folder),
    reader: (name) => ({ name: 'txtfilereader', parameter: { path: [join(folder, name ?? '')] } }),
    writer: { name: 'txtfilewriter', parameter: { path: folder, fileName: 'orders' } },
    env: {},
    stop: async () => undefined,
  };
}

export interface SftpPlace extends FolderPlace {
  readonly port: number;
  readonly user: string;
  /** Path of the key that logs in. */
  readonly privateKey: string;
  readonly knownHosts: string;
}

export async function openSftpPlace(): Promise<SftpPlace> {
  const server = await startSshd();
  const { host, port, user, privateKey, knownHosts } = server;
  const folder = join(server.root, 'files');
  await mkdir(folder);
  const login = { host, port, username: user, privateKey: `\${file:${privateKey}}`, hostKey: { knownHosts } };
  return {
    kind: 'sftp',
    version: 'OpenSSH',
    ...inFolder(folder),
    ...{ port, user, privateKey, knownHosts },
    reader: (name) => ({ name: 'sftpreader', parameter: { ...login, path: [join(folder, name ?? '')] } }),
    writer: { name: 'sftpwriter', parameter: { ...login, path: folder, fileName: 'orders' } },
    env: {},
    stop: () => server.stop(),
  };
}

function inFolder(folder: string): Pick<FolderPlace, 'folder' | 'files' | 'empty'> {
  return {
    folder,
    async files() {
      const names = (await readdir(folder)).sort();
      return Promise.all(
        names.map(async (name) => ({
          name,
          bytes: (await stat(join(folder, name))).size,
          open: async () => createReadStream(join(folder, name)),
        })),
      );
    },
    async empty() {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
    },
  };
}
