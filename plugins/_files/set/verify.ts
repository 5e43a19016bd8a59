import { createHash } from 'node:crypto';
import { DrayError } from 'dray/sdk';
import type { Storage } from '../storage/storage.ts';
import type { FoundFile } from './find-set.ts';

export interface VerifyOptions {
  readonly signal: AbortSignal;
  /** Called with the bytes of the file as they pass, so that they need not be fetched twice. */
  readonly keep?: (chunk: Buffer) => Promise<void>;
  readonly progress?: (bytes: number) => void;
}

/** Reads a file to its end and compares it with what stands beside it. Throws FILE_SIZE or FILE_DIGEST. */
export async function verifyFile(storage: Storage, file: FoundFile, { signal, keep, progress }: VerifyOptions): Promise<void> {
  const { path, bytes, expected } = file;
  const place = storage.nameOf(path);
  if (expected !== undefined && bytes !== expected.storedBytes) {
    const at = Math.min(bytes, expected.storedBytes);
    throw new DrayError('FILE_SIZE', `${place} has ${bytes} bytes where ${expected.storedBytes} are expected`, {
      place: `${place}, offset ${at}`,
    });
  }
  const sha256 = expected?.sha256 === undefined ? undefined : createHash('sha256');
  const md5 = expected?.md5 === undefined ? undefined : createHash('md5');
  if (sha256 === undefined && md5 === undefined && keep === undefined) return;
  let length = 0;
  for await (const chunk of storage.read(path, { from: 0 }, signal)) {
    length += chunk.length;
    sha256?.update(chunk);
    md5?.update(chunk);
    await keep?.(chunk);
    progress?.(chunk.length);
  }
  if (length !== bytes) throw new DrayError('FILE_CHANGED', `${place} had ${bytes} bytes and now has ${length}`, { place });
  if (sha256 !== undefined && sha256.digest('hex') !== expected?.sha256) throw differs(place, 'SHA-256', expected?.sidecar !== undefined);
  if (md5 !== undefined && md5.digest('hex') !== expected?.md5) throw differs(place, 'MD5', false);
}

function differs(place: string, digest: string, isOurs: boolean): DrayError {
  return new DrayError(
    'FILE_DIGEST',
    `${place} is damaged, or stands beside the ${isOurs ? 'sidecar' : 'digest'} of another: its ${digest} differs`,
    { place },
  );
}
