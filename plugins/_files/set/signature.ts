import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';
import { DrayError } from 'dray/sdk';

export interface Signature {
  readonly algorithm: 'hmac-sha256' | 'ed25519';
  /** Base64. */
  readonly value: string;
}

/** Signs manifests, or checks them: a PEM text is an Ed25519 key (private to sign, public to check), all else the secret of an HMAC. */
export type SigningKey = { readonly kind: 'hmac'; readonly secret: Buffer } | { readonly kind: 'ed25519'; readonly key: KeyObject };

/** Shorter secrets can be guessed from one manifest. */
const minSecretBytes = 16;

/** @throws DrayError JOB_INVALID */
export function signingKey(text: string): SigningKey {
  if (!text.includes('-----BEGIN')) {
    const secret = Buffer.from(text.trim());
    if (secret.length >= minSecretBytes) return { kind: 'hmac', secret };
    throw new DrayError('JOB_INVALID', `the secret that signs manifests is shorter than ${minSecretBytes} bytes`);
  }
  try {
    const key = text.includes('PRIVATE KEY') ? createPrivateKey(text) : createPublicKey(text);
    if (key.asymmetricKeyType === 'ed25519') return { kind: 'ed25519', key };
  } catch (cause) {
    throw new DrayError('JOB_INVALID', 'the key that signs manifests cannot be read', { cause });
  }
  throw new DrayError('JOB_INVALID', 'the key that signs manifests is not an Ed25519 key');
}

/** @throws DrayError JOB_INVALID for a public key, which can only check */
export function signed(bytes: Buffer, key: SigningKey): Signature {
  if (key.kind === 'hmac') return { algorithm: 'hmac-sha256', value: createHmac('sha256', key.secret).update(bytes).digest('base64') };
  if (key.key.type !== 'private')
    throw new DrayError('JOB_INVALID', 'a public key cannot sign', { remedy: 'Give the writer the private key.' });
  return { algorithm: 'ed25519', value: sign(null, bytes, key.key).toString('base64') };
}

/** True if the signature was made over these bytes, with the other half of this key. */
export function isSigned(bytes: Buffer, { algorithm, value }: Signature, key: SigningKey): boolean {
  const given = Buffer.from(value, 'base64');
  if (key.kind === 'hmac') {
    const expected = createHmac('sha256', key.secret).update(bytes).digest();
    return algorithm === 'hmac-sha256' && given.length === expected.length && timingSafeEqual(given, expected);
  }
  return algorithm === 'ed25519' && given.length === 64 && verify(null, bytes, key.key, given);
}
