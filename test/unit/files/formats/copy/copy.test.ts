import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../../../core/sdk/index.ts';
import { copy } from '../../../../../plugins/_files/formats/copy.ts';
import { columnOption, columnSources } from '../../../../../plugins/_files/formats/text/columns.ts';
import { anyRows, textSchema } from '../../../../support/arbitraries.ts';
import { batchOf, KeepingOutput } from '../keeping-output.ts';
import { decoded, encoded, messagesOf, schemaIn } from '../through.ts';

const psql = readFileSync(join(import.meta.dirname, 'psql.copy'));
const columns = (...options: object[]) =>
  columnSources(
    options.map((option) => columnOption.parse(option)),
    '\\N',
  );
/** Every way to cut the file. */
const everyChunk = (file: Buffer | string) => Array.from({ length: Buffer.byteLength(file) }, (_, index) => index + 1);

describe('COPY text', () => {
  test('comes back as it was, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 20 }), (rows, chunkBytes) => {
        const file = encoded(copy(), textSchema(rows[0]!.length), rows);
        expect(decoded(copy(), file, chunkBytes)).toEqual({ rows, rejected: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test('is the bytes of the batches', () => {
    const batch = batchOf(textSchema(2), [['a\tb', null]]);
    expect(copy().encoder(batch.schema).encode(batch)).toEqual(batch.bytes);
    expect(copy().suffix).toBe('.copy');
  });

  test('stays as it was written, though the memory of the batch is used again, until the call after the next', () => {
    const encoder = copy().encoder(textSchema(1));
    const [first, second] = ['one', 'two'].map((cell) => batchOf(textSchema(1), [[cell]]));
    const bytes = encoder.encode(first!);
    first!.bytes.fill(0);
    encoder.encode(second!);
    expect(String(bytes)).toBe('one\n');
  });

  test('as psql writes it is read, with all its escapes', () => {
    const { rows, rejected } = decoded(copy(), psql);
    expect(rejected).toEqual([]);
    expect(rows).toEqual([
      ['1', 'plain', '\\x', 't', '1.5000', '2024-02-29 12:00:00.5+00', '{a,"b c"}', '{"a": 1}'],
      ['2', null, null, null, null, null, null, null],
      ['3', '', '\\x00ff', 'f', '-99999999999999.9999', '0044-03-15 12:00:00+00 BC', '{}', 'null'],
      ['4', 'tab\there', '\\x5c', 't', '0.0000', 'infinity', '{NULL,""}', '{"a":\n "\\n"}'],
      ['5', 'line\nfeed\r\nand return\r', '\\x09', 'f', '0.0000', '9999-12-31 23:59:59.999999+00', null, '[]'],
      ['6', 'back\\slash, \\\\ two, \\t, \\x41, \\101', '\\x0a', 't', '0.0000', '1970-01-01 00:00:00+00', null, '"\\\\"'],
      ['7', '\\N', '\\x5c4e', 't', '0.0000', null, null, null],
      ['8', '\\.', '\\x5c2e', 't', '0.0000', null, null, null],
      ['9', 'bell \x07 backspace \b form feed \f vertical tab \v escape \x1b delete \x7f', null, 't', '0.0000', null, null, null],
      ['10', '漢字 😀 é', null, 't', '0.0000', null, null, null],
      ['11', '\\', null, 't', '0.0000', null, null, null],
    ]);
    for (const chunkBytes of everyChunk(psql)) expect(decoded(copy(), psql, chunkBytes).rows).toEqual(rows);
  });

  test.each([
    [
      'Windows line ends',
      'a\tb\r\n\\N\t\r\n',
      [
        ['a', 'b'],
        [null, ''],
      ],
    ],
    ['a byte order mark', '\ufeffa\tb\n', [['a', 'b']]],
    ['the end mark', 'a\tb\n\\.\n', [['a', 'b']]],
    ['the end mark without a line end', 'a\tb\n\\.', [['a', 'b']]],
    ['the end mark with blank lines behind', 'a\tb\n\\.\r\n\n\n', [['a', 'b']]],
    [
      'a cell that only starts like the end mark',
      '\\.a\tb\n\\.\tc\n',
      [
        ['.a', 'b'],
        ['.', 'c'],
      ],
    ],
    [
      'a cell that only looks like NULL',
      '\\Na\tb\na\\N\tb\na\tb\\N\n\\\\N\tN\n',
      [
        ['Na', 'b'],
        ['aN', 'b'],
        ['a', 'bN'],
        ['\\N', 'N'],
      ],
    ],
    [
      'a backslash before a line end, a tab, or another character',
      'a\\\nb\tc\\\td\n\\q\t\\"\n',
      [
        ['a\nb', 'c\td'],
        ['q', '"'],
      ],
    ],
    [
      'bytes as numbers',
      '\\x41\\x4\t\\101\\7x\n\\xc3\\xa9\t\\303\\251\n',
      [
        ['A\x04', 'A\x07x'],
        ['é', 'é'],
      ],
    ],
    ['x and 8 that are no numbers', '\\xg\t\\8\n', [['xg', '8']]],
  ])('may have %s', (_, file, rows) => {
    for (const chunkBytes of everyChunk(file))
      expect({ chunkBytes, ...decoded(copy(), file, chunkBytes) }).toEqual({ chunkBytes, rows, rejected: [] });
  });

  test('of one column has empty texts as empty lines', () => {
    for (const chunkBytes of [1, 2, 10]) expect(decoded(copy(), '\n\na\n', chunkBytes).rows).toEqual([[''], [''], ['a']]);
  });

  test('names its columns by their number, and has none without a row', () => {
    for (const chunkBytes of [1, 2, 100]) {
      expect(schemaIn(copy(), 'a\t\\N\tb\\\tc\n', chunkBytes)?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
        'c0 string',
        'c1 string',
        'c2 string',
      ]);
      expect(schemaIn(copy(), '', chunkBytes)).toBeUndefined();
      expect(schemaIn(copy(), '\\.\n', chunkBytes)).toBeUndefined();
    }
  });

  test('with a wrong row loses that row and no other, and the line is told', () => {
    const file = Buffer.concat([
      Buffer.from('a\tb\nc\nd\te\tf\n\\\ng\rh\ti\nj\t'),
      Buffer.from([0xff]),
      Buffer.from('\nk\t\\xff\nl\t漢\n'),
    ]);
    for (const chunkBytes of everyChunk(file)) {
      const { rows, rejected } = decoded(copy(), file, chunkBytes);
      expect(rows).toEqual([
        ['a', 'b'],
        ['l', '漢'],
      ]);
      expect(messagesOf(rejected)).toEqual([
        'a row has 1 cells where 2 are expected (line 2)',
        'a row has 3 cells where 2 are expected (line 3)',
        'a carriage return that is neither escaped nor part of a row end (line 4)',
        'c1: bytes that are not UTF-8 text (line 6)',
        'c1: bytes that are not UTF-8 text (line 7)',
      ]);
    }
  });

  test.each([
    ['in the middle of a row', 'a\tb\nc\td', 'the file ends in the middle of the row that starts in line 2'],
    ['behind a backslash', 'a\tb\nc\t\\', 'the file ends in the middle of the row that starts in line 2'],
    ['in its first bytes', 'a', 'the file ends in the middle of the row that starts in line 1'],
    ['between CR and LF', 'a\tb\r', 'the file ends in the middle of the row that starts in line 1'],
  ])('that is cut off %s breaks', (_, file, message) => {
    for (const chunkBytes of everyChunk(file)) {
      expect(() => decoded(copy(), file, chunkBytes, textSchema(2))).toThrow(
        expect.objectContaining({ code: 'FILE_BROKEN', place: 'the file', message }),
      );
    }
  });

  test('delivers a row as soon as its line end has come', () => {
    const out = new KeepingOutput(textSchema(1), 1);
    const decoder = copy().decoder(out, 'the file');
    const whenDelivered: string[] = [];
    let pushed = '';
    for (const character of 'abc\nd\r\n\\\n\ne\n') {
      pushed += character;
      decoder.push(Buffer.from(character));
      while (decoder.fill()) {
        out.builder.take();
        whenDelivered.push(pushed);
        pushed = '';
      }
    }
    expect(whenDelivered).toEqual(['abc\n', 'd\r\n', '\\\n\n', 'e\n']);
  });

  test('with rows behind the end mark breaks, for they would be lost', () => {
    for (const chunkBytes of [1, 3, 100]) {
      expect(() => decoded(copy(), 'a\tb\n\\.\nc\td\n', chunkBytes, textSchema(2))).toThrow(
        expect.objectContaining({ code: 'FILE_BROKEN', message: 'the file: there is more behind the end mark \\. in line 2' }),
      );
    }
  });

  test('may have rows of megabytes, and batches end where they are full', () => {
    const rows: Cell[][] = Array.from({ length: 20 }, (_, row) => [String(row), '漢\t\\'.repeat(row % 5 === 0 ? 80_000 : row)]);
    const file = encoded(copy(), textSchema(2), rows);
    const { rows: read } = decoded(copy(), file, 65_536);
    expect(read.length).toBe(20);
    expect(read.every(([id, text], row) => id === String(row) && text === rows[row]![1])).toBe(true);
  });
});

describe('declared columns of COPY text', () => {
  test('are picked by number, with their types, and beside constants', () => {
    const format = copy({
      columns: columns(
        { index: 3, type: 'boolean', name: 'paid' },
        { index: 1 },
        { value: 'x\ty' },
        { index: 5, type: 'timestamptz' },
        { index: 4, type: 'decimal' },
        { index: 2, type: 'bytes' },
        { index: 1, name: 'again' },
      ),
    });
    expect(format.schema?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'paid boolean',
      'c1 string',
      'c2 string',
      'c5 timestamptz',
      'c4 decimal',
      'c2 bytes',
      'again string',
    ]);
    for (const chunkBytes of [1, 7, 1000]) {
      const { rows, rejected } = decoded(format, psql, chunkBytes);
      expect(rejected).toEqual([]);
      expect(rows.slice(0, 4)).toEqual([
        ['true', 'plain', 'x\ty', '2024-02-29 12:00:00.5+00', '1.5000', '\\x', 'plain'],
        [null, null, 'x\ty', null, null, null, null],
        ['false', '', 'x\ty', '0044-03-15 12:00:00+00 BC', '-99999999999999.9999', '\\x00ff', ''],
        ['true', 'tab\there', 'x\ty', 'infinity', '0.0000', '\\x5c', 'tab\there'],
      ]);
      expect(rows[8]![1]).toBe('bell \x07 backspace \b form feed \f vertical tab \v escape \x1b delete \x7f');
    }
  });

  test('reject rows that lack a cell, or whose value is of another type', () => {
    const format = copy({ columns: columns({ index: 1, type: 'long', name: 'n' }, { index: 0 }) });
    const { rows, rejected } = decoded(format, 'a\t1\nb\nc\tx\nd\t+7\nl\r\t1\nf\t8\tmore\n');
    expect(rows).toEqual([
      ['1', 'a'],
      ['7', 'd'],
      ['8', 'f'],
    ]);
    expect(messagesOf(rejected)).toEqual([
      'n: a row has 1 cells, and the column is number 1, counted from 0 (line 2)',
      'n: a value that is not a whole number (line 3)',
      'a carriage return that is neither escaped nor part of a row end (line 5)',
    ]);
  });

  test('do not care for broken bytes in other cells', () => {
    const file = Buffer.concat([Buffer.from('a\t'), Buffer.from([0xff]), Buffer.from('\n')]);
    expect(decoded(copy({ columns: columns({ index: 0 }) }), file).rows).toEqual([['a']]);
    expect(messagesOf(decoded(copy({ columns: columns({ index: 1 }) }), file).rejected)).toEqual([
      'c1: bytes that are not UTF-8 text (line 1)',
    ]);
  });
});
