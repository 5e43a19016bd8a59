import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../core/sdk/index.ts';
import writer from '../../../plugins/textfile/writer.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { batchOf } from '../files/formats/keeping-output.ts';
import { contents, contextOf, writeFiles } from './files.ts';

const open = async (parameter: object, run?: string) => writer.open(writer.options.parse({ sidecar: false, ...parameter }), contextOf(run));

/** What a single file of these rows holds. */
async function written(rows: readonly (readonly Cell[])[], parameter: object = {}): Promise<string> {
  const folder = tempFolder();
  await writeFiles({ path: folder, fileName: 'f', writeMode: 'append', ...parameter }, rows);
  const texts = Object.values(contents(folder));
  expect(texts.length).toBe(1);
  return texts[0]!;
}

describe('the textfile writer writes', () => {
  test.each<[string, readonly (readonly Cell[])[], object, string]>([
    [
      'plain cells without quotes',
      [
        ['a', 'b c'],
        ['1', ' é '],
      ],
      {},
      'a,b c\n1, é \n',
    ],
    [
      'delimiters, quotes and line ends in quotes',
      [
        ['a,b', 'c"d'],
        ['e\nf', 'g\rh'],
      ],
      {},
      '"a,b","c""d"\n"e\nf","g\rh"\n',
    ],
    [
      'tabs and backslashes as they are',
      [
        ['a\tb', 'c\\d'],
        ['\\', '\t'],
      ],
      {},
      'a\tb,c\\d\n\\,\t\n',
    ],
    [
      'NULL as its text, and that text in quotes',
      [
        [null, '\\N'],
        ['', 'N'],
      ],
      {},
      '\\N,"\\N"\n,N\n',
    ],
    [
      'another NULL text',
      [
        [null, 'NULL'],
        ['', '\\N'],
      ],
      { nullFormat: 'NULL' },
      'NULL,"NULL"\n,\\N\n',
    ],
    ['empty texts in quotes where NULL is nothing', [[null, '']], { nullFormat: '' }, ',""\n'],
    ['empty texts in quotes where they are the row', [[''], [null], ['a']], {}, '""\n\\N\na\n'],
    [
      'a delimiter of two characters',
      [
        ['a|b', 'c'],
        ['d', null],
      ],
      { fieldDelimiter: '||' },
      '"a|b"||c\nd||\\N\n',
    ],
    ['a tab as delimiter', [['a\tb', 'c,d']], { fieldDelimiter: '\t' }, '"a\tb"\tc,d\n'],
    [
      'Windows line ends',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      { lineDelimiter: '\r\n' },
      'a,b\r\nc,d\r\n',
    ],
    [
      'quotes around everything but NULL',
      [
        ['a', ''],
        [null, 'b"'],
      ],
      { csvWriterConfig: { forceQualifier: true } },
      '"a",""\n\\N,"b"""\n',
    ],
    ['another qualifier', [["a'b", 'c"d']], { csvWriterConfig: { textQualifier: "'" } }, "'a''b',c\"d\n"],
    ['a header of column names', [['a', 'b']], { header: true }, 'c0,c1\na,b\n'],
    ['a header of given names, quoted where needed', [['a', 'b']], { header: ['x,y', '\\N'] }, '"x,y","\\N"\na,b\n'],
    ['no header', [['a', 'b']], { header: 'false' }, 'a,b\n'],
    ['a first text that looks like a byte order mark in quotes', [['\ufeffa'], ['\ufeffb']], {}, '"\ufeffa"\n\ufeffb\n'],
    ['the same after a header without', [['\ufeffa']], { header: true }, 'c0\n\ufeffa\n'],
    [
      'text without quotes',
      [
        ['a "b"', '\tc\\'],
        [null, ''],
      ],
      { fileFormat: 'text' },
      'a "b",\tc\\\n\\N,\n',
    ],
  ])('%s', async (_, rows, parameter, text) => {
    expect(await written(rows, parameter)).toBe(text);
    expect(await written(rows, { ...parameter, compress: 'gzip', compressLevel: 9 })).toBe(text);
  });

  test('other encodings, with a byte order mark where the name has no order', async () => {
    const folder = tempFolder();
    const rows = [
      ['漢', 'a'],
      ['字', 'b'],
      ['の', 'c'],
    ];
    for (const encoding of ['GBK', 'UTF-16', 'UTF-16LE', 'utf8'])
      await writeFiles({ path: join(folder, encoding), fileName: 'f', writeMode: 'append', header: true, encoding }, rows);
    const bytesOf = (encoding: string) => readFileSync(join(folder, encoding, readdirSync(join(folder, encoding))[0]!));
    expect(bytesOf('GBK')).toEqual(Buffer.from('63302c63310a9d682c610ad7d62c620aa4ce2c630a', 'hex'));
    expect(bytesOf('UTF-16')).toEqual(Buffer.from('\ufeffc0,c1\n漢,a\n字,b\nの,c\n', 'utf16le'));
    expect(bytesOf('UTF-16LE')).toEqual(Buffer.from('c0,c1\n漢,a\n字,b\nの,c\n', 'utf16le'));
    expect(bytesOf('utf8').toString()).toBe('c0,c1\n漢,a\n字,b\nの,c\n');
  });
});

describe('the textfile writer refuses', () => {
  test.each<[string, readonly (readonly Cell[])[], object, { row: number; column: string }]>([
    [
      'the delimiter in a cell',
      [
        ['a', 'b'],
        ['c', 'd,e'],
      ],
      { fileFormat: 'text' },
      { row: 1, column: 'c1' },
    ],
    [
      'a delimiter that a cell starts and the next one ends',
      [['a|', 'b']],
      { fileFormat: 'text', fieldDelimiter: '||' },
      { row: 0, column: 'c0' },
    ],
    [
      'a line feed in a cell',
      [
        ['a', 'b'],
        ['c\nd', 'e'],
      ],
      { fileFormat: 'text' },
      { row: 1, column: 'c0' },
    ],
    ['a carriage return in a cell', [['a', 'b\r']], { fileFormat: 'text' }, { row: 0, column: 'c1' }],
    ['the NULL text as a text', [['a', '\\N']], { fileFormat: 'text' }, { row: 0, column: 'c1' }],
    [
      'an empty text where that is NULL',
      [
        ['a', 'b'],
        [null, ''],
      ],
      { fileFormat: 'text', nullFormat: '' },
      { row: 1, column: 'c1' },
    ],
    ['an empty line', [['a'], ['']], { fileFormat: 'text' }, { row: 1, column: 'c0' }],
    ['a byte order mark that is text', [['\ufeffa', 'b']], { fileFormat: 'text' }, { row: 0, column: 'c0' }],
    [
      'a character that the encoding lacks',
      [
        ['a', 'é'],
        ['b', '漢'],
      ],
      { encoding: 'latin1' },
      { row: 1, column: 'c1' },
    ],
  ])('%s, with nothing of its batch written', async (_, rows, parameter, where) => {
    const folder = tempFolder();
    const schema = textSchema(rows[0]!.length);
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append', ...parameter });
    const task = await one.openTask({
      id: 3,
      attempt: 1,
      guarantee: 'at-least-once',
      source: schema,
      target: await one.prepare!(schema, { guarantee: 'at-least-once', mode: 'run' }),
    });
    await expect(task.write(batchOf(schema, rows))).rejects.toMatchObject({ code: 'ROW_REJECTED', ...where });
    await task.write(batchOf(schema, [rows[0]!.map(() => 'ok')]));
    await one.publish!([(await task.commit(null)) ?? null], { guarantee: 'at-least-once', mode: 'run' });
    const [[name, text] = []] = Object.entries(contents(folder));
    expect(name).toMatch(/^f__run-1_0003\.(csv|txt)$/);
    expect(text).toBe(`${rows[0]!.map(() => 'ok').join((parameter as { fieldDelimiter?: string }).fieldDelimiter ?? ',')}\n`);
  });

  test.each([
    ['a delimiter in the NULL text', { nullFormat: 'a,b' }],
    ['a NULL text that ends like the delimiter starts', { nullFormat: 'x|', fieldDelimiter: '||' }],
    ['a quote in the NULL text', { nullFormat: '"' }],
    ['a line end in the NULL text', { nullFormat: '\n', fileFormat: 'text' }],
    ['an unknown encoding', { encoding: 'klingon' }],
  ])('%s', async (_, parameter) => {
    await expect(async () => open({ path: 'x', fileName: 'f', writeMode: 'append', ...parameter })).rejects.toMatchObject({
      code: 'JOB_INVALID',
    });
  });

  test.each([
    ['a header with too few names', { header: ['a'] }, 'COLUMN_COUNT'],
    ['a header that text cannot hold', { header: ['a,b', 'c'], fileFormat: 'text' }, 'JOB_INVALID'],
    ['a header that the encoding lacks', { header: ['漢', 'c'], encoding: 'latin1' }, 'JOB_INVALID'],
  ])('%s, before anything is written', async (_, parameter, code) => {
    const folder = join(tempFolder(), 'new');
    const one = await open({ path: folder, fileName: 'f', writeMode: 'append', ...parameter });
    await expect(one.prepare!(textSchema(2), { guarantee: 'at-least-once', mode: 'run' })).rejects.toMatchObject({ code });
    expect(existsSync(folder)).toBe(false);
  });

  test.each([
    ['no write mode', { writeMode: undefined }],
    ['a name with a slash', { fileName: 'a/b' }],
    ['an odd line delimiter', { lineDelimiter: ';' }],
    ['a csv without quoting', { csvWriterConfig: { useTextQualifier: false } }],
    ['backslash escapes', { csvWriterConfig: { escapeMode: 2 } }],
    ['the format sql', { fileFormat: 'sql' }],
  ])('%s in the job file', (_, parameter) => {
    expect(writer.options.safeParse({ path: 'x', fileName: 'f', writeMode: 'append', ...parameter }).success).toBe(false);
  });
});
