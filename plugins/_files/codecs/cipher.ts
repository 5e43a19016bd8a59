import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { DrayError } from 'dray/sdk';
import { tooLong } from './broken.ts';
import type { ByteSink, Codec } from './codec.ts';
import { StoredBytes } from './stored-bytes.ts';

/*
 * AES-256-GCM chunk by chunk: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption
 * and its Nonce-Reuse Misuse-Resistance" (2015), as in Tink and age. Integers are big-endian.
 *
 *   header  "DRAYENC1", version (1 byte), size of a chunk (4), key id (16), salt (32), HMAC-SHA256 of all of this (32)
 *   chunks  65,536 bytes each, the last one 1 to 65,536 (0 if the file is empty), each with its tag of 16 bytes behind it
 *   keys    HKDF-SHA256 of the key, with the salt: key of the chunks (32), key of the HMAC (32), start of the nonces (7)
 *   nonce   its start (7), number of the chunk from 0 (4), 1 for the last chunk or else 0 (1)
 *
 * The number fixes a chunk's place, the last byte of the nonce fixes the end; keys and nonces of two files differ because the salts do.
 */
const magic = Buffer.from('DRAYENC1');
const version = 1;
const versionAt = 8;
const keyIdAt = 13;
const saltAt = 29;
const macAt = 61;
const headerBytes = 93;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';
const standardChunkBytes = 64 * 1024;

/** Encrypts files, and decrypts them. */
export interface CipherKey {
  readonly secret: KeyObject;
  /** Tells this key from others, and nothing about it: 32 hexadecimal digits. */
  readonly id: string;
}

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
  };
}

/** Where the chunk of a plain byte begins in the file, which it is, and how many plain bytes of it come before that byte. */
export function plainToStored(offset: number, chunkBytes = standardChunkBytes): { chunk: number; storedOffset: number; skip: number } {
  const chunk = Math.floor(offset / chunkBytes);
  return { chunk, storedOffset: headerBytes + chunk * (chunkBytes + tagBytes), skip: offset % chunkBytes };
}

/** What one file is encrypted with. */
interface FileKeys {
  readonly cipher: Buffer;
  readonly mac: Buffer;
  readonly nonceStart: Buffer;
}

function fileKeys({ secret }: CipherKey, salt: Buffer): FileKeys {
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, 'dray file encryption 1', 71));
  return { cipher: bytes.subarray(0, 32), mac: bytes.subarray(32, 64), nonceStart: bytes.subarray(64) };
}

function nonceOf({ nonceStart }: FileKeys, chunk: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12, nonceStart);
  nonce.writeUInt32BE(chunk, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function macOf(header: Buffer, { mac }: FileKeys): Buffer {
  return createHmac('sha256', mac).update(header.subarray(0, macAt)).digest();
}

function seal(keys: FileKeys, chunk: number, isLast: boolean, plain: Uint8Array): Buffer[] {
  const cipher = createCipheriv(algorithm, keys.cipher, nonceOf(keys, chunk, isLast), { authTagLength: tagBytes });
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
}

/** The plain bytes of a chunk with its tag; undefined if that is not what was sealed under this number. */
function opened(keys: FileKeys, chunk: number, isLast: boolean, sealed: Buffer): Buffer | undefined {
  const textBytes = sealed.length - tagBytes;
  if (textBytes < 0) return undefined;
  const decipher = createDecipheriv(algorithm, keys.cipher, nonceOf(keys, chunk, isLast), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(textBytes));
  const plain = decipher.update(sealed.subarray(0, textBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
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

async function* decrypted(
  key: CipherKey,
  maxChunks: number,
  source: AsyncIterable<Buffer>,
  file: string,
  maxBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const stored = new StoredBytes(source);
  try {
    const { keys, chunkBytes } = checkedHeader(await stored.take(headerBytes), key, file);
    let produced = 0;
    for (let chunk = 0, isLast = false; !isLast; chunk++) {
      const { offset } = stored;
      const sealed = await stored.take(chunkBytes + tagBytes);
      isLast = await stored.isAtEnd();
      const isTooMany = chunk >= maxChunks;
      const plain = isTooMany ? undefined : opened(keys, chunk, isLast, sealed);
      if (plain === undefined || (plain.length === 0 && chunk > 0)) {
        throw refused(file, offset, isTooMany ? 'is more than a file can have' : whyRefused(keys, chunk, isLast, sealed), chunk);
      }
      produced += plain.length;
      if (produced > maxBytes) throw tooLong(file, maxBytes, offset);
      yield plain;
    }
  } finally {
    await stored.close();
  }
}

function checkedHeader(header: Buffer, key: CipherKey, file: string): { keys: FileKeys; chunkBytes: number } {
  const isOurs = header.subarray(0, versionAt).equals(magic);
  if (!isOurs) throw refused(file, 0, 'does not begin like a file that dray has encrypted');
  if (header.length < headerBytes) throw refused(file, header.length, 'is cut off within its header');
  if (header[versionAt] !== version) {
    throw refused(file, versionAt, `is encrypted in form ${header[versionAt]}, and this dray knows form ${version}`);
  }
  const id = header.toString('hex', keyIdAt, saltAt);
  if (id !== key.id) {
    throw new DrayError('KEY_WRONG', `${file} was encrypted with the key ${id}, and the key given is ${key.id}`, { place: file });
  }
  const keys = fileKeys(key, header.subarray(saltAt, macAt));
  if (!timingSafeEqual(macOf(header, keys), header.subarray(macAt))) throw refused(file, 0, 'is damaged, or was changed, in its header');
  return { keys, chunkBytes: header.readUInt32BE(versionAt + 1) };
}

function whyRefused(keys: FileKeys, chunk: number, isLast: boolean, sealed: Buffer): string {
  if (isLast && sealed.length === 0) return 'is not there: the file is cut off';
  const isDamaged = opened(keys, chunk, !isLast, sealed) === undefined;
  if (isDamaged) return isLast ? 'is damaged, was changed, or is cut off' : 'is damaged, or was changed';
  return isLast ? 'is not the last, but nothing follows: the file is cut off' : 'is the last, but more follows';
}

function refused(file: string, offset: number, what: string, chunk?: number): DrayError {
  const sentence = chunk === undefined ? `${file} ${what}` : `chunk ${chunk} of ${file}, at byte ${offset}, ${what}`;
  return new DrayError('CIPHER_BROKEN', sentence, { place: `${file}, offset ${offset}` });
}
