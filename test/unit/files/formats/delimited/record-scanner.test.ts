import { describe, expect, test } from 'vitest';
import { RecordScanner } from '../../../../../plugins/_files/formats/delimited/record-scanner.ts';
import type { ScanFormat } from '../../../../../plugins/_files/formats/delimited/scan-kinds.ts';
import { csv, scan } from './scan.ts';

interface Example {
  readonly name: string;
  readonly text: string;
  readonly rows: readonly (readonly (string | null)[])[];
  readonly format?: Partial<ScanFormat>;
}

const examples: Example[] = [
  {
    name: 'rows end with LF',
    text: 'a,b\nc,d\n',
    rows: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  {
    name: 'rows end with CR LF',
    text: 'a,b\r\nc,d\r\n',
    rows: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  {
    name: 'the last row needs no end',
    text: 'a,b\nc,d',
    rows: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  { name: 'the last field may be empty and without a row end', text: 'a,', rows: [['a', '']] },
  {
    name: 'empty fields are empty texts',
    text: ',\n,x\n',
    rows: [
      ['', ''],
      ['', 'x'],
    ],
  },
  { name: 'blanks belong to the field', text: ' a , b \n', rows: [[' a ', ' b ']] },
  { name: 'quotes go', text: '"a","b"\n', rows: [['a', 'b']] },
  { name: 'a quoted field holds delimiters', text: '"a,b",c\n', rows: [['a,b', 'c']] },
  { name: 'a quoted field holds line ends of both kinds', text: '"a\nb","c\r\nd"\r\n', rows: [['a\nb', 'c\r\nd']] },
  { name: 'a doubled quote is one', text: '"a""b",""""\n', rows: [['a"b', '"']] },
  { name: 'a quoted field may be empty', text: '"",""\n', rows: [['', '']] },
  { name: 'a quoted field may end the file', text: 'a,"b"', rows: [['a', 'b']] },
  { name: 'a doubled quote may end the file', text: 'a,"b"""', rows: [['a', 'b"']] },
  { name: 'a quote within an unquoted field is a character', text: 'a"b,c""\n', rows: [['a"b', 'c""']] },
  { name: 'the NULL text is NULL unless it is quoted', text: '\\N,"\\N"\n', rows: [[null, '\\N']] },
  { name: 'more than the NULL text is a text', text: '\\NN,x\\N\n', rows: [['\\NN', 'x\\N']] },
  {
    name: 'an empty NULL text makes empty fields NULL, and quoted ones texts',
    text: ',""\n',
    rows: [[null, '']],
    format: { nullText: Buffer.alloc(0) },
  },
  {
    name: 'tabs and backslashes are characters',
    text: 'a\tb,c\\d\n"\t","\\"\n',
    rows: [
      ['a\tb', 'c\\d'],
      ['\t', '\\'],
    ],
  },
  {
    name: 'empty lines are skipped',
    text: '\na,b\n\r\n\nc,d\n\n',
    rows: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  { name: 'a byte order mark is skipped', text: '\ufeffa,b\n', rows: [['a', 'b']] },
  { name: 'a byte order mark may stand before a quote', text: '\ufeff"a",b\n', rows: [['a', 'b']] },
  { name: 'a later U+FEFF is a character', text: '"\ufeffa",\ufeff\n', rows: [['\ufeffa', '\ufeff']] },
  {
    name: 'characters of any width come through',
    text: 'é漢,😀\n"é","漢😀"\n',
    rows: [
      ['é漢', '😀'],
      ['é', '漢😀'],
    ],
  },
  {
    name: 'a delimiter may be a tab',
    text: 'a\tb\n\t"c\td"\n',
    rows: [
      ['a', 'b'],
      ['', 'c\td'],
    ],
    format: { delimiter: Buffer.from('\t') },
  },
  { name: 'a delimiter may be a backslash', text: 'a\\b\n', rows: [['a', 'b']], format: { delimiter: Buffer.from('\\') } },
  {
    name: 'a delimiter may be of several bytes',
    text: 'a||b\n|a|"|"||b|\n',
    rows: [
      ['a', 'b'],
      ['|a|"|"', 'b|'],
    ],
    format: { delimiter: Buffer.from('||') },
  },
  { name: 'a started delimiter is text', text: 'a\tb\t|c\n', rows: [['a\tb', 'c']], format: { delimiter: Buffer.from('\t|') } },
  {
    name: 'a delimiter may be a wide character',
    text: 'a，b\n“，”\n',
    rows: [
      ['a', 'b'],
      ['“', '”'],
    ],
    format: { delimiter: Buffer.from('，') },
  },
  { name: 'without a qualifier quotes are characters', text: '"a,b"\n', rows: [['"a', 'b"']], format: { quote: undefined } },
  { name: 'without a qualifier a lone CR is a character', text: 'a\rb,c\r\r\n', rows: [['a\rb', 'c\r']], format: { quote: undefined } },
  { name: 'the qualifier may be another character', text: "'a,''b',\"\n", rows: [["a,'b", '"']], format: { quote: 0x27 } },
  {
    name: 'a backslash may escape quotes',
    text: '"a\\"b\\\\","c\\nd\\\ne"\n',
    rows: [['a"b\\', 'c\nd\ne']],
    format: { isBackslashEscaped: true },
  },
  { name: 'a backslash may escape outside of quotes', text: 'a\\,b,\\N\n', rows: [['a,b', null]], format: { isBackslashEscaped: true } },
  { name: 'blanks may be trimmed, but not within quotes', text: ' a ,\t" b " \n', rows: [['a', ' b ']], format: { isTrimmed: true } },
  {
    name: 'blanks may be trimmed where nothing is quoted',
    text: ' a , b\nc ,\td\t\n',
    rows: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    format: { isTrimmed: true },
  },
  { name: 'a trimmed NULL text is NULL', text: ' \\N , x\n', rows: [[null, 'x']], format: { isTrimmed: true } },
  {
    name: 'a blank that is the delimiter is not trimmed',
    text: 'a b\n c\n',
    rows: [
      ['a', 'b'],
      ['', 'c'],
    ],
    format: { isTrimmed: true, delimiter: Buffer.from(' ') },
  },
];

describe('the record scanner', () => {
  test.each(examples)('$name', ({ text, rows, format }) => {
    for (let chunkBytes = 1; chunkBytes <= Buffer.byteLength(text) + 1; chunkBytes++) {
      expect({ chunkBytes, ...scan(text, chunkBytes, 2, format) }).toMatchObject({ chunkBytes, rows, rejected: [] });
    }
  });

  test.each([
    ['text behind a closing quote', '"a"b,c\nd,e\n'],
    ['a blank behind a closing quote', '"a" ,c\nd,e\n'],
    ['a carriage return within a row', 'a\rb,c\nd,e\n'],
  ])('%s rejects its row and no other', (_, text) => {
    for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) {
      const { rows, rejected } = scan(text, chunkBytes, 2);
      expect(rows).toEqual([['d', 'e']]);
      expect(rejected.map(({ code, column, message }) => ({ code, column, message }))).toEqual([
        { code: 'ROW_REJECTED', column: 'c0', message: expect.stringContaining('(line 1)') },
      ]);
    }
  });

  test('a row with another number of fields is rejected, and says how many it has', () => {
    const { rows, rejected } = scan('a,b\nc\nd,e,f\ng,h\n', 3, 2);
    expect(rows).toEqual([
      ['a', 'b'],
      ['g', 'h'],
    ]);
    expect(rejected.map(({ message }) => message)).toEqual([
      'a row has 1 fields where 2 are expected (line 2)',
      'a row has 3 fields where 2 are expected (line 3)',
    ]);
  });

  test('lines are counted through quoted line ends and empty lines', () => {
    const text = 'a,b\n\n"c\nc\r\nc",d\ne,f\n';
    for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) expect(scan(text, chunkBytes, 2).lines).toEqual([1, 3, 6]);
  });

  test('empty lines can be kept as rows of one empty text', () => {
    expect(scan('a\n\nb\n', 1, 1, { skipsEmptyRecords: false }).rows).toEqual([['a'], [''], ['b']]);
  });

  test.each([1, 4, 1000])(
    'a quote that is never closed breaks the file, and the line it was opened in is told, chunks of %i',
    (chunkBytes) => {
      const text = 'a,b\n"c\nc",d\ne,"f\ng,h\n';
      expect(() => scan(text, chunkBytes, 2)).toThrow(
        expect.objectContaining({ code: 'FILE_BROKEN', message: 'the file: the quote opened in line 4 is never closed' }),
      );
    },
  );

  test('an escape in numbers rejects its row', () => {
    const { rows, rejected } = scan('\\u0041,b\nc,d\n', 100, 2, { isBackslashEscaped: true });
    expect(rows).toEqual([['c', 'd']]);
    expect(rejected).toMatchObject([{ code: 'ROW_REJECTED', column: 'c0' }]);
  });

  test.each([
    ['a quote that is not closed', `a,"${'x'.repeat(3000)}`],
    ['a field that is not quoted', `a,${'x'.repeat(3000)}`],
    ['a whole field', `a,"${'x'.repeat(3000)}"\nb,c\n`],
  ])('%s cannot fill the memory', (_, text) => {
    for (const chunkBytes of [100, 100_000]) {
      expect(() => scan(text, chunkBytes, 2, { maxFieldBytes: 1000 })).toThrow(
        expect.objectContaining({ code: 'FILE_BROKEN', remedy: expect.stringContaining('closing quote') }),
      );
    }
  });

  test('an endless field is noticed before it is in memory', () => {
    const scanner = new RecordScanner({ ...csv, maxFieldBytes: 4 * 1024 * 1024 }, 'the file');
    const chunk = Buffer.alloc(65_536, 'x');
    scanner.push(Buffer.from('"'));
    let pushed = 0;
    const feed = () => {
      for (; pushed < 1000; pushed++) {
        scanner.push(chunk);
        scanner.next();
      }
    };
    expect(feed).toThrow(expect.objectContaining({ code: 'FILE_BROKEN' }));
    expect(pushed * chunk.length).toBeLessThan(10 * 1024 * 1024);
  });

  test('a row of endless fields cannot fill the memory', () => {
    const broken = expect.objectContaining({ code: 'FILE_BROKEN', remedy: expect.stringContaining('fieldDelimiter') });
    expect(() => scan('x,'.repeat(70_000), 65_536, 2)).toThrow(broken);
    expect(() => scan('x,'.repeat(5000), 100, 2, { maxFieldBytes: 1000 })).toThrow(broken);
  });

  test('a field of some megabytes comes through, in whatever chunks', () => {
    const long = '漢"\n'.repeat(1_000_000);
    const { rows } = scan(`a,"${long.replaceAll('"', '""')}"\nb,c\n`, 65_536, 2);
    expect(rows.length).toBe(2);
    expect(rows[0]![1] === long).toBe(true);
  });

  test('bytes that are no UTF-8 reject their row and no other, wherever the chunks are cut', () => {
    const bytes = Buffer.concat([
      Buffer.from('é,b\nc,'),
      Buffer.from([0xc3]),
      Buffer.from('\nd,漢\n'),
      Buffer.from([0xff, 0x2c, 0x61, 0x0a]),
      Buffer.from('e,"'),
      Buffer.from([0xe6, 0xbc]),
      Buffer.from('"\n😀,g'),
    ]);
    for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
      const { rows, rejected } = scan(bytes, chunkBytes, 2);
      expect(rows).toEqual([
        ['é', 'b'],
        ['d', '漢'],
        ['😀', 'g'],
      ]);
      expect(rejected.map(({ column, message }) => [column, message])).toEqual([
        ['c1', 'bytes that are not UTF-8 text (line 2)'],
        ['c0', 'bytes that are not UTF-8 text (line 4)'],
        ['c1', 'bytes that are not UTF-8 text (line 5)'],
      ]);
    }
  });

  test('a character that the file cuts off rejects the last row', () => {
    const { rows, rejected } = scan(Buffer.concat([Buffer.from('a,b\nc,'), Buffer.from([0xe6, 0xbc])]), 2, 2);
    expect(rows).toEqual([['a', 'b']]);
    expect(rejected).toMatchObject([{ column: 'c1' }]);
  });
});
