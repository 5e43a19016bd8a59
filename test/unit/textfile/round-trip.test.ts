import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { delimiter, isReadable, nullText, rows } from '../files/formats/delimited/arbitraries.ts';
import { contents, readFiles, writeFiles } from './files.ts';

describe('what the writer has written, the reader reads', () => {
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
