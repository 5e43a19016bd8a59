import { createCipheriv, createDecipheriv, createHmac, hkdfSync, type KeyObject } from 'node:crypto';

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
export const magic = Buffer.from('DRAYENC1');
export const version = 1;
export const versionAt = 8;
export const keyIdAt = 13;
export const saltAt = 29;
export const macAt = 61;
export const headerBytes = 93;
export const tagBytes = 16;
const algorithm = 'aes-256-gcm';
export const standardChunkBytes = 64 * 1024;

/** Encrypts files, and decrypts them. */
export interface CipherKey {
  readonly secret: KeyObject;
  /** Tells this key from others, and nothing about it: 32 hexadecimal digits. */
  readonly id: string;
}

/** Where the chunk of a plain byte begins in the file, which it is, and how many plain bytes of it come before that byte. */
export function plainToStored(offset: number, chunkBytes = standardChunkBytes): { chunk: number; storedOffset: number; skip: number } {
  const chunk = Math.floor(offset / chunkBytes);
  return { chunk, storedOffset: headerBytes + chunk * (chunkBytes + tagBytes), skip: offset % chunkBytes };
}

/** What one file is encrypted with. */
export interface FileKeys {
  readonly cipher: Buffer;
  readonly mac: Buffer;
  readonly nonceStart: Buffer;
}

export function fileKeys({ secret }: CipherKey, salt: Buffer): FileKeys {
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, 'dray file encryption 1', 71));
  return { cipher: bytes.subarray(0, 32), mac: bytes.subarray(32, 64), nonceStart: bytes.subarray(64) };
}

function nonceOf({ nonceStart }: FileKeys, chunk: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12, nonceStart);
  nonce.writeUInt32BE(chunk, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

export function macOf(header: Buffer, { mac }: FileKeys): Buffer {
  return createHmac('sha256', mac).update(header.subarray(0, macAt)).digest();
}

export function seal(keys: FileKeys, chunk: number, isLast: boolean, plain: Uint8Array): Buffer[] {
  const cipher = createCipheriv(algorithm, keys.cipher, nonceOf(keys, chunk, isLast), { authTagLength: tagBytes });
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
}

/** The plain bytes of a chunk with its tag; undefined if that is not what was sealed under this number. */
export function opened(keys: FileKeys, chunk: number, isLast: boolean, sealed: Buffer): Buffer | undefined {
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
