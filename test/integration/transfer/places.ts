import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalStorage } from '../../../plugins/_files/storage/local-storage.ts';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { openS3Storage } from '../../../plugins/s3/s3-storage.ts';
import { openSftpStorage } from '../../../plugins/sftp/sftp-storage.ts';
import { startS3 } from '../../support/s3-server.ts';
import { startSshd } from '../../support/sshd-server.ts';

export const placeKinds = ['local', 'sftp', 's3'] as const;
export type PlaceKind = (typeof placeKinds)[number];

type Parameter = Record<string, unknown>;

/** Where sets are exchanged: a disk, an SFTP server or an S3 server, with what a job needs to reach it. */
export interface Place {
  readonly kind: PlaceKind;
  /** A name of a folder that is used for nothing else. */
  newFolder(): string;
  /** The writer of a job; `fileName` is "orders" unless the parameter says otherwise. */
  writer(folder: string, parameter?: Parameter): object;
  reader(folder: string, parameter?: Parameter): object;
  /** A storage of our own, to look at what the jobs did. */
  open(signal?: AbortSignal): Promise<Storage>;
  stop(): Promise<void>;
}

export function startPlace(kind: PlaceKind): Promise<Place> {
  return { local: localPlace, sftp: sftpPlace, s3: s3Place }[kind]();
}

function folders(root: string): () => string {
  let count = 0;
  return () => `${root}set-${count++}`;
}

async function localPlace(): Promise<Place> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'dray-place-')));
  return {
    kind: 'local',
    newFolder: folders(`${root}/`),
    writer: (path, parameter) => ({ name: 'textfile', parameter: { path, fileName: 'orders', ...parameter } }),
    reader: (path, parameter) => ({ name: 'textfile', parameter: { path, ...parameter } }),
    open: async () => openLocalStorage(),
    stop: async () => rmSync(root, { recursive: true, force: true }),
  };
}

async function sftpPlace(): Promise<Place> {
  const sshd = await startSshd();
  const { host, port, user: username, fingerprint } = sshd;
  const privateKey = readFileSync(sshd.privateKey, 'utf8');
  const login = { host, port, username, privateKey, hostKey: { fingerprint } };
  return {
    kind: 'sftp',
    newFolder: folders(`${sshd.root}/`),
    writer: (path, parameter) => ({ name: 'sftp', parameter: { ...login, path, fileName: 'orders', ...parameter } }),
    reader: (path, parameter) => ({ name: 'sftp', parameter: { ...login, path, ...parameter } }),
    open: (signal = new AbortController().signal) => openSftpStorage(login, signal),
    stop: () => sshd.stop(),
  };
}

async function s3Place(): Promise<Place> {
  const s3 = await startS3();
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const bucket = await s3.createBucket('transfer');
  const login = { endpoint, region, bucket, accessId: accessKeyId, accessKey: secretAccessKey };
  return {
    kind: 's3',
    newFolder: folders(''),
    writer(folder, { fileName = 'orders', ...parameter } = {}) {
      return { name: 's3', parameter: { ...login, object: `${folder}/${String(fileName)}`, ...parameter } };
    },
    reader: (folder, parameter) => ({ name: 's3', parameter: { ...login, object: `${folder}/`, ...parameter } }),
    open: (signal = new AbortController().signal) => openS3Storage({ endpoint, region, bucket, accessKeyId, secretAccessKey }, signal),
    stop: () => s3.stop(),
  };
}

/** Puts a file of somebody else into a folder. */
export async function put(storage: Storage, folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await storage.makeFolder(folder);
  const upload = await storage.begin(storage.join(folder, name));
  await upload.write(Buffer.from(content));
  await storage.publish(await upload.finish(), { replaces: true });
}

export async function bytesOf(storage: Storage, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of storage.read(path, { from: 0 }, new AbortController().signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** All names in a folder, hidden ones too, and of unfinished files the names that they would have had, with "…" behind them. */
export async function namesIn(storage: Storage, folder: string): Promise<string[]> {
  const nameIn = ({ path }: { path: string }) => path.slice(path.lastIndexOf('/') + 1);
  const files = (await storage.filesIn(folder)).map(nameIn).filter((name) => !name.endsWith('.tmp'));
  return [...files, ...(await storage.unfinishedIn(folder)).map((one) => `${nameIn(one)}…`)].sort();
}

/** A folder of this machine with files for jobs. */
export function jobFolder(): { path: string; write(name: string, job: object): string; stop(): void; names(): string[] } {
  const path = mkdtempSync(join(tmpdir(), 'dray-jobs-'));
  mkdirSync(path, { recursive: true });
  return {
    path,
    write(name, job) {
      writeFileSync(join(path, name), JSON.stringify(job));
      return join(path, name);
    },
    names: () => readdirSync(path),
    stop: () => rmSync(path, { recursive: true, force: true }),
  };
}
