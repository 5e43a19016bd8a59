import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../core/sdk/index.ts';
import { RowEncoder } from '../../../plugins/textfile/row-encoder.ts';
import { anyText, textSchema } from '../../support/arbitraries.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { batchOf, contents, readFiles, scan, writeFiles } from './files.ts';

const delimiter = fc.oneof(
  fc.string({ unit: fc.constantFrom(',', '|', '\t', ' ', 'a', '\\', 'N', '\u0001', '，', '😀'), minLength: 1, maxLength: 3 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).filter((text) => !/["\r\n]/.test(text) && !/\p{Surrogate}/u.test(text)),
);
const nullText = fc.constantFrom('\\N', '', 'NULL', 'a', 'null ');

/** Texts near to what delimiters, quotes and NULL texts are made of. */
const trickyText = fc.string({ unit: fc.constantFrom(',', '"', '|', '\t', '\n', '\r', '\\', 'N', 'a', ' ', '\ufeff', '，'), maxLength: 6 });
const cell: fc.Arbitrary<Cell> = fc.option(fc.oneof(anyText, trickyText, fc.constantFrom('', '\\N', 'NULL', 'null', '\ufeff', '""')), {
  freq: 5,
});
const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));

const isReadable = (separator: string, nothing: string) => `${nothing}${separator}`.indexOf(separator) === nothing.length;

describe('what the writer has written, the reader reads', () => {
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

  test('through files, packed or not, with a header or without, in several encodings', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        delimiter,
        nullText,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom('UTF-8', 'UTF-16', 'utf-16be', 'GB18030'),
        async (table, separator, nothing, isGzip, hasHeader, encoding) => {
          // GB18030 as iconv-lite has it lacks half a dozen characters, which the writer refuses; only those it has are compared.
          fc.pre(isReadable(separator, nothing) && (encoding === 'UTF-8' || !/[\ufffd]/.test(JSON.stringify(table) + separator)));
          const folder = tempFolder();
          const shared = { path: folder, fieldDelimiter: separator, nullFormat: nothing, encoding };
          await writeFiles({ ...shared, fileName: 'f', writeMode: 'append', compress: isGzip ? 'gzip' : 'none', header: hasHeader }, table);
          const { rows: read, rejected } = await readFiles({ ...shared, skipHeader: hasHeader });
          expect({ read, rejected }).toEqual({ read: table, rejected: [] });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('files of megabytes in which every batch is cut elsewhere', async () => {
    const folder = tempFolder();
    const table = Array.from({ length: 30_000 }, (_, row) => [
      String(row),
      row % 7 === 0 ? null : `text "${row}",\n漢${'x'.repeat(row % 190)}`,
      '',
    ]);
    await writeFiles({ path: folder, fileName: 'f', writeMode: 'append' }, table);
    expect(Object.values(contents(folder))[0]!.length).toBeGreaterThan(2_000_000);
    const { rows: read } = await readFiles({ path: folder });
    expect(read).toEqual(table);
  });

  test('and an empty file is none of its business', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'empty.csv'), '');
    writeFileSync(join(folder, 'full.csv'), 'a,b\n');
    expect(await readFiles({ path: folder })).toMatchObject({ names: ['c0', 'c1'], rows: [['a', 'b']] });
  });
});
