import { DrayError } from 'dray/sdk';
import { bzip2 } from './codecs/bzip2.ts';
import { encrypted, parseKey } from './codecs/cipher.ts';
import type { CipherKey } from './codecs/cipher-chunks.ts';
import type { Codec } from './codecs/codec.ts';
import { gzip } from './codecs/gzip.ts';
import { zip } from './codecs/zip.ts';
import { zstd } from './codecs/zstd.ts';

type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'zip';

/** By the end of a name. */
const packings: Readonly<Record<string, Packing>> = { gz: 'gzip', zst: 'zstd', bz2: 'bzip2', zip: 'zip' };

interface CodecOptions {
  readonly compress?: Packing | undefined;
  readonly encryptionKey?: string | undefined;
}

/** How a file that is read was packed and encrypted: as the options say, else as its name does. */
export function codecsByName({ compress, encryptionKey: keyText }: CodecOptions): (name: string) => readonly Codec[] {
  const key = keyText === undefined ? undefined : parseKey(keyText);
  return (name) => {
    const isEncrypted = name.endsWith('.enc');
    if (isEncrypted && key === undefined) {
      throw new DrayError('KEY_WRONG', `${name} is encrypted, and the job has no "encryptionKey"`, { side: 'source', place: name });
    }
    const inner = isEncrypted ? name.slice(0, -'.enc'.length) : name;
    const packing = compress ?? packings[/\.(\w+)$/.exec(inner)?.[1]?.toLowerCase() ?? ''] ?? 'none';
    return [...packed(packing), ...(isEncrypted ? [encrypted(key!)] : [])];
  };
}

export interface WritingCodecs {
  readonly codecs: readonly Codec[];
  /** Of the key that encrypts. */
  readonly keyId: string | null;
}

/** What the bytes of a file pass on their way into it. */
export function writingCodecs(options: CodecOptions & { readonly compressLevel?: number | undefined }): WritingCodecs {
  const key: CipherKey | undefined = options.encryptionKey === undefined ? undefined : parseKey(options.encryptionKey);
  const packing = packed(options.compress ?? 'none', options.compressLevel);
  return { codecs: [...packing, ...(key === undefined ? [] : [encrypted(key)])], keyId: key?.id ?? null };
}

function packed(packing: Packing, level?: number): Codec[] {
  const how = level === undefined ? {} : { level };
  switch (packing) {
    case 'none':
      return [];
    case 'gzip':
      return [gzip(how)];
    case 'zstd':
      return [zstd(how)];
    case 'bzip2':
      return [bzip2()];
    case 'zip':
      return [zip()];
  }
}
