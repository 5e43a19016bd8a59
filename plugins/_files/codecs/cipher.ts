import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { DrayError } from 'dray/sdk';
import {
  type CipherKey,
  fileKeys,
  headerBytes,
  keyIdAt,
  macAt,
  macOf,
  magic,
  saltAt,
  seal,
  standardChunkBytes,
  version,
  versionAt,
} from './cipher-chunks.ts';
import { decrypted, decryptedAt } from './cipher-reader.ts';
import type { ByteSink, Codec } from './codec.ts';

/**
 * A key as 64 hexadecimal digits or as base64 of its 32 bytes (`openssl rand -base64 32`).
 * @throws DrayError JOB_INVALID
 */
export function parseKey(text: string): CipherKey {
  const trimmed = text.trim();
  const isHex = /^[0-9a-f]{64}$/i.test(trimmed);
  const bytes = Buffer.from(trimmed, isHex ? 'hex' : 'base64');
  if (bytes.length !== 32 || (!isHex && bytes.toString('base64') !== trimmed)) {
    throw new DrayError('JOB_INVALID', 'the key that encrypts files is neither 64 hexadecimal digits nor base64 of 32 bytes', {
      remedy: 'Make one with `openssl rand -base64 32`, and keep it where both sides can read it.',
    });
  }
  const id = createHash('sha256').update('dray file encryption: key id').update(bytes).digest('hex').slice(0, 32);
  return { secret: createSecretKey(bytes), id };
}

/** Other values than these are for tests. */
export interface ChunkLimits {
  readonly chunkBytes?: number;
  /** The nonce has 32 bits for the number of a chunk. */
  readonly maxChunks?: number;
}

/** Encryption that shows every change: of a byte, of the order, of the end. */
export function encrypted(key: CipherKey, { chunkBytes = standardChunkBytes, maxChunks = 2 ** 32 }: ChunkLimits = {}): Codec {
  return {
    suffix: '.enc',
    writer: (into) => encryptingSink(key, { chunkBytes, maxChunks }, into),
    reader: (source, file, maxBytes) => decrypted(key, maxChunks, source, file, maxBytes),
    readerAt: (read, { plain }, file) => decryptedAt(key, maxChunks, read, plain, file),
  };
}

function encryptingSink(key: CipherKey, { chunkBytes, maxChunks }: Required<ChunkLimits>, into: ByteSink): ByteSink {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header[versionAt] = version;
  header.writeUInt32BE(chunkBytes, versionAt + 1);
  header.write(key.id, keyIdAt, 'hex');
  const salt = randomBytes(32);
  salt.copy(header, saltAt);
  const keys = fileKeys(key, salt);
  macOf(header, keys).copy(header, macAt);

  const kept = Buffer.allocUnsafe(chunkBytes);
  let keptBytes = 0;
  let chunk = 0;
  let ready: Buffer[] = [header];
  const sealNext = (plain: Uint8Array, isLast: boolean) => {
    if (chunk >= maxChunks) {
      const bytes = maxChunks * chunkBytes;
      throw new DrayError('FILE_FAILED', `an encrypted file holds at most ${bytes} bytes`, { remedy: 'Let the job write smaller files.' });
    }
    ready.push(...seal(keys, chunk++, isLast, plain));
  };
  const passOn = async () => {
    const bytes = Buffer.concat(ready);
    ready = [];
    if (bytes.length > 0) await into.write(bytes);
  };
  return {
    async write(bytes) {
      // A full chunk is kept back until a byte follows it: it may be the last one.
      for (let at = 0; at < bytes.length; ) {
        if (keptBytes === chunkBytes) {
          sealNext(kept, false);
          keptBytes = 0;
        }
        const part = bytes.subarray(at, at + chunkBytes - keptBytes);
        at += part.length;
        if (part.length === chunkBytes && at < bytes.length) sealNext(part, false);
        else {
          kept.set(part, keptBytes);
          keptBytes += part.length;
        }
      }
      await passOn();
    },
    async end() {
      sealNext(kept.subarray(0, keptBytes), true);
      await passOn();
      await into.end();
    },
    destroy() {
      into.destroy();
    },
  };
}
