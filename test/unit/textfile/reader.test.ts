import { chmodSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import reader from '../../../plugins/textfile/reader.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { KeepingOutput } from '../files/formats/keeping-output.ts';
import { contextOf, inOneTask, readFiles, withoutRights } from './files.ts';

function folderWith(files: Record<string, string | Buffer>): string {
  const folder = tempFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const open = (parameter: object) => reader.open(reader.options.parse(parameter), contextOf());

describe('the textfile reader finds files', () => {
  const tree = {
    'b.csv': '2\n',
    'a.csv': '1\n',
    'sub/c.csv': '3\n',
    'sub/deep/d.txt': '4\n',
    '.hidden.csv': '5\n',
    '.tmp/e.csv': '6\n',
    '[x]{y}.csv': '7\n',
  };

  test.each([
    ['a file', 'a.csv', ['1']],
    ['a folder with all below it, but nothing hidden', '.', ['7', '1', '2', '3', '4']],
    ['a pattern that a folder fits, with all below it', 's?b', ['3', '4']],
    ['a star for everything', '*', ['7', '1', '2', '3', '4']],
    ['a pattern, within one folder', '*.csv', ['7', '1', '2']],
    ['a pattern of single characters', '?.csv', ['1', '2']],
    ['a pattern of folders', '*/c.*', ['3']],
    ['two stars as one', '**.csv', ['7', '1', '2']],
    ['two stars as a folder like one', '**/c.csv', ['3']],
    ['a name full of brackets', '[x]{y}.csv', ['7']],
    ['a pattern with brackets that mean nothing', '[x]*', ['7']],
    ['a hidden file that is named', '.hidden.csv', ['5']],
  ])('by %s', async (_, path, cells) => {
    const { rows } = await readFiles({ path: join(folderWith(tree), path) });
    expect(rows).toEqual(cells.map((cell) => [cell]));
  });

  test('by a list of paths, each file once, with a split for each', async () => {
    const folder = folderWith({ 'a.csv': '1\n', 'b.csv': '2\n22\n' });
    const { rows, splits } = await readFiles({ path: [join(folder, 'b*'), folder] });
    expect(rows).toEqual([['1'], ['2'], ['22']]);
    expect(splits).toMatchObject([
      { name: join(folder, 'a.csv'), estimatedBytes: 2, estimatedRows: 1 },
      { name: join(folder, 'b.csv'), estimatedBytes: 5, estimatedRows: 3 },
    ]);
  });

  test.each(['nothing.csv', 'no/such/folder/*.csv', 'x*.csv', 'a.csv/b', 'empty'])('and says when there is none: %s', async (path) => {
    const folder = folderWith({ 'a.csv': '1\n' });
    mkdirSync(join(folder, 'empty'));
    await expect(readFiles({ path: join(folder, path) })).rejects.toMatchObject({
      code: 'PATH_MISSING',
      message: expect.stringContaining(path),
    });
  });

  test('and says when one has vanished since', async () => {
    const folder = folderWith({ 'a.csv': '1\n' });
    const one = await open({ path: folder });
    const schema = await one.schema();
    const [split] = await one.split!(inOneTask);
    rmSync(join(folder, 'a.csv'));
    await expect(one.read(split!, new KeepingOutput(schema), new AbortController().signal)).rejects.toMatchObject({ code: 'PATH_MISSING' });
  });

  test('and says when a file or folder may not be read, instead of leaving its rows out', async () => {
    const folder = folderWith({ 'a.csv': '1\n', 'sub/b.csv': '2\n' });
    await readFiles({ path: folder });
    await withoutRights(folder, async () => {
      chmodSync(join(folder, 'sub'), 0);
      await expect(readFiles({ path: folder })).rejects.toMatchObject({ code: 'FILE_FAILED', message: expect.stringContaining('sub') });
      await expect(readFiles({ path: join(folder, '*/*.csv') })).rejects.toMatchObject({ code: 'FILE_FAILED' });
      chmodSync(join(folder, 'a.csv'), 0);
      await expect(readFiles({ path: join(folder, 'a.csv') })).rejects.toMatchObject({
        code: 'FILE_FAILED',
        message: expect.stringContaining('EACCES'),
      });
    });
  });
});

describe('the textfile reader reads', () => {
  test('a header as names of the columns', async () => {
    const { names, rows } = await readFiles({
      path: folderWith({ 'a.csv': '\ufeffid,"the ""name""",,ß\r\n1,x,,y\r\n' }),
      skipHeader: true,
    });
    expect(names).toEqual(['id', 'the "name"', 'c2', 'ß']);
    expect(rows).toEqual([['1', 'x', '', 'y']]);
  });

  test('a header with a quoted line end as one row', async () => {
    const { rows } = await readFiles({ path: folderWith({ 'a.csv': '"a\nb"\n1\n' }), skipHeader: 'true', column: [{ index: 0 }] });
    expect(rows).toEqual([['1']]);
  });

  test('no file whose header has other names than that of the first', async () => {
    const path = folderWith({ 'a.csv': 'x,y\n1,2\n', 'b.csv': 'y,x\n2,1\n' });
    await expect(readFiles({ path, skipHeader: true })).rejects.toMatchObject({
      code: 'FILE_BROKEN',
      message: expect.stringContaining('b.csv'),
    });
    const listed = await readFiles({ path, skipHeader: true, column: [{ index: 1, name: 'second' }] });
    expect(listed).toMatchObject({ names: ['second'], rows: [['2'], ['1']] });
  });

  test('no columns from files without a row', async () => {
    await expect(readFiles({ path: folderWith({ 'a.csv': '\n\n' }) })).rejects.toMatchObject({ code: 'COLUMN_MISSING' });
    expect(await readFiles({ path: folderWith({ 'a.csv': '' }), column: [{ index: 0, type: 'long' }] })).toMatchObject({ rows: [] });
  });

  test('all rows of other files by the fields of the first', async () => {
    const { rows, rejected } = await readFiles({ path: folderWith({ 'a.csv': '1,2\n', 'b.csv': '1,2,3\n4,5\n' }) });
    expect(rows).toEqual([
      ['1', '2'],
      ['4', '5'],
    ]);
    expect(rejected.map(({ message }) => message)).toEqual(['a row has 3 fields where 2 are expected (line 1)']);
  });

  test('NULLs of a file of one column whose NULL text is empty', async () => {
    const path = folderWith({ 'a.csv': 'a\n\n""\n\n' });
    expect((await readFiles({ path, nullFormat: '' })).rows).toEqual([['a'], [null], [''], [null]]);
    expect((await readFiles({ path, nullFormat: '', csvReaderConfig: { skipEmptyRecords: true } })).rows).toEqual([['a'], ['']]);
    expect((await readFiles({ path })).rows).toEqual([['a'], ['']]);
  });

  test('packed files, of one part or of several', async () => {
    const parts = Array.from({ length: 50 }, (_, part) => `${part},${'x'.repeat(5000)}\n`);
    const packed = Buffer.concat(parts.map((part) => gzipSync(part)));
    const byName = await readFiles({ path: folderWith({ 'a.csv.gz': packed }) });
    expect(byName.rows.map(([first]) => first)).toEqual(parts.map((_, part) => String(part)));
    expect(byName.splits).toMatchObject([{ estimatedBytes: packed.length }]);
    expect((await readFiles({ path: folderWith({ 'a.csv': packed }), compress: 'gzip' })).rows).toEqual(byName.rows);
    expect((await readFiles({ path: folderWith({ 'a.gz': 'plain\n' }), compress: 'none' })).rows).toEqual([['plain']]);
  });

  test.each([
    ['cut off', (packed: Buffer) => packed.subarray(0, packed.length - 5)],
    ['cut off in its first bytes', (packed: Buffer) => packed.subarray(0, 4)],
    ['empty', () => Buffer.alloc(0)],
    ['not packed', () => Buffer.from('a,b\n')],
    ['cut off in its second part', (packed: Buffer) => Buffer.concat([packed, packed.subarray(0, 30)])],
    ['changed in one byte', (packed: Buffer) => packed.map((byte, index) => (index === 60 ? byte ^ 0x55 : byte))],
    ['followed by something else', (packed: Buffer) => Buffer.concat([packed, Buffer.from('xyz')])],
  ])('no packed file that is %s', async (_, damage) => {
    const packed = gzipSync(Array.from({ length: 2000 }, (_unused, row) => `${row},${(row * 7919) % 1009}\n`).join(''));
    const path = folderWith({ 'a.gz': damage(packed) as Buffer });
    await expect(readFiles({ path, column: [{ index: 0 }] })).rejects.toMatchObject({
      code: 'FILE_BROKEN',
      message: expect.stringContaining('a.gz'),
    });
  });

  test.each(['GBK', 'gb2312', 'UTF-16', 'utf-16be', 'Shift_JIS'])('the encoding %s, cut anywhere', async (encoding) => {
    const text = '漢字,"の,\n"\n'.repeat(30_000);
    const { rows, rejected } = await readFiles({ path: folderWith({ 'a.csv': iconv.encode(text, encoding) }), encoding });
    expect(rejected).toEqual([]);
    expect(rows.length).toBe(30_000);
    expect(rows.every(([first, second]) => first === '漢字' && second === 'の,\n')).toBe(true);
  });

  test('no row with bytes that the encoding does not have', async () => {
    const bytes = Buffer.concat([iconv.encode('漢,字\n', 'gbk'), Buffer.from([0x61, 0x2c, 0xff, 0x0a]), iconv.encode('字,漢\n', 'gbk')]);
    const { rows, rejected } = await readFiles({ path: folderWith({ 'a.csv': bytes }), encoding: 'gbk' });
    expect(rows).toEqual([
      ['漢', '字'],
      ['字', '漢'],
    ]);
    expect(rejected).toMatchObject([{ code: 'ROW_REJECTED', column: 'c1', message: 'bytes that are not gbk text (line 2)' }]);
  });

  test('no row that ends in half a character of the encoding', async () => {
    const bytes = iconv.encode('漢,a\n字,b\n漢,字', 'gbk');
    const { rows, rejected } = await readFiles({ path: folderWith({ 'a.csv': bytes.subarray(0, -1) }), encoding: 'gbk' });
    expect(rows).toEqual([
      ['漢', 'a'],
      ['字', 'b'],
    ]);
    expect(rejected).toMatchObject([{ code: 'ROW_REJECTED', column: 'c1' }]);
  });

  test('broken bytes in fields that nobody wants', async () => {
    const bytes = Buffer.concat([Buffer.from('a,'), Buffer.from([0xff]), Buffer.from(',c\n')]);
    expect(await readFiles({ path: folderWith({ 'a.csv': bytes }), column: [{ index: 2 }, { index: 0 }] })).toMatchObject({
      rows: [['c', 'a']],
      rejected: [],
    });
  });

  test('fields in another order, twice, and constants', async () => {
    const column = [
      { index: 2 },
      { value: 'tab\there' },
      { index: 0 },
      { index: '2', name: 'again' },
      { value: '\\N' },
      { value: 7, type: 'long' },
      { value: null },
    ];
    const { names, types, rows } = await readFiles({ path: folderWith({ 'a.csv': 'a,b,"c""\t"\n' }), column });
    expect(names).toEqual(['c2', 'c1', 'c0', 'again', 'c4', 'c5', 'c6']);
    expect(types).toEqual(['string', 'string', 'string', 'string', 'string', 'integer', 'string']);
    expect(rows).toEqual([['c"\t', 'tab\there', 'a', 'c"\t', null, '7', null]]);
  });

  test('the example of DataX', async () => {
    const column = [
      { index: 0, type: 'long' },
      { index: 1, type: 'boolean' },
      { index: 2, type: 'double' },
      { index: 3, type: 'STRING' },
      { index: 4, type: 'date', format: 'yyyy.MM.dd' },
    ];
    const { types, rows, rejected } = await readFiles({
      path: [folderWith({ a: '19890604,true,1.5,hello,1989.06.04\n+1,FALSE,x,y,2000.01.01\n' })],
      column,
    });
    expect(types).toEqual(['integer', 'boolean', 'double', 'string', 'date']);
    expect(rows).toEqual([['19890604', 'true', '1.5', 'hello', '1989-06-04']]);
    expect(rejected.map(({ column: name, message }) => [name, message])).toEqual([['c2', 'a value that is not a number (line 2)']]);
    expect((await readFiles({ path: folderWith({ a: 'a,b\n' }), column: ['*'] })).rows).toEqual([['a', 'b']]);
  });
});

describe('the textfile reader refuses', () => {
  test.each([
    ['an unknown encoding', { encoding: 'klingon' }],
    ['a line end as delimiter', { fieldDelimiter: '\n' }],
    ['the qualifier as delimiter', { fieldDelimiter: '"' }],
    ['a date format with a time zone', { column: [{ index: 0, type: 'date', format: 'yyyy-MM-dd z' }] }],
    ['a constant of another type', { column: [{ value: 'x', type: 'long' }] }],
  ])('%s', async (_, parameter) => {
    await expect(async () => open({ path: 'x', ...parameter })).rejects.toMatchObject({ code: 'JOB_INVALID' });
  });

  test.each([
    ['an index and a value', { column: [{ index: 0, value: 'x' }] }],
    ['neither', { column: [{ type: 'long' }] }],
    ['a format of a number', { column: [{ index: 0, type: 'long', format: 'yyyy' }] }],
    ['an unknown type', { column: [{ index: 0, type: 'uuid' }] }],
    ['another compression', { compress: 'lzo' }],
    ['an empty delimiter', { fieldDelimiter: '' }],
    ['an unknown escape mode', { csvReaderConfig: { escapeMode: 3 } }],
    ['another record delimiter', { csvReaderConfig: { recordDelimiter: ';' } }],
    ['a tar archive', { tarFileFilterPattern: '*.csv' }],
    ['Excel', { fileFormat: 'excel' }],
    ['a qualifier of two characters', { csvReaderConfig: { textQualifier: "''" } }],
  ])('%s in the job file', (_, parameter) => {
    expect(reader.options.safeParse({ path: 'x', ...parameter }).success).toBe(false);
  });
});

describe('the textfile reader stops', () => {
  const openFiles = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  const text = 'some,text\n'.repeat(300_000);
  const noise = Array.from({ length: 150_000 }, () => `${Math.random()},${Math.random()}\n`).join('');

  test.each([
    ['a plain file', 'a.csv', Buffer.from(text)],
    ['a packed file', 'a.csv.gz', gzipSync(noise)],
    ['a packed file of which everything is in memory', 'small.csv.gz', gzipSync(text)],
  ])('when its signal fires, and leaves %s closed', async (_, name, bytes) => {
    const folder = folderWith({ [name]: bytes });
    const stop = new AbortController();
    const one = await open({ path: folder });
    const out = new KeepingOutput(await one.schema());
    const [split] = await one.split!(inOneTask);
    let batches = 0;
    let wasOpen = false;
    out.onBatch = async () => {
      if (++batches !== 5) return;
      wasOpen = openFiles().some((path) => path.endsWith(name));
      stop.abort(new Error('enough'));
    };
    await expect(one.read(split!, out, stop.signal)).rejects.toThrow('enough');
    if (!name.startsWith('small')) expect(wasOpen).toBe(true);
    expect(openFiles().filter((path) => path.startsWith(folder))).toEqual([]);
    expect(out.rows.length).toBeLessThan(100_000);
  });

  test('when the channel says no, and leaves the file closed', async () => {
    const folder = folderWith({ 'a.csv': text });
    const one = await open({ path: folder });
    const out = new KeepingOutput(await one.schema());
    out.onBatch = () => {
      throw new Error('no more');
    };
    const [split] = await one.split!(inOneTask);
    await expect(one.read(split!, out, new AbortController().signal)).rejects.toThrow('no more');
    expect(openFiles().filter((path) => path.startsWith(folder))).toEqual([]);
  });

  test('before it starts if the signal has fired', async () => {
    const one = await open({ path: folderWith({ 'a.csv': 'a\n' }) });
    await expect(
      one.read({ name: 'x', part: '/nowhere' }, new KeepingOutput(textSchema(1)), AbortSignal.abort(new Error('early'))),
    ).rejects.toThrow('early');
  });
});
