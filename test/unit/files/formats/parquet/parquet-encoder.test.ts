import { describe, expect, test } from 'vitest';
import type { Column, Schema } from '../../../../../core/sdk/index.ts';
import { parquet } from '../../../../../plugins/_files/formats/parquet.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { batchOf } from '../keeping-output.ts';
import { readIndexed } from '../through.ts';

const schemaOf = (column: Omit<Column, 'name' | 'isNullable'>): Schema => ({
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'value', isNullable: true, ...column },
  ],
});

describe('the Parquet writer', () => {
  test.each<[Column['type'], object, readonly string[], string]>([
    ['boolean', {}, ['t', 'TRUE', ''], 'a value that is not true or false'],
    [
      'integer',
      {},
      ['9223372036854775808', '-9223372036854775809', '18446744073709551615', '1.5', 'x', ''],
      'a value that is not a whole number of at most 64 bits',
    ],
    [
      'decimal',
      { precision: 4, scale: 2 },
      ['100.00', '-100', '1.234', 'NaN', 'Infinity', '', '1e9'],
      'a value that is not a number of 4 digits, 2 of them behind the point',
    ],
    [
      'decimal',
      { precision: 20, scale: 0 },
      ['100000000000000000000', '0.5'],
      'a value that is not a number of 20 digits, 0 of them behind the point',
    ],
    ['double', {}, ['', 'x', '0x10', '1e999', ' '], 'a value that is not a number'],
    ['date', {}, ['infinity', '2023-02-29', '2024-01-01 00:00:01', ''], 'a value that is not a date'],
    ['time', {}, ['24:00:00', '-01:00:00', '838:59:59', '12:00:00.1234567', ''], 'a value that is not a time of day before 24:00'],
    ['timestamp', {}, ['infinity', '2024-01-01 00:00:00+00', '294248-01-01 00:00:00', ''], 'a value that is not a finite date and time'],
    ['timestamptz', {}, ['-infinity', '2024-01-01 00:00:00'], 'a value that is not a finite date and time in UTC'],
    ['bytes', {}, ['', '\\x0', '\\xgg', 'ff', 'x00'], 'a value that is not \\x and pairs of hex digits'],
  ])('refuses a %s %j that a file cannot hold, and keeps nothing of its batch', async (type, limits, texts, message) => {
    const schema = schemaOf({ type, ...limits });
    const encoder = parquet().encoder(schema);
    const parts = [Buffer.from(encoder.start()), Buffer.from(encoder.encode(batchOf(schema, [['1', null]])))];
    for (const text of texts) {
      expect({
        text,
        fault: faultOf(() =>
          encoder.encode(
            batchOf(schema, [
              ['2', null],
              ['3', text],
              ['4', null],
            ]),
          ),
        ),
      }).toEqual({
        text,
        fault: { code: 'ROW_REJECTED', row: 1, column: 'value', message },
      });
    }
    parts.push(Buffer.from(encoder.encode(batchOf(schema, [['5', null]]))), Buffer.from(encoder.end()));
    expect((await readIndexed(parquet(), Buffer.concat(parts))).rows).toEqual([
      ['1', null],
      ['5', null],
    ]);
  });

  test('refuses a NULL in a column that says it has none', () => {
    const schema: Schema = { columns: [{ name: 'n', type: 'string', isNullable: false }] };
    expect(
      faultOf(() =>
        parquet()
          .encoder(schema)
          .encode(batchOf(schema, [['a'], [null]])),
      ),
    ).toMatchObject({ row: 1, column: 'n' });
  });

  test.each([
    ['decimal', { precision: 4, scale: 2 }, '1.5', '1.50'],
    ['decimal', { precision: 4, scale: 2 }, '01.5000', '1.50'],
    ['decimal', { precision: 3, scale: 5 }, '0.00123', '0.00123'],
    ['decimal', { precision: 3, scale: -2 }, '99900', '99900'],
    ['decimal', { precision: 20, scale: 1 }, '-0.0', '0.0'],
    ['integer', {}, '+007', '7'],
    ['double', {}, '1E5', '100000'],
    ['date', {}, '2024-01-01 00:00:00', '2024-01-01'],
    ['timestamp', {}, '2024-01-01', '2024-01-01 00:00:00'],
    ['timestamptz', {}, '2024-01-01 01:00:00+01', '2024-01-01 00:00:00+00'],
    ['bytes', {}, '\\xAB', '\\xab'],
  ] as const)('takes the %s %j %s for %s', async (type, limits, text, canonical) => {
    const schema = schemaOf({ type, ...limits });
    const encoder = parquet().encoder(schema);
    const file = [encoder.start(), encoder.encode(batchOf(schema, [['1', text]])), encoder.end()].map((part) => Buffer.from(part));
    expect((await readIndexed(parquet(), Buffer.concat(file))).rows).toEqual([['1', canonical]]);
  });

  test.each([
    ['columns of one name', { columns: [...textSchema(1).columns, ...textSchema(1).columns] }],
    ['no columns', { columns: [] }],
  ])('refuses %s, before it starts', (_, schema) => {
    expect(() => parquet().encoder(schema)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
  });

  test('leaves the bytes that it returned alone', () => {
    const encoder = parquet().encoder(textSchema(1));
    const start = encoder.start();
    encoder.encode(batchOf(textSchema(1), [['a']]));
    const end = encoder.end();
    expect([Buffer.from(start).toString(), Buffer.from(end).toString('latin1').slice(-4)]).toEqual(['PAR1', 'PAR1']);
  });

  test('does not touch the batch', () => {
    const schema = schemaOf({ type: 'bytes' });
    const batch = batchOf(schema, [['1', '\\x00ff']]);
    const before = Buffer.from(batch.bytes);
    parquet().encoder(schema).encode(batch);
    expect(batch.bytes.equals(before)).toBe(true);
  });
});

function faultOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    const { code, row, column, message } = error as { code: string; row: number; column: string; message: string };
    return { code, row, column, message };
  }
  return undefined;
}
