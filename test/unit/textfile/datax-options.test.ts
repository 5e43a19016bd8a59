import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Schema } from '../../../core/sdk/index.ts';
import writer from '../../../plugins/textfile/writer.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { contents, readFiles, writeFiles } from './files.ts';

function fileWith(text: string): string {
  const path = join(tempFolder(), 'a.csv');
  writeFileSync(path, text);
  return path;
}

test('comment lines are no rows, wherever they stand and however long they are', async () => {
  const long = `#${'-'.repeat(600_000)}`;
  const path = fileWith(`# head\n1,a\n${long}\n2,"b\n#no comment"\n3,#c\n#no line end`);
  expect((await readFiles({ path, csvReaderConfig: { useComments: 'true' } })).rows).toEqual([
    ['1', 'a'],
    ['2', 'b\n#no comment'],
    ['3', '#c'],
  ]);
  expect((await readFiles({ path: fileWith('%x\n1\n'), csvReaderConfig: { useComments: true, comment: '%' } })).rows).toEqual([['1']]);
});

test('a row behind comments is told with its line in the file', async () => {
  const path = fileWith('#one\n#two\nx\n');
  const { rejected } = await readFiles({ path, column: [{ index: 0, type: 'long' }], csvReaderConfig: { useComments: true } });
  expect(rejected.map(({ message }) => message)).toEqual(['a value that is not a whole number (line 3)']);
});

test('"delimiter" of csvReaderConfig goes before fieldDelimiter, as in DataX', async () => {
  expect((await readFiles({ path: fileWith('a;b\n'), fieldDelimiter: ',', csvReaderConfig: { delimiter: ';' } })).rows).toEqual([
    ['a', 'b'],
  ]);
});

test('forms of dates of the whole job count where a column has none of its own', async () => {
  const column = [
    { index: 0, type: 'date' },
    { index: 1, type: 'date', format: 'dd/MM/yyyy' },
  ];
  const columnForms = { datetimeFormat: 'yyyyMMddHHmmss', dateFormat: 'yyyyMMdd', extraFormats: ['dd.MM.yyyy'] };
  const path = fileWith('20261121101112,01/02/2026\n20261121,01/02/2026\n21.11.2026,01/02/2026\n2026-11-21 10:00,01/02/2026\n');
  const { rows, types } = await readFiles({ path, column, columnForms });
  expect(types).toEqual(['timestamp', 'date']);
  expect(rows.map(([first]) => first)).toEqual([
    '2026-11-21 10:11:12',
    '2026-11-21 00:00:00',
    '2026-11-21 00:00:00',
    '2026-11-21 10:00:00',
  ]);
});

const dates: Schema = {
  columns: [
    { name: 'at', type: 'timestamp', isNullable: true },
    { name: 'zoned', type: 'timestamptz', isNullable: true },
    { name: 'day', type: 'date', isNullable: true },
    { name: 'bytes', type: 'bytes', isNullable: true },
    { name: 'text', type: 'string', isNullable: true },
  ],
};
const row = ['2026-02-03 04:05:06.789', '2026-02-03 04:05:06+00', '2026-02-03', '\\x00ff', '2026-02-03'];

test.each([
  [{}, '2026-02-03 04:05:06.789,2026-02-03 04:05:06+00,2026-02-03,\\x00ff,2026-02-03\n'],
  [{ dateFormat: 'yyyyMMdd' }, '20260203,20260203,20260203,\\x00ff,2026-02-03\n'],
  [
    { format: "d/M/yyyy 'at' HH:mm:ss.SSS" },
    '3/2/2026 at 04:05:06.789,3/2/2026 at 04:05:06.000,3/2/2026 at 00:00:00.000,\\x00ff,2026-02-03\n',
  ],
  [{ dateFormat: 'yyyy', format: 'MM yyyy' }, '2026,2026,2026,\\x00ff,2026-02-03\n'],
  [
    { columnForms: { datetimeFormat: 'yyyy-MM-dd HH:mm', dateFormat: 'dd.MM.yyyy' } },
    '2026-02-03 04:05,2026-02-03 04:05,03.02.2026,\\x00ff,2026-02-03\n',
  ],
  [{ byteEncoding: 'base64', fileFormat: 'text' }, '2026-02-03 04:05:06.789,2026-02-03 04:05:06+00,2026-02-03,AP8=,2026-02-03\n'],
])('with %j values are written as %s', async (options, text) => {
  const folder = tempFolder();
  await writeFiles({ path: folder, fileName: 'x', writeMode: 'truncate', ...options }, [row], { schema: dates });
  expect(Object.values(contents(folder))).toEqual([text]);
});

test('NULL has no form, and a date that cannot be written in one is refused with its row and column', async () => {
  const folder = tempFolder();
  const parameter = { path: folder, fileName: 'x', writeMode: 'truncate', dateFormat: 'yyyy', nullFormat: 'null' };
  await writeFiles(parameter, [[null, null, null, null, null]], { schema: dates });
  expect(Object.values(contents(folder))).toEqual(['null,null,null,null,null\n']);
  await expect(writeFiles(parameter, [row, ['infinity', null, null, null, null]], { schema: dates })).rejects.toMatchObject({
    code: 'ROW_REJECTED',
    row: 1,
    column: 'at',
  });
});

test('a header that is an empty list is none', async () => {
  const folder = tempFolder();
  await writeFiles({ path: folder, fileName: 'x', writeMode: 'truncate', header: [] }, [['1']]);
  expect(Object.values(contents(folder))).toEqual(['1\n']);
});

test.each([
  ['sql', 'INSERT statements'],
  ['orc', 'ORC'],
])('the file format %s is refused with what to do instead', (fileFormat, words) => {
  const result = writer.options.safeParse({ path: 'x', fileName: 'x', writeMode: 'append', fileFormat });
  expect(result.error?.issues[0]?.message).toContain(words);
});
