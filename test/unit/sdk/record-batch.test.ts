import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, type Cell, RecordBatch } from '../../../core/sdk/index.ts';
import { anyRows, textSchema } from '../../support/arbitraries.ts';

const limits = { maxBytes: 1 << 20, maxRows: 1000 };

function packed(rows: readonly Cell[][]): RecordBatch {
  const builder = new BatchBuilder(textSchema(rows[0]!.length), limits);
  for (const row of rows) builder.push(row);
  return builder.take()!;
}

test('rows of any cells come back as they were pushed', () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      expect([...packed(rows).rows()]).toEqual(rows);
    }),
  );
});

test('single cells, NULLs and positions agree with the rows', () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      const batch = packed(rows);
      rows.forEach((row, r) => {
        row.forEach((cell, c) => {
          expect(batch.cell(r, c)).toBe(cell);
          expect(batch.isNull(r, c)).toBe(cell === null);
          expect(batch.cellEnd(r, c)).toBeGreaterThanOrEqual(batch.cellStart(r, c));
        });
      });
    }),
  );
});

test('any slice holds exactly its rows, and slices laid end to end are the batch', () => {
  fc.assert(
    fc.property(anyRows, fc.nat(), fc.nat(), (rows, a, b) => {
      const batch = packed(rows);
      const [from, to] = [a % (rows.length + 1), b % (rows.length + 1)].sort((x, y) => x - y) as [number, number];
      expect([...batch.slice(from, to).rows()]).toEqual(rows.slice(from, to));
      const parts = [batch.slice(0, from), batch.slice(from, to), batch.slice(to, rows.length)];
      expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(batch.bytes);
    }),
  );
});

test.each([
  ['more row ends than rows', 'a\nb\n', 1],
  ['fewer row ends than rows', 'a\n', 2],
  ['bytes behind the last row', 'a\nb', 1],
])('a batch with %s is reported as a bug', (_, text, rowCount) => {
  const batch = new RecordBatch(textSchema(1), Buffer.from(text), rowCount);
  expect(() => batch.rowEnds).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test('a row with another number of cells than the schema is reported as a bug', () => {
  const batch = new RecordBatch(textSchema(2), Buffer.from('a\tb\nc\n'), 2);
  expect(() => batch.cellEnds).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test.each<[string, string, number]>([
  ['bytes behind the last row', 'x\nlost', 1],
  ['a row too few', 'x\n', 2],
  ['a row end in the middle of a row', 'a\nb\tc\td\n', 2],
  ['a row of three cells and one of one', 'a\tb\tc\nd\n', 2],
])('a batch with %s is INTERNAL', (_, text, rows) => {
  const batch = new RecordBatch(textSchema(text.includes('\t') ? 2 : 1), Buffer.from(text), rows);
  expect(() => batch.cellEnds).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});
