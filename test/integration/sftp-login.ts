import { readFileSync } from 'node:fs';
import type { Receipt, Storage } from '../../plugins/_files/storage/storage.ts';
import type { SftpOptions } from '../../plugins/sftp/connection.ts';
import type { SshdFacts } from '../support/sshd-server.ts';

/** Options that log in to a server of ours, over a proxy if one is given. */
export function loginTo(sshd: SshdFacts, { host, port }: { host: string; port: number } = sshd): SftpOptions {
  return {
    ...{ host, port, username: sshd.user },
    privateKey: readFileSync(sshd.privateKey, 'utf8'),
    hostKey: { fingerprint: sshd.fingerprint },
    reconnect: { tries: 4, firstPauseMs: 20 },
  };
}

export async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** Writes a file up to its receipt. */
export async function uploadTo(storage: Storage, path: string, bytes: Buffer): Promise<Receipt> {
  const upload = await storage.begin(path);
  for (let at = 0; at < bytes.length; at += 200_000) await upload.write(bytes.subarray(at, at + 200_000));
  return upload.finish();
}
