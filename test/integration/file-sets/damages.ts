import type { ErrorCode } from '../../../core/sdk/index.ts';
import { type MadeSet, sealedWith, sha256 } from './made-set.ts';

export type Outcome = readonly [code: ErrorCode, exitCode: number];

export const size: Outcome = ['FILE_SIZE', 6];
export const digest: Outcome = ['FILE_DIGEST', 6];
export const forged: Outcome = ['FILE_FORGED', 6];
export const missing: Outcome = ['FILE_MISSING', 6];
export const unlisted: Outcome = ['FILE_UNLISTED', 6];
export const stale: Outcome = ['FILE_STALE', 6];
export const signature: Outcome = ['SIGNATURE_WRONG', 6];
export const notReady: Outcome = ['FILES_NOT_READY', 7];

export interface Damage {
  readonly title: string;
  readonly does: (set: MadeSet) => void;
  readonly ends: Outcome | ((set: MadeSet) => Outcome);
  /** The file that the error names. */
  readonly names: (set: MadeSet) => string;
  /** More parameters of the reader. */
  readonly reads?: Record<string, unknown>;
  /** `dray files verify` must say the same. */
  readonly isVerified?: true;
}

export const data0 = ({ data }: MadeSet) => data[0];
export const data1 = ({ data }: MadeSet) => data[1];
export const sidecar0 = ({ sidecars }: MadeSet) => sidecars[0];
export const sidecar1 = ({ sidecars }: MadeSet) => sidecars[1];
export const manifest = ({ manifest: name }: MadeSet) => name;
export const mark = () => '_SUCCESS';

/** What happens to data files, whatever they are packed in. */
export const dataDamages: Damage[] = [
  ...Array.from(
    { length: 15 },
    (_, index): Damage => ({
      title: `a data file cut at ${index + 1}/16`,
      does: (set) => set.truncate(set.data[index % 2]!, index + 1),
      ends: size,
      names: (set) => set.data[index % 2]!,
    }),
  ),
  { title: 'an empty file in place of data', does: (set) => set.write(set.data[0], ''), ends: size, names: data0, isVerified: true },
  { title: 'a changed bit in the first byte', does: (set) => set.flip(set.data[0], 0), ends: digest, names: data0 },
  { title: 'a changed bit near the beginning', does: (set) => set.flip(set.data[0], 0.01), ends: digest, names: data0 },
  { title: 'a changed bit in the middle', does: (set) => set.flip(set.data[1], 0.5), ends: digest, names: data1, isVerified: true },
  { title: 'a changed bit in the last byte', does: (set) => set.flip(set.data[1], 1), ends: digest, names: data1 },
  {
    title: 'an appended byte',
    does: (set) => set.write(set.data[1], Buffer.concat([set.bytes(set.data[1]), Buffer.from('\n')])),
    ends: size,
    names: data1,
    isVerified: true,
  },
  {
    title: 'two data files swapped',
    does(set) {
      const [a, b] = set.data.map((name) => set.bytes(name));
      set.write(set.data[0], b!);
      set.write(set.data[1], a!);
    },
    ends: (set) => (set.bytes(set.data[0]).length === set.bytes(set.data[1]).length ? digest : size),
    names: data0,
  },
];

export const sealedDamages: Damage[] = [
  ...dataDamages.filter((_, index) => index === 6 || index > 14).map((one) => ({ ...one, reads: sealedWith })),
  {
    title: 'a wrong key of the signature',
    does: () => undefined,
    ends: signature,
    names: manifest,
    reads: { ...sealedWith, signatureKey: 'not the secret of the shop' },
    isVerified: true,
  },
  {
    title: 'a signature taken away',
    does: (set) => set.editMark((entry) => ({ ...entry, signature: undefined })),
    ends: signature,
    names: manifest,
    reads: sealedWith,
  },
  {
    title: 'a manifest that somebody without the key has made anew',
    does(set) {
      set.edit(set.sidecars[1], (one) => ({ ...one, rows: 999 }));
      set.rehashSidecar(1);
      set.rehashManifest();
    },
    ends: signature,
    names: manifest,
    reads: sealedWith,
  },
  {
    title: 'a manifest signed with another key',
    does: (set) => set.rehashManifest('a key of somebody else'),
    ends: signature,
    names: manifest,
    reads: sealedWith,
  },
  {
    title: 'a _SUCCESS without any set',
    does: (set) => set.edit('_SUCCESS', (one) => ({ ...one, sets: {} })),
    ends: signature,
    names: ({ folder }) => folder,
    reads: sealedWith,
  },
  {
    title: 'a file with a sidecar of its own that no signed manifest names',
    does(set) {
      const bytes = Buffer.from('1,x\n');
      set.write('more.csv', bytes);
      const { encryptionKey: _, ...rest } = set.json(set.sidecars[0]);
      set.write('more.csv.meta.json', {
        ...rest,
        file: 'more.csv',
        rows: 1,
        storedBytes: bytes.length,
        sha256: sha256(bytes),
        encryptionKey: null,
        compression: 'none',
      });
    },
    ends: signature,
    names: () => 'more.csv',
    reads: sealedWith,
  },
  {
    title: 'a wrong key of the cipher',
    does: () => undefined,
    ends: ['KEY_WRONG', 3],
    names: data0,
    reads: { ...sealedWith, encryptionKey: 'cd'.repeat(32) },
  },
  {
    title: 'no key of the cipher',
    does: () => undefined,
    ends: ['KEY_WRONG', 3],
    names: data0,
    reads: { signatureKey: sealedWith.signatureKey },
  },
];
