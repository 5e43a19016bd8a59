import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Split } from '../../../core/sdk/index.ts';
import { bytesOf, costOf, piecesOf, splitBytesAt, splitSizes } from '../../../core/splitter/size.ts';

const MiB = 1 << 20;

interface Facts {
  readonly channels?: number;
  readonly splitBytes?: number;
}

/** Into how many pieces a table that is alone is cut. */
function piecesOfTable(part: Omit<Split, 'name'>, { channels = 1, splitBytes = splitBytesAt(undefined) }: Facts = {}): number {
  const table = { name: 'orders', ...part };
  return piecesOf(table, splitSizes([table], { channels, splitBytes }));
}

test.each([
  ['64 MiB where nobody has measured these systems', undefined, 64],
  ['what a thread moves in two seconds', 40 * MiB, 80],
  ['64 MiB where that takes up to a minute', 2 * MiB, 64],
  ['what a thread moves in a minute where they are slow', MiB / 2, 30],
  ['no less than 4 MiB, however slow they are', 1000, 4],
  ['no more than 256 MiB, however fast they are', 10_000 * MiB, 256],
])('a task is meant to read %s', (_, bytesPerSecond, mebibytes) => {
  expect(splitBytesAt(bytesPerSecond)).toBe(mebibytes * MiB);
});

test.each([
  ['one channel cuts by bytes alone', 640, { channels: 1 }, 11],
  ['one channel leaves a table of up to 64 MiB whole', 63, { channels: 1 }, 1],
  ['two channels get four splits each, however few bytes that makes', 100, { channels: 2 }, 8],
  ['eight channels get four splits each', 1024, { channels: 8 }, 32],
  ['where bytes call for more than that, they decide', 6400, { channels: 2 }, 101],
  ['the job file can ask for smaller splits', 100, { channels: 1, splitBytes: 10 * MiB }, 11],
  ['the job file can ask for bigger splits, and channels still all get work', 100, { channels: 4, splitBytes: 1024 * MiB }, 16],
  ['a huge table is cut into 1,000 and not more', 1_000_000, { channels: 2 }, 1000],
  ['a huge table with tiny splits is cut into 1,000 and not more', 100_000, { channels: 64, splitBytes: MiB }, 1000],
])('%s', (_, size, facts, pieces) => {
  expect(piecesOfTable({ estimatedRows: size * 10_000, estimatedBytes: size * MiB }, facts)).toBe(pieces);
});

describe('a small table', () => {
  test.each([
    ['of 39,999 rows and less than 8 MiB is read as a whole', 39_999, 8 * MiB - 1, 1],
    ['is cut in two from 40,000 rows on, however short they are', 40_000, 8 * MiB - 1, 2],
    ['is cut in two from 8 MiB on, however few rows that is', 100, 8 * MiB, 2],
    ['is cut into no more pieces than have 20,000 rows each', 130_000, 9 * MiB, 6],
    ['is cut into no more pieces than have 4 MiB each', 10, 21 * MiB, 5],
  ])('%s', (_, estimatedRows, estimatedBytes, pieces) => {
    expect(piecesOfTable({ estimatedRows, estimatedBytes }, { channels: 2 })).toBe(pieces);
  });

  test('of narrow rows is not cut below 1 MiB per task', () => {
    expect(piecesOfTable({ estimatedRows: 1_000_000, estimatedBytes: 3 * MiB }, { channels: 8 })).toBe(3);
  });
});

describe('what does not say how big it is', () => {
  test('is cut four times per channel', () => {
    expect(piecesOfTable({}, { channels: 3 })).toBe(12);
    expect(piecesOfTable({}, { channels: 500 })).toBe(1000);
  });

  test('is read as a whole by one channel', () => {
    expect(piecesOfTable({}, { channels: 1 })).toBe(1);
  });

  test('but says its rows, is thought to have 100 bytes in each', () => {
    expect(bytesOf({ name: 'orders', estimatedRows: 1000 })).toBe(100_000);
    expect(bytesOf({ name: 'orders', estimatedRows: 1000, estimatedBytes: 5 })).toBe(5);
    expect(bytesOf({ name: 'orders' })).toBeUndefined();
  });

  test('does not count where the others are measured', () => {
    const big = { name: 'big', estimatedBytes: 640 * MiB };
    const facts = { channels: 1, splitBytes: splitBytesAt(undefined) };
    expect(splitSizes([big, { name: 'unknown' }], facts)).toEqual(splitSizes([big], facts));
  });
});

test('opening a table costs as much as reading 128 KiB of it', () => {
  expect(costOf({ name: 'empty', estimatedBytes: 0 })).toBe(128 << 10);
  expect(costOf({ name: 'unknown' })).toBeUndefined();
});

const anySize = fc.record({ estimatedRows: fc.integer({ min: 0, max: 1e9 }), estimatedBytes: fc.integer({ min: 0, max: 1e13 }) });
const anyFacts = fc.record({ channels: fc.integer({ min: 1, max: 64 }), splitBytes: fc.integer({ min: MiB, max: 1024 * MiB }) });

test('a table alone is cut into 1 to 1,000 pieces, and never so small that they are not worth a task', () => {
  fc.assert(
    fc.property(anySize, anyFacts, (size, facts) => {
      const pieces = piecesOfTable(size, facts);
      expect(pieces).toBeGreaterThanOrEqual(1);
      expect(pieces).toBeLessThanOrEqual(1000);
      if (pieces > 1)
        expect(Math.max(size.estimatedRows / pieces / 20_000, size.estimatedBytes / pieces / (4 * MiB))).toBeGreaterThanOrEqual(1);
    }),
  );
});

test('tables are cut in proportion to their sizes, the bigger one never into fewer pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 2, maxLength: 20 }), anyFacts, (sizes, facts) => {
      const tables = sizes.map((estimatedBytes, index): Split => ({ name: `t${index}`, estimatedBytes }));
      const wanted = splitSizes(tables, facts);
      const bySize = tables.toSorted((one, other) => one.estimatedBytes! - other.estimatedBytes!).map((table) => piecesOf(table, wanted));
      expect(bySize).toEqual(bySize.toSorted((one, other) => one - other));
      // Rounding adds at most half a piece to a table that is cut at all.
      expect(bySize.reduce((sum, pieces) => sum + (pieces > 1 ? pieces : 0), 0)).toBeLessThanOrEqual(1000 + sizes.length / 2);
    }),
  );
});
