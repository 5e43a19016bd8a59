import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordBatch } from '../../../../core/sdk/index.ts';
import { addMurmur3 } from '../../../../plugins/_files/codecs/murmur3.ts';
import { RowDigest } from '../../../../plugins/_files/codecs/row-digest.ts';
import { textSchema } from '../../../support/arbitraries.ts';

const lines = fc.array(
  fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll(/[\n\t\\]/g, ' ')),
  { maxLength: 30 },
);

function batchOf(rows: readonly string[]): RecordBatch {
  return new RecordBatch(textSchema(1), Buffer.from(rows.map((row) => `${row}\n`).join('')), rows.length);
}

function digestOf(...batches: (readonly string[])[]): string {
  const digest = new RowDigest();
  for (const rows of batches) digest.add(batchOf(rows));
  return digest.toString();
}

/** The four words of the hash of one text. */
function hashOf(bytes: Buffer, seed: number): Buffer {
  const sums = new Float64Array(4);
  addMurmur3(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, seed, sums);
  const result = Buffer.alloc(16);
  for (const [at, word] of sums.entries()) result.writeUInt32LE(word, at * 4);
  return result;
}

describe('the digest of rows', () => {
  test('does not depend on their order, nor on how they are put into batches', () => {
    fc.assert(
      fc.property(
        lines.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }), fc.nat(rows.length))),
        ([rows, shuffled, border]) => {
          expect(digestOf(shuffled.slice(0, border), [], shuffled.slice(border))).toBe(digestOf(rows));
        },
      ),
    );
  });

  test('is the sum of the digests of its parts', () => {
    fc.assert(
      fc.property(lines, lines, (some, others) => {
        const sum = RowDigest.parse(digestOf(some));
        sum.merge(RowDigest.parse(digestOf(others)));
        expect(sum.toString()).toBe(digestOf([...some, ...others]));
      }),
    );
  });

  test('is another one when a row is changed, lost, or there once more', () => {
    fc.assert(
      fc.property(lines, fc.nat(), fc.string({ maxLength: 20 }), (rows, at, text) => {
        fc.pre(rows.length > 0 && !/[\n\t\\]/.test(text));
        const row = at % rows.length;
        const others = [rows.toSpliced(row, 1), [...rows, rows[row]!], ...(rows[row] === text ? [] : [rows.with(row, text)])];
        for (const other of others) expect(digestOf(other)).not.toBe(digestOf(rows));
      }),
    );
  });

  test('tells rows whose cells changed places, and NULL from an empty text', () => {
    const rows = ['a\tb', 'b\ta', 'a\t\\N', 'a\t', '\ta', 'ab\t'];
    expect(new Set(rows.map((row) => digestOf([row]))).size).toBe(rows.length);
    expect(digestOf(['a\tx', 'b\ty'])).not.toBe(digestOf(['a\ty', 'b\tx']));
  });

  test('of no rows is zero, and two empty rows are not none', () => {
    expect(digestOf()).toBe('0'.repeat(32));
    expect(digestOf([''])).not.toBe('0'.repeat(32));
    expect(digestOf(['', ''])).not.toBe(digestOf(['']));
  });

  test('stays exact beyond 32 bits of each word', () => {
    const rows = Array.from({ length: 5000 }, (_, at) => `row ${at}`);
    const sum = rows.reduce((total, row) => total + BigInt(`0x${digestOf([row])}`), 0n);
    expect(BigInt(`0x${digestOf(rows)}`)).toBe(BigInt.asUintN(128, sum));
  });

  test('wraps around at 128 bits', () => {
    const digest = RowDigest.parse('f'.repeat(32));
    digest.merge(RowDigest.parse(`${'0'.repeat(31)}2`));
    expect(digest.toString()).toBe(`${'0'.repeat(31)}1`);
  });

  test('stays what it is: a change would make sidecars wrong that were written before', () => {
    expect(digestOf(['1\tAna\t12.50', '2\t\\N\t0.00'])).toBe('6972a0a6c8bb34b578259a3fc9b0f0ac');
  });

  test.each(['', 'abc', 'g'.repeat(32), 'A'.repeat(32), '0'.repeat(33)])('is not read from %j', (text) => {
    expect(() => RowDigest.parse(text)).toThrow(expect.objectContaining({ code: 'FILE_FORGED' }));
  });
});

test('the hash of a row is MurmurHash3_x86_128, by the check value of SMHasher', () => {
  const keys = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const hashes = Array.from({ length: 256 }, (_, length) => hashOf(keys.subarray(0, length), 256 - length));
  expect(hashOf(Buffer.concat(hashes), 0).readUInt32LE(0)).toBe(0xb3ece62a);
});

test('the hash does not depend on where in memory the row is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(20), (bytes, shift) => {
      const moved = Buffer.concat([Buffer.alloc(shift, 7), bytes, Buffer.alloc(20, 9)]).subarray(shift, shift + bytes.length);
      expect(hashOf(moved, 5)).toEqual(hashOf(Buffer.from(bytes), 5));
    }),
  );
});
