import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRuns } from '../../../../../plugins/_files/formats/parquet/bit-runs.ts';

interface Run {
  readonly value: bigint;
  readonly count: number;
}

/** Values in runs as the format describes them: equal ones, and groups of 8 packed bit by bit. */
function packed(runs: readonly (Run | readonly bigint[])[], width: number): Buffer {
  const parts = runs.map((run) => {
    if ('count' in run) return Buffer.concat([varint(run.count * 2), bytesOf(run.value, Math.ceil(width / 8))]);
    const groups = Math.ceil(run.length / 8);
    const bits = run.reduce((all, value, index) => all | (value << BigInt(index * width)), 0n);
    return Buffer.concat([varint(groups * 2 + 1), bytesOf(bits, groups * width)]);
  });
  return Buffer.concat(parts);
}

function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn)));
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >>> 7)]);
}

const read = (bytes: Buffer, width: number, count: number) => {
  const values = new Uint32Array(count);
  // Something stands on both sides, as in a page.
  readRuns(Buffer.concat([Buffer.from('x'), bytes, Buffer.from('yyyy')]), 1, 1 + bytes.length, width, values);
  return Array.from(values);
};

describe('runs of values', () => {
  test('are read back, of every width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 32 }).chain((width) => {
          const value = fc.bigInt({ min: 0n, max: 2n ** BigInt(width) - 1n });
          const run = fc.record({ value, count: fc.integer({ min: 1, max: 300 }) });
          const group = fc
            .array(value, { minLength: 8, maxLength: 24 })
            .map((values) => values.slice(0, values.length - (values.length % 8)));
          return fc.tuple(fc.constant(width), fc.array(fc.oneof(run, group), { minLength: 1, maxLength: 5 }), fc.nat({ max: 7 }));
        }),
        ([width, runs, cut]) => {
          const all = runs.flatMap((run) =>
            'count' in run ? Array.from({ length: run.count }, () => Number(run.value)) : run.map(Number),
          );
          // A page may end within the last group.
          const expected = all.slice(0, Math.max(1, all.length - cut));
          expect(read(packed(runs, width), width, expected.length)).toEqual(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a length that does not end', Buffer.from([0x80, 0x80])],
    ['an endless length', Buffer.alloc(20, 0x80)],
    ['a run without a value', Buffer.from([0x10])],
    ['a group that is cut off', Buffer.from([0x03, 0x01, 0x02])],
    ['too few values', Buffer.from([0x04, 0x01])],
    ['nothing but empty runs', Buffer.from([0, 1, 0, 1, 0, 1])],
  ])('of %s are refused', (_, bytes) => {
    expect(() => read(bytes, 3, 8)).toThrow(/run of values/);
  });

  test('that say they are longer than the page end with it', () => {
    expect(read(Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 0x05]), 3, 4)).toEqual([5, 5, 5, 5]);
  });
});
