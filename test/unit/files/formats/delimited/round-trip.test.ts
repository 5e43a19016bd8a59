import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowEncoder } from '../../../../../plugins/_files/formats/delimited/row-encoder.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { batchOf } from '../keeping-output.ts';
import { delimiter, isReadable, nullText, rows } from './arbitraries.ts';
import { scan } from './scan.ts';

describe('what the row encoder has written, the scanner reads', () => {
  test('as CSV in all its bytes, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(rows, delimiter, nullText, fc.boolean(), fc.boolean(), (table, separator, nothing, quotesAll, isWindows) => {
        fc.pre(isReadable(separator, nothing));
        const width = table[0]!.length;
        const marks = { delimiter: Buffer.from(separator), nullText: Buffer.from(nothing), quote: 0x22 };
        const encoder = new RowEncoder({ ...marks, quotesAll, lineDelimiter: Buffer.from(isWindows ? '\r\n' : '\n') });
        const bytes = Buffer.from(encoder.encode(batchOf(textSchema(width), table), true));
        const format = { ...marks, skipsEmptyRecords: !(width === 1 && nothing === '') };
        for (const chunkBytes of [1, 2, 3, 7, bytes.length]) {
          const { rows: read, rejected } = scan(bytes, chunkBytes, width, format);
          expect({ read, rejected }).toEqual({ read: table, rejected: [] });
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('as text without quotes, or the row is refused', () => {
    let [kept, refused] = [0, 0];
    fc.assert(
      fc.property(rows, delimiter, nullText, (table, separator, nothing) => {
        fc.pre(isReadable(separator, nothing));
        const width = table[0]!.length;
        const marks = { delimiter: Buffer.from(separator), nullText: Buffer.from(nothing), quote: undefined };
        const encoder = new RowEncoder({ ...marks, quotesAll: false, lineDelimiter: Buffer.from('\n') });
        for (const row of table) {
          try {
            const bytes = Buffer.from(encoder.encode(batchOf(textSchema(width), [row]), true));
            const format = { ...marks, skipsEmptyRecords: !(width === 1 && nothing === '') };
            expect(scan(bytes, 2, width, format).rows).toEqual([row]);
            kept++;
          } catch (error) {
            expect(error).toMatchObject({ code: 'ROW_REJECTED', row: 0, column: expect.stringMatching(/^c\d$/) });
            refused++;
          }
        }
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(kept, refused)).toBeGreaterThan(100);
  });
});
