import { symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectFault } from '../../support/faults.ts';
import {
  type Damage,
  data0,
  data1,
  dataDamages,
  digest,
  forged,
  manifest,
  mark,
  missing,
  notReady,
  sealedDamages,
  sidecar0,
  sidecar1,
  signature,
  size,
  stale,
  unlisted,
} from './damages.ts';
import { type MadeSet, rowsPerSet, sealedWith, sha256, Workshop } from './made-set.ts';

const workshop = new Workshop();
let packed: MadeSet;
let sealed: MadeSet;
/** Of a later run, under the same fileName. */
let other: MadeSet;

beforeAll(async () => {
  [packed, sealed, other] = await Promise.all([
    workshop.made({ compress: 'gzip' }),
    workshop.made({ compress: 'zstd', ...sealedWith }),
    workshop.made({ compress: 'gzip' }),
  ]);
});
afterAll(() => workshop.close());

const packedDamages: Damage[] = [
  ...dataDamages,
  {
    title: 'data of a later run under the name of this one',
    does: (set) => set.write(set.data[0], other.bytes(other.data[0])),
    ends: (set) => (set.json(set.sidecars[0]).storedBytes === set.bytes(set.data[0]).length ? digest : size),
    names: data0,
  },
  {
    title: 'a packed file that grows a thousandfold, of the right size',
    does(set) {
      const bytes = Buffer.alloc(set.bytes(set.data[0]).length);
      gzipSync(Buffer.alloc(bytes.length * 500)).copy(bytes);
      set.write(set.data[0], bytes);
    },
    ends: digest,
    names: data0,
  },
  {
    title: 'a link to other data in place of a data file',
    does(set) {
      const elsewhere = `${set.folder}-elsewhere`;
      writeFileSync(elsewhere, Buffer.alloc(set.bytes(set.data[0]).length, 'x'));
      set.remove(set.data[0]);
      symlinkSync(elsewhere, set.at(set.data[0]));
    },
    ends: digest,
    names: data0,
  },

  { title: 'a sidecar cut off', does: (set) => set.truncate(set.sidecars[0], 8), ends: forged, names: sidecar0 },
  { title: 'an empty sidecar', does: (set) => set.write(set.sidecars[0], ''), ends: forged, names: sidecar0 },
  { title: 'a sidecar that is no JSON', does: (set) => set.write(set.sidecars[1], 'to be done'), ends: forged, names: sidecar1 },
  { title: 'a missing sidecar', does: (set) => set.remove(set.sidecars[1]), ends: missing, names: sidecar1, isVerified: true },
  {
    title: 'the sidecar of the other file',
    does: (set) => set.write(set.sidecars[0], set.bytes(set.sidecars[1])),
    ends: forged,
    names: sidecar0,
  },
  {
    title: 'a sidecar with another number of rows',
    does: (set) => set.edit(set.sidecars[0], (one) => ({ ...one, rows: 1 })),
    ends: forged,
    names: sidecar0,
  },
  {
    title: 'a sidecar with another digest',
    does: (set) => set.edit(set.sidecars[0], (one) => ({ ...one, sha256: sha256(Buffer.from('x')) })),
    ends: forged,
    names: sidecar0,
  },
  {
    title: 'data and sidecar both changed to fit each other',
    does(set) {
      set.flip(set.data[0], 0.5);
      set.edit(set.sidecars[0], (one) => ({ ...one, sha256: sha256(set.bytes(set.data[0])) }));
    },
    ends: forged,
    names: sidecar0,
  },
  {
    title: 'a number of rows that is wrong in sidecar and manifest alike',
    does(set) {
      set.edit(set.sidecars[1], (one) => ({ ...one, rows: 999 }));
      set.rehashSidecar(1);
      set.rehashManifest();
    },
    ends: ['ROWS_DIFFER', 6],
    names: data1,
  },
  {
    title: 'a sidecar that its manifest names, and that is of another file',
    does(set) {
      set.edit(set.sidecars[1], (one) => ({ ...one, file: set.data[0] }));
      set.rehashSidecar(1);
      set.rehashManifest();
    },
    ends: stale,
    names: sidecar1,
  },

  { title: 'a manifest cut off', does: (set) => set.truncate(set.manifest, 8), ends: forged, names: manifest, isVerified: true },
  { title: 'an empty manifest', does: (set) => set.write(set.manifest, ''), ends: forged, names: manifest },
  { title: 'a missing manifest', does: (set) => set.remove(set.manifest), ends: missing, names: manifest },
  {
    title: 'an edited manifest',
    does: (set) => set.edit(set.manifest, (one) => ({ ...one, rows: 1 })),
    ends: forged,
    names: manifest,
  },
  {
    title: 'the manifest of another run under the name of this one',
    does: (set) => set.write(set.manifest, other.bytes(other.manifest)),
    ends: forged,
    names: manifest,
  },
  {
    title: 'the manifest of another run, which _SUCCESS names',
    does(set) {
      set.write(set.manifest, other.bytes(other.manifest));
      set.rehashManifest();
    },
    ends: forged,
    names: manifest,
  },
  {
    title: 'a file taken off the list',
    does: (set) => set.editFiles((files) => files.slice(1)),
    ends: forged,
    names: manifest,
  },
  {
    title: 'a file taken off the list of a manifest that _SUCCESS names',
    does(set) {
      set.editFiles((files) => files.slice(1));
      set.rehashManifest();
    },
    ends: unlisted,
    names: data0,
  },
  {
    title: 'a file on the list with a path that leads out of the folder',
    does(set) {
      set.editFiles(([first, ...rest]) => [{ ...first, file: `../${set.data[0]}` }, ...rest]);
      set.rehashManifest();
    },
    ends: forged,
    names: manifest,
    isVerified: true,
  },
  {
    title: 'a manifest that _SUCCESS names, and that is no manifest',
    does(set) {
      set.write(set.manifest, '{"format": "dray-set/1"}');
      set.rehashManifest();
    },
    ends: forged,
    names: manifest,
  },

  { title: 'no _SUCCESS', does: (set) => set.remove('_SUCCESS'), ends: notReady, names: mark },
  { title: 'an empty _SUCCESS beside a manifest', does: (set) => set.write('_SUCCESS', ''), ends: forged, names: mark },
  { title: 'a _SUCCESS cut off', does: (set) => set.truncate('_SUCCESS', 10), ends: forged, names: mark, isVerified: true },
  { title: 'a _SUCCESS of another kind', does: (set) => set.edit('_SUCCESS', () => ({ sets: {} })), ends: forged, names: mark },
  {
    title: 'a _SUCCESS with another hash',
    does: (set) => set.editMark((entry) => ({ ...entry, sha256: sha256(Buffer.from('x')) })),
    ends: forged,
    names: manifest,
  },
  {
    title: 'a _SUCCESS that names a manifest outside the folder',
    does: (set) => set.editMark((entry) => ({ ...entry, manifest: `../${set.manifest}` })),
    ends: forged,
    names: mark,
  },
  {
    title: 'a _SUCCESS that names a run that is not there',
    does: (set) => set.editMark((entry) => ({ ...entry, manifest: other.manifest, run: other.run })),
    ends: missing,
    names: () => other.manifest,
  },

  { title: 'a missing data file', does: (set) => set.remove(set.data[0]), ends: missing, names: data0, isVerified: true },
  { title: 'a missing data file and its sidecar', does: (set) => set.remove(set.data[1], set.sidecars[1]), ends: missing, names: data1 },
  { title: 'all data files missing', does: (set) => set.remove(...set.data, ...set.sidecars), ends: missing, names: data0 },
  {
    title: 'one more file of the same run',
    does(set) {
      const name = set.data[0].replace('_0000.', '_0002.');
      set.write(name, set.bytes(set.data[0]));
      set.edit(set.sidecars[0], (one) => one);
      set.write(`${name}.meta.json`, { ...set.json(set.sidecars[0]), file: name, task: 2 });
    },
    ends: unlisted,
    names: (set) => set.data[0].replace('_0000.', '_0002.'),
    isVerified: true,
  },
  {
    title: 'somebody else’s file, with nothing beside it',
    does: (set) => set.write('more.csv', '1,x\n'),
    ends: missing,
    names: () => 'more.csv',
  },
  {
    title: 'an unsigned set where it must be signed',
    does: () => undefined,
    ends: signature,
    names: manifest,
    reads: { signatureKey: sealedWith.signatureKey },
  },
];

async function isRefused(set: MadeSet, { does, ends, names, reads = {}, isVerified }: Damage): Promise<void> {
  does(set);
  const [code, exitCode] = typeof ends === 'function' ? ends(set) : ends;
  const result = await workshop.load(set.folder, reads);
  expectFault(result, { code, exitCode });
  const { message, place } = result.report!.error!;
  expect(`${message} ${place}`).toContain(names(set));
  expect(result.report!.rows.written).toBe(0);
  expect(result.written).toEqual([]);
  if (isVerified !== true) return;
  const options = Object.entries(reads).flatMap(([key, value]) => ['-o', `${key}=${String(value)}`]);
  const verified = await workshop.dray(['files', 'verify', set.folder, '--json', ...options]);
  expect(verified.exitCode).toBe(exitCode);
  expect(JSON.parse(verified.stdout)).toMatchObject({ isGenuine: false, error: { code, message, place } });
}

describe.concurrent('of a packed set that is damaged, nothing is loaded:', () => {
  test.each(packedDamages)('$title', (damage) => isRefused(workshop.copyOf(packed), damage));
});

describe.concurrent('of an encrypted and signed set that is damaged, nothing is loaded:', () => {
  test.each(sealedDamages)('$title', (damage) => isRefused(workshop.copyOf(sealed), damage));
});

describe.concurrent('where only sidecars stand beside the files, nothing is loaded of', () => {
  const reads = { ready: 'ignore' };
  const alone: Damage[] = [
    { title: 'a cut file', does: (set) => set.truncate(set.data[1], 9), ends: size, names: data1 },
    { title: 'a changed file', does: (set) => set.flip(set.data[1], 0.3), ends: digest, names: data1 },
    {
      title: 'a file with the sidecar of another',
      does: (set) => set.write(set.sidecars[0], set.bytes(set.sidecars[1])),
      ends: stale,
      names: sidecar0,
    },
    { title: 'a file with a sidecar cut off', does: (set) => set.truncate(set.sidecars[0], 12), ends: forged, names: sidecar0 },
    { title: 'a file without a sidecar', does: (set) => set.remove(set.sidecars[0]), ends: missing, names: data0 },
    {
      title: 'a file with a wrong digest in its sidecar',
      does: (set) => set.edit(set.sidecars[0], (one) => ({ ...one, sha256: 'ab'.repeat(32) })),
      ends: digest,
      names: data0,
    },
    {
      title: 'a file with a wrong number of rows in its sidecar',
      does: (set) => set.edit(set.sidecars[1], (one) => ({ ...one, rows: 1001 })),
      ends: ['ROWS_DIFFER', 6],
      names: data1,
    },
  ];
  test.each(alone)('$title', async (damage) => {
    const set = workshop.copyOf(packed);
    set.remove('_SUCCESS', set.manifest);
    await isRefused(set, { ...damage, reads });
  });
});

describe.concurrent('a set that is as it was made', () => {
  test('is loaded', async () => {
    const result = await workshop.load(packed.folder);
    expect(result).toMatchObject({ exitCode: 0, report: { rows: { written: rowsPerSet } } });
  });

  test('is loaded with its keys', async () => {
    const result = await workshop.load(sealed.folder, sealedWith);
    expect(result).toMatchObject({ exitCode: 0, report: { rows: { written: rowsPerSet } } });
  });

  test('is loaded where a data file is a link to the same bytes', async () => {
    const set = workshop.copyOf(packed);
    set.remove(set.data[1]);
    symlinkSync(packed.at(packed.data[1]), set.at(set.data[1]));
    const result = await workshop.load(set.folder);
    expect(result).toMatchObject({ exitCode: 0, report: { rows: { written: rowsPerSet } } });
  });

  test('is whole and genuine for `dray files verify`', async () => {
    const { exitCode, stdout } = await workshop.dray(['files', 'verify', packed.folder, '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ isGenuine: true, files: [{ rows: rowsPerSet / 2 }, { rows: rowsPerSet / 2 }] });
  });
});

describe.concurrent('a missing data file is noticed', () => {
  test.each([
    { how: 'in a folder that is named from the working folder', path: 'set' },
    { how: 'in a folder below the one that is named', path: '.' },
    { how: 'where a pattern means the whole folder', path: 'set/*' },
  ])('$how', async ({ path }) => {
    const set = workshop.copyOf(packed);
    set.remove(set.data[1], set.sidecars[1]);
    const result = await workshop.load(path, {}, `${set.folder}/..`);
    expectFault(result, { code: 'FILE_MISSING', exitCode: 6, says: set.data[1] });
    expect(result.written).toEqual([]);
  });
});

test('digests that another program has put beside a file are no data', async () => {
  const folder = workshop.newFolder();
  writeFileSync(`${folder}/a.csv`, '1,x\n2,y\n');
  writeFileSync(`${folder}/a.csv.sha256`, `${sha256(Buffer.from('1,x\n2,y\n'))}  a.csv\n`);
  const result = await workshop.load(folder, { ready: 'ignore' });
  expect(result).toMatchObject({ exitCode: 0, report: { rows: { written: 2 } } });
});
