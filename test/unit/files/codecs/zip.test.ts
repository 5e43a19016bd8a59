import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { DrayError } from 'dray/sdk';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../../../plugins/_files/codecs/crc32.ts';
import { zip } from '../../../../plugins/_files/codecs/zip.ts';
import { requirePackers, zipOf, zipOfPipe } from '../../../support/packers.ts';
import { chunkSizes, contents, file, flipped, outcome, stream, textOf, unpack } from './streams.ts';

const codec = zip();
const lines = (name: string, count: number) => Array.from({ length: count }, (_, row) => `${row},${name}\n`).join('');

beforeAll(requirePackers);

const refused = (sentence: RegExp) => expect.objectContaining({ code: 'FILE_BROKEN', message: expect.stringMatching(sentence) });

describe('what zip has packed comes back', () => {
  test.each<[string, readonly string[]]>([
    ['deflated', []],
    ['deflated best', ['-9']],
    ['stored', ['-0']],
    ['with sizes of eight bytes', ['-fz']],
    ['with a comment', ['-z']],
  ])('%s', async (_, options) => {
    for (const plain of [Buffer.from(''), Buffer.from('a\n'), textOf(500_000), randomBytes(300_000)]) {
      expect((await unpack(codec, zipOf({ 'a.csv': plain }, ...options))).equals(plain)).toBe(true);
    }
  });

  test('through a pipe, where sizes stand behind the bytes', async () => {
    for (const plain of [Buffer.from(''), textOf(500_000), randomBytes(300_000)]) {
      expect((await unpack(codec, zipOfPipe(plain))).equals(plain)).toBe(true);
    }
  });

  test('however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkSizes, async (bytes, sizes) => {
        expect((await unpack(codec, zipOf({ a: bytes }), sizes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('all files of it one after the other, folders and empty ones between them', async () => {
    const files = { 'b.csv': lines('b', 3000), 'sub/': '', 'empty.csv': '', 'sub/a.csv': lines('a', 2), 'c.csv': 'without a line end' };
    const expected = Object.values(files).join('');
    for (const options of [[], ['-0']]) expect((await unpack(codec, zipOf(files, ...options), [777])).toString()).toBe(expected);
  });

  test('but not where the last row of a file and the first of the next would become one', async () => {
    const found = await outcome(codec, zipOf({ 'a.csv': '1,a\n2,b', 'b.csv': '3,c\n' }));
    expect(found).toEqual(refused(/has a\.csv without a line end behind its last row, and more behind it: two rows would become one/));
  });
});

/** Forms of zip's descriptor that writers leave to taste: with or without a signature, sizes of four bytes or eight. */
function streamed(plain: Buffer, { isSigned, size }: { isSigned: boolean; size: 4 | 8 }): Buffer {
  const packed = deflateRawSync(plain);
  const number = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(BigInt(value));
    return buffer.subarray(0, bytes);
  };
  const name = Buffer.from('a.csv');
  const [crc, sizes] = [number(crc32(plain), 4), [number(packed.length, 4), number(plain.length, 4)]];
  const facts = [number(8, 2), number(8, 2), number(0, 4)];
  const entry = [
    number(0x04034b50, 4),
    number(20, 2),
    ...facts,
    number(0, 12 - 4),
    number(0, 4),
    number(name.length, 2),
    number(0, 2),
    name,
  ];
  const descriptor = [...(isSigned ? [number(0x08074b50, 4)] : []), crc, number(packed.length, size), number(plain.length, size)];
  const record = [
    number(0x02014b50, 4),
    number(20, 2),
    number(20, 2),
    ...facts,
    crc,
    ...sizes,
    number(name.length, 2),
    number(0, 8),
    number(0, 8),
  ];
  const directory = Buffer.concat([...record, name]);
  const before = Buffer.concat([...entry, packed, ...descriptor]);
  const end = [
    number(0x06054b50, 4),
    number(0, 4),
    number(1, 2),
    number(1, 2),
    number(directory.length, 4),
    number(before.length, 4),
    number(0, 2),
  ];
  return Buffer.concat([before, directory, ...end]);
}

test.each([
  { isSigned: true, size: 4 },
  { isSigned: false, size: 4 },
  { isSigned: true, size: 8 },
  { isSigned: false, size: 8 },
] as const)('sizes behind the bytes are understood in every form: %j', async (form) => {
  const plain = textOf(100_000);
  for (const sizes of [[1], [65_536], [1_000_000]]) expect((await unpack(codec, streamed(plain, form), sizes)).equals(plain)).toBe(true);
});

describe('what is not whole is an error', () => {
  test.each<[string, () => Buffer]>([
    ['deflated', () => zipOf({ 'a.csv': lines('a', 50), 'b.csv': lines('b', 5) })],
    ['stored', () => zipOf({ 'a.csv': lines('a', 50) }, '-0')],
    ['through a pipe', () => zipOfPipe(Buffer.from(lines('a', 50)))],
  ])('wherever it is cut off: %s', async (_, make) => {
    const bytes = make();
    for (let length = 0; length < bytes.length; length++) {
      expect(await outcome(codec, bytes.subarray(0, length))).toEqual(refused(/is cut off|does not begin like a zip archive/));
    }
  });

  test.each<[string, () => Buffer]>([
    ['deflated', () => zipOf({ 'a.csv': lines('a', 50), 'b.csv': lines('b', 5) })],
    ['stored', () => zipOf({ 'a.csv': lines('a', 50) }, '-0')],
    ['through a pipe', () => zipOfPipe(Buffer.from(lines('a', 50)))],
  ])('whichever byte is changed, or the same comes out: %s', async (_, make) => {
    const bytes = make();
    const plain = await unpack(codec, bytes);
    for (let at = 0; at < bytes.length; at++) {
      for (const by of [1, 0x80, 0xff]) {
        const found = await outcome(codec, flipped(bytes, at, by));
        // Times, rights and versions may be what they like.
        if (Buffer.isBuffer(found)) expect({ at, by, isSame: found.equals(plain) }).toEqual({ at, by, isSame: true });
        else expect(found).toEqual(refused(/./));
      }
    }
  });

  test('a checksum that is another, with the name of the file', async () => {
    const bytes = zipOf({ 'a.csv': lines('a', 50) }, '-0');
    const [crcAt, byteAt] = [14, bytes.indexOf('7,a\n')];
    for (const at of [crcAt, byteAt]) {
      expect(await outcome(codec, flipped(bytes, at))).toEqual(refused(/the checksum or the length of a\.csv is wrong/));
    }
  });

  test('entries that the directory does not know, or that are gone', async () => {
    const bytes = zipOf({ 'a.csv': lines('a', 5), 'b.csv': lines('b', 5) });
    const [alone, other] = [zipOf({ 'a.csv': lines('a', 5) }), zipOf({ 'b.csv': lines('b', 5) })];
    const directoryAt = (archive: Buffer) => archive.indexOf(Buffer.from('PK\u0001\u0002'));
    const mixed = (from: Buffer, to: Buffer) => Buffer.concat([from.subarray(0, directoryAt(from)), to.subarray(directoryAt(to))]);
    expect(await outcome(codec, mixed(bytes, alone))).toEqual(refused(/it has files that are not in its directory/));
    expect(await outcome(codec, mixed(alone, bytes))).toEqual(refused(/its directory has b\.csv, of which there is nothing/));
    expect(await outcome(codec, mixed(alone, other))).toEqual(refused(/its directory has b\.csv, of which there is nothing/));
  });

  test('or goes on with something else, or is something else', async () => {
    const bytes = zipOf({ a: 'a\n' });
    expect(await outcome(codec, Buffer.concat([bytes, Buffer.from('x')]))).toEqual(refused(/goes on behind the end of its zip data/));
    expect(await outcome(codec, Buffer.concat([bytes, bytes]))).toEqual(refused(/goes on behind the end of its zip data/));
    expect(await outcome(codec, Buffer.from('id,name\n'))).toEqual(refused(/does not begin like a zip archive/));
  });

  test('a password', async () => {
    expect(await outcome(codec, zipOf({ 'a.csv': lines('a', 5) }, '-P', 'secret'))).toEqual(
      refused(/has a\.csv encrypted with a password: unpack it first/),
    );
  });

  test('another method than those two', async () => {
    const bytes = Buffer.from(zipOf({ 'a.csv': lines('a', 5) }));
    bytes.writeUInt16LE(12, 8);
    expect(await outcome(codec, bytes)).toEqual(refused(/has a\.csv packed with method 12, and not deflated: unpack it first/));
  });

  test('a small file that unpacks to more than is expected', async () => {
    const bomb = zipOf({ a: Buffer.alloc(50_000_000) });
    expect(bomb.length).toBeLessThan(100_000);
    const found = await unpack(codec, bomb, undefined, 1_000_000).catch((error: DrayError) => error);
    expect(found).toEqual(refused(/unpacks to more than the 1000000 bytes that are expected/));
  });
});

test('who stops listening closes the source', async () => {
  let isClosed = false;
  const bytes = zipOf({ a: randomBytes(1_000_000) });
  async function* source() {
    try {
      yield* stream(bytes, [10_000]);
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of codec.reader(source(), file)) break;
  expect(isClosed).toBe(true);
});
