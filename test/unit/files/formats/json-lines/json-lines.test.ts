import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column, LogicalType, Schema } from '../../../../../core/sdk/index.ts';
import { jsonColumns } from '../../../../../plugins/_files/formats/json-lines/json-columns.ts';
import { jsonLines } from '../../../../../plugins/_files/formats/json-lines.ts';
import { keyedColumnOption } from '../../../../../plugins/_files/formats/text/columns.ts';
import { anyCell, anyRows, textSchema } from '../../../../support/arbitraries.ts';
import { batchOf } from '../keeping-output.ts';
import { decoded, encoded } from '../through.ts';

const columns = (...options: object[]) => jsonColumns(options.map((option) => keyedColumnOption.parse(option)));
const schemaOf = (types: Record<string, LogicalType>): Schema => ({
  columns: Object.entries(types).map(([name, type]): Column => ({ name, type, isNullable: true })),
});

describe('JSON lines', () => {
  test('of texts come back as they were, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 30 }), (rows, chunkBytes) => {
        const file = encoded(jsonLines(), textSchema(rows[0]!.length), rows);
        const objects = file
          .toString()
          .split('\n')
          .slice(0, -1)
          .map((line) => Object.values(JSON.parse(line) as object));
        expect(objects).toEqual(rows);
        expect(decoded(jsonLines(), file, chunkBytes)).toEqual({ rows, rejected: [] });
      }),
      { numRuns: 1000 },
    );
  });

  const typed: Record<LogicalType, fc.Arbitrary<string>> = {
    boolean: fc.constantFrom('true', 'false'),
    integer: fc.oneof(fc.bigInt().map(String), fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String)),
    decimal: fc.oneof(
      fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat()).map(([whole, part]) => `${whole}.${part}`),
      fc.constantFrom('NaN', 'Infinity', '-0.50'),
    ),
    double: fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
    string: anyCell.map((cell) => cell ?? ''),
    bytes: fc.uint8Array({ maxLength: 6 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
    date: fc.constantFrom('2024-02-29', '0044-03-15 BC', 'infinity'),
    time: fc.constantFrom('23:59:59.123456', '-838:59:59'),
    timestamp: fc.constantFrom('2024-02-29 23:59:59.5', 'infinity'),
    timestamptz: fc.constantFrom('2024-02-29 23:59:59.5+00', '-infinity'),
    json: fc.json().filter((json) => json.trim() !== 'null'),
  };
  const types = Object.keys(typed) as LogicalType[];
  const everyType = schemaOf(Object.fromEntries(types.map((type) => [type, type])));
  const typedRow = fc.tuple(...types.map((type) => fc.option(typed[type], { freq: 4 })));

  test('of every type come back as they were, where the types are declared', () => {
    const format = jsonLines({ columns: columns(...types.map((name) => (name === 'date' ? { name } : { name, type: name }))) });
    fc.assert(
      fc.property(fc.array(typedRow, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 200 }), (rows, chunkBytes) => {
        const file = encoded(jsonLines(), everyType, rows);
        expect(decoded(format, file, chunkBytes)).toEqual({ rows, rejected: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('have the keys in the order of the columns, and types where JSON has them', () => {
    const row = [
      'true',
      '12345678901234567890123',
      '1.50',
      '5e-324',
      'a "b" \\\t\n\u0001é😀',
      '\\x00ff',
      '2024-02-29',
      '12:00:00',
      '2024-02-29 12:00:00',
      '2024-02-29 12:00:00+00',
      '{"a": [1, "\\n"]}',
    ];
    const line =
      '{"boolean":true,"integer":12345678901234567890123,"decimal":1.50,"double":5e-324,"string":"a \\"b\\" \\\\\\t\\n\\u0001é😀","bytes":"\\\\x00ff",' +
      '"date":"2024-02-29","time":"12:00:00","timestamp":"2024-02-29 12:00:00","timestamptz":"2024-02-29 12:00:00+00","json":{"a": [1, "\\n"]}}\n';
    const schema = schemaOf(
      Object.fromEntries(
        ['boolean', 'integer', 'decimal', 'double', 'string', 'bytes', 'date', 'time', 'timestamp', 'timestamptz', 'json'].map((type) => [
          type,
          type as LogicalType,
        ]),
      ),
    );
    expect(encoded(jsonLines(), schema, [row]).toString()).toBe(line);
    const nulls = encoded(jsonLines(), schema, [row.map(() => null)]).toString();
    expect(Object.values(JSON.parse(nulls) as object)).toEqual(row.map(() => null));
  });

  test.each([
    ['NaN', '"NaN"'],
    ['-Infinity', '"-Infinity"'],
    ['007', '"007"'],
    ['+5', '"+5"'],
    ['.5', '".5"'],
    ['', '""'],
    ['-0', '-0'],
    ['1e+300', '1e+300'],
  ])('have the number %s as %s', (cell, json) => {
    expect(encoded(jsonLines(), schemaOf({ n: 'double' }), [[cell]]).toString()).toBe(`{"n":${json}}\n`);
  });

  test('have JSON of several lines on one', () => {
    const file = encoded(jsonLines(), schemaOf({ doc: 'json' }), [['{\r\n\t"a\\n":\n[ ] }\n']]).toString();
    expect(file).toBe('{"doc":{   "a\\n": [ ] } }\n');
  });

  test('with control characters in every byte are written, too', () => {
    const rows = [
      ['\u0000'.repeat(20_000), 'x'],
      ['\u001f'.repeat(20_000), 'y'],
    ];
    expect(decoded(jsonLines(), encoded(jsonLines(), textSchema(2), rows)).rows).toEqual(rows);
  });

  test.each<[string, LogicalType, string]>([
    ['a value that is neither true nor false', 'boolean', 't'],
    ['a value that is neither true nor false', 'boolean', 'falsy'],
    ['a text that is not JSON', 'json', '{"a":}'],
    ['a text that is not JSON', 'json', ''],
    ['a text that is not JSON', 'json', '1 2'],
    ['a null of JSON, which would be read back as NULL', 'json', ' null'],
  ])('refuse %s, with the row and the column', (message, type, cell) => {
    const schema = schemaOf({ a: 'string', b: type });
    expect(() =>
      encoded(jsonLines(), schema, [
        ['x', null],
        ['y', cell],
      ]),
    ).toThrow(expect.objectContaining({ code: 'ROW_REJECTED', row: 1, column: 'b', message }));
  });

  test('refuse columns of the same name', () => {
    const schema = { columns: [...textSchema(2).columns, ...textSchema(1).columns] };
    expect(() => jsonLines().encoder(schema)).toThrow(
      expect.objectContaining({ code: 'JOB_INVALID', message: expect.stringContaining('c0') }),
    );
  });

  test('leave the bytes of one batch alone while the next is encoded', () => {
    const schema = textSchema(1);
    const encoder = jsonLines().encoder(schema);
    const [first, second] = ['the first', 'second'].map((text) => encoder.encode(batchOf(schema, [[text]])));
    expect([Buffer.from(first!).toString(), Buffer.from(second!).toString()]).toEqual(['{"c0":"the first"}\n', '{"c0":"second"}\n']);
  });
});
