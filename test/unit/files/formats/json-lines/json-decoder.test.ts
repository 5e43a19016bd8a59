import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../../../core/sdk/index.ts';
import { jsonColumns } from '../../../../../plugins/_files/formats/json-lines/json-columns.ts';
import { LineScanner } from '../../../../../plugins/_files/formats/json-lines/line-scanner.ts';
import { jsonLines } from '../../../../../plugins/_files/formats/json-lines.ts';
import { keyedColumnOption } from '../../../../../plugins/_files/formats/text/columns.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { decoded, encoded, messagesOf, schemaIn } from '../through.ts';

const columns = (...options: object[]) => jsonColumns(options.map((option) => keyedColumnOption.parse(option)));
const everyChunk = (file: string) => Array.from({ length: Buffer.byteLength(file) }, (_, index) => index + 1);

describe('JSON lines are read', () => {
  test('by the keys of the first row, in its order', () => {
    const file = '{"b":1,"a":null}\n\n  \r\n{"a":"x","b":true}\r\n{}\n{"b":{"c":[1, "\\n"]}}';
    for (const chunkBytes of everyChunk(file)) {
      expect(schemaIn(jsonLines(), file, chunkBytes)?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['b string', 'a string']);
      expect(decoded(jsonLines(), file, chunkBytes)).toEqual({
        rows: [
          ['1', null],
          ['true', 'x'],
          [null, null],
          ['{"c":[1, "\\n"]}', null],
        ],
        rejected: [],
      });
    }
  });

  test('with a byte order mark, blanks between all tokens and escaped keys', () => {
    const file = '\ufeff { "\\u0061\\"" : 1.0 , "b" :\t[ ] }\t\r\n{"b":2,"a\\"":"\\ud83d\\ude00\\/\\b"}';
    for (const chunkBytes of everyChunk(file)) {
      expect(schemaIn(jsonLines(), file, chunkBytes)?.columns.map(({ name }) => name)).toEqual(['a"', 'b']);
      expect(decoded(jsonLines(), file, chunkBytes).rows).toEqual([
        ['1.0', '[ ]'],
        ['😀/\b', '2'],
      ]);
    }
  });

  test('with all digits of their numbers', () => {
    const numbers = ['12345678901234567890.123456789012345678901234567890', '-0', '1e400', '0.1000'];
    const file = numbers.map((number) => `{"n":${number}}\n`).join('');
    expect(decoded(jsonLines(), file).rows.flat()).toEqual(numbers);
  });

  test('by declared columns: by key, by the number of the key, as constants, and twice', () => {
    const format = jsonLines({
      columns: columns(
        { name: 'n', type: 'long' },
        { index: 0, name: 'first' },
        { value: '', name: 'none' },
        { value: 7, type: 'long' },
        { name: 'doc', type: 'json' },
        { index: 2 },
      ),
    });
    expect(format.schema?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'n integer',
      'first string',
      'none string',
      'c3 integer',
      'doc json',
      'c2 string',
    ]);
    const file = '{"word":"x\\"y","n":1e3,"doc":"text"}\n{"n":"5","doc":{"a":1},"word":null}\n{"doc":null}\n';
    expect(decoded(format, file, 5)).toEqual({
      rows: [
        ['1000', 'x"y', '', '7', '"text"', 'text'],
        ['5', null, '', '7', '{"a":1}', '{"a":1}'],
        [null, null, '', '7', null, null],
      ],
      rejected: [],
    });
  });

  test('with the rows that are wrong left out, and why', () => {
    const file = [
      '{"a":1,"b":2}',
      '{"a":1,"c":2}',
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"a":1',
      '[1,2]',
      '{"a":1}{"b":2}',
      '{"a":\t1,}',
      '{"a":"\\ud800"}',
      '{"a":"x\ty"}',
      `{"${'k'.repeat(100)}":1}`,
      '{"a":3}',
      '',
    ].join('\n');
    for (const chunkBytes of [1, 7, 10_000]) {
      const { rows, rejected } = decoded(jsonLines(), file, chunkBytes);
      expect(rows).toEqual([
        ['1', '2'],
        ['3', null],
      ]);
      expect(messagesOf(rejected)).toEqual([
        'the key "c" is no column (line 2)',
        'the key "a" stands twice in a row (line 3)',
        'the key "a" stands twice in a row (line 4)',
        'a line that is not one JSON object (line 5)',
        'a line that is not one JSON object (line 6)',
        'a line that is not one JSON object (line 7)',
        'a line that is not one JSON object (line 8)',
        'a: bytes or escapes that are not characters (line 9)',
        'a line that is not one JSON object (line 10)',
        `the key "${'k'.repeat(64)}…" is no column (line 11)`,
      ]);
    }
  });

  test('with values of another type than declared left out', () => {
    const format = jsonLines({
      columns: columns({ name: 'a', type: 'long' }, { name: 'b', type: 'bytes' }, { name: 'c', type: 'boolean' }),
    });
    const rows = [
      '{"a":1.5}',
      '{"a":[1]}',
      '{"a":"x"}',
      '{"b":"ff"}',
      '{"b":"\\\\xF0","c":"TRUE"}',
      '{"b":"\\u005cxf0","c":false}',
      '{"c":1}',
    ];
    const { rows: read, rejected } = decoded(format, rows.join('\n'));
    expect(read).toEqual([
      [null, '\\xf0', 'true'],
      [null, '\\xf0', 'false'],
    ]);
    expect(messagesOf(rejected)).toEqual([
      'a: a value that is not a whole number (line 1)',
      'a: a value that is not a whole number (line 2)',
      'a: a value that is not a whole number (line 3)',
      'b: a value that is not \\x and pairs of hex digits (line 4)',
      'c: a value that is not true or false (line 7)',
    ]);
  });

  test('without other keys, where these are to be ignored', () => {
    const format = jsonLines({ columns: columns({ name: 'b' }), ignoresOtherKeys: true });
    expect(decoded(format, '{"a":1,"b":2,"a":{"b":3}}\n{"b":1,"b":2}\n')).toMatchObject({
      rows: [['2']],
      rejected: [{ code: 'ROW_REJECTED' }],
    });
  });

  test('with bytes that are no UTF-8 left out, row by row', () => {
    const file = Buffer.concat([
      Buffer.from('{"a":"é"}\n{"a":"'),
      Buffer.from([0xc3]),
      Buffer.from('"}\n{"a":"漢"}\n{"a":"\\n'),
      Buffer.from([0xff]),
      Buffer.from('"}\n'),
    ]);
    for (let chunkBytes = 1; chunkBytes <= file.length; chunkBytes++) {
      const { rows, rejected } = decoded(jsonLines(), file, chunkBytes);
      expect(rows).toEqual([['é'], ['漢']]);
      expect(messagesOf(rejected)).toEqual([
        'a: bytes or escapes that are not characters (line 2)',
        'a: bytes or escapes that are not characters (line 4)',
      ]);
    }
  });

  test.each(['{"a":1}\n{"a":2', '{"a":1}\n{"a":"x', '{"a":1}\n{', '{"a":1}\n{"a":"\\'])(
    'with a file that is cut off broken: %j',
    (file) => {
      for (const chunkBytes of everyChunk(file)) {
        expect(() => decoded(jsonLines(), file, chunkBytes)).toThrow(
          expect.objectContaining({ code: 'FILE_BROKEN', place: 'the file', message: 'the file ends in the middle of the row in line 2' }),
        );
      }
    },
  );

  test.each(['[1]\n', '{}\n', '{"a":1,"a":2}\n', 'id,name\n', '{"a":1'])('with no columns to be found in a first line like %j', (file) => {
    for (const chunkBytes of [1, 100]) {
      expect(() => schemaIn(jsonLines(), file, chunkBytes)).toThrow(
        expect.objectContaining({ code: 'FILE_BROKEN', message: expect.stringContaining('line 1') }),
      );
    }
  });

  test('with no columns in a file without lines', () => {
    expect(schemaIn(jsonLines(), ' \n\r\n', 1)).toBeUndefined();
  });

  test('with a number of a key that the first row does not have refused', () => {
    expect(() => decoded(jsonLines({ columns: columns({ index: 2 }) }), '{"a":1,"b":2}\n')).toThrow(
      expect.objectContaining({ code: 'COLUMN_MISSING', message: 'the file: its first row has 2 keys, and the column c2 is number 2' }),
    );
  });

  test('with endless lines refused, before they are in memory', () => {
    const lines = new LineScanner('the file', 1000);
    lines.push(Buffer.alloc(900, 'x'));
    expect(lines.next()).toBe(false);
    lines.push(Buffer.alloc(200, 'x'));
    expect(() => lines.next()).toThrow(
      expect.objectContaining({ code: 'FILE_BROKEN', message: 'the file: line 1 has more than 1000 bytes' }),
    );
    const whole = new LineScanner('the file', 1000);
    whole.push(Buffer.from(`a\n${'x'.repeat(2000)}\n`));
    expect(whole.next()).toBe(true);
    expect(() => whole.next()).toThrow(expect.objectContaining({ message: 'the file: line 2 has more than 1000 bytes' }));
  });

  test('with values that grow when they are packed, and that several columns want', () => {
    const json = JSON.stringify(['\\\n'.repeat(100_000)]);
    const format = jsonLines({ columns: columns({ name: 'a' }, { name: 'a', type: 'json' }, { name: 'a', type: 'json' }, { name: 'b' }) });
    const { rows } = decoded(format, `{"a":${json},"b":"end"}\n`);
    expect(rows[0]!.map((cell) => cell === json || cell)).toEqual([true, true, true, 'end']);
  });

  test('with rows of megabytes', () => {
    const rows: Cell[][] = Array.from({ length: 12 }, (_, row) => [String(row), '漢"\n\\'.repeat(row % 5 === 0 ? 80_000 : row)]);
    const { rows: read } = decoded(jsonLines(), encoded(jsonLines(), textSchema(2), rows), 65_536);
    expect(read.length).toBe(12);
    expect(read.every(([id, text], row) => id === String(row) && text === rows[row]![1])).toBe(true);
  });
});

test.each([{}, { type: 'long' }, { name: 'a', value: 1, index: 0 }])('a declared column of JSON lines like %j is refused', (option) => {
  expect(keyedColumnOption.safeParse(option).success).toBe(false);
});
