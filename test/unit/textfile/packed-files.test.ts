import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import textReader from '../../../plugins/textfile/reader.ts';
import textWriter from '../../../plugins/textfile/writer.ts';
import { bzip2Of, requirePackers, zipOf } from '../../support/packers.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { contextOf, readFiles } from './files.ts';

beforeAll(requirePackers);

function fileWith(name: string, bytes: Uint8Array): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

const text = 'id,name\n1,a\n2,"b, with\na line end"\n';
/** Too much for one task, also when it is packed. */
const noise = Buffer.from(
  randomBytes(9_000_000)
    .toString('hex')
    .replaceAll(/.{100}/g, '$&\n'),
);
const rows = [
  ['1', 'a'],
  ['2', 'b, with\na line end'],
];

test.each<[string, string, () => Buffer]>([
  ['bzip2', 'bz2', () => bzip2Of(Buffer.from(text))],
  ['zip', 'zip', () => zipOf({ 'a.csv': text })],
])('files packed with %s are read, as the name or the job says', async (compress, ending, make) => {
  const packed = make();
  for (const path of [fileWith(`a.csv.${ending}`, packed), fileWith(`A.${ending.toUpperCase()}`, packed)]) {
    expect((await readFiles({ path, skipHeader: true })).rows).toEqual(rows);
  }
  const unnamed = fileWith('a.csv', packed);
  expect(await readFiles({ path: unnamed, compress: compress.toUpperCase(), skipHeader: 'true' })).toMatchObject({
    names: ['id', 'name'],
    rows,
  });
  expect((await readFiles({ path: fileWith(`plain.${ending}`, Buffer.from('plain\n')), compress: 'none' })).rows).toEqual([['plain']]);
});

test('of an archive with several files the rows come one file after the other, and one header is skipped', async () => {
  const path = fileWith('all.zip', zipOf({ 'b.csv': 'id\n1\n', 'sub/': '', 'sub/a.csv': 'id\n2\n' }));
  expect((await readFiles({ path, skipHeader: true })).rows).toEqual([['1'], ['id'], ['2']]);
});

test.each([
  ['big.bz2', () => bzip2Of(noise)],
  ['big.zip', () => zipOf({ a: noise }, '-0')],
])('%s is read as a whole, by one task', async (name, make) => {
  const path = fileWith(name, make());
  const one = await textReader.open(textReader.options.parse({ path }), contextOf());
  await one.schema();
  const parts = await one.split?.({ channels: 4, bytesPerTask: (total) => total / 16 });
  expect(parts).toMatchObject([{ name: path, why: 'as it is packed it can be read from its start only' }]);
});

test.each([
  ['bzip2', 'BZIP2', (): Buffer => bzip2Of(Buffer.from('1,a\n'.repeat(20_000)))],
  ['zip', 'zip', (): Buffer => zipOf({ 'a.csv': '1,a\n'.repeat(20_000) })],
])('a damaged file of %s is an error with its name', async (_, compress, make) => {
  const packed = make();
  packed[packed.length >> 1]! ^= 0x10;
  await expect(readFiles({ path: fileWith('a.csv', packed), compress })).rejects.toMatchObject({
    code: 'FILE_BROKEN',
    message: expect.stringContaining('a.csv'),
  });
});

test.each(['bzip2', 'ZIP'])('%s is not written, and the job file is told what is', (compress) => {
  const { error } = textWriter.options.safeParse({ path: 'p', fileName: 'f', writeMode: 'append', compress });
  expect(error?.issues[0]).toMatchObject({
    path: ['compress'],
    message: expect.stringMatching(new RegExp(`^Expected none, gzip or zstd: ${compress} files are read, and not written`, 'i')),
  });
});
