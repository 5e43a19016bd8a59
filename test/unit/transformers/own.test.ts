import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Cell, LogicalType } from '../../../core/sdk/index.ts';
import { openTransformers, transformed, typedSchema } from '../../support/through-chain.ts';

/** What becomes of one cell. */
async function fateOf(name: string, parameter: object, cell: Cell, type: LogicalType = 'string') {
  const [fate] = await transformed(name, { column: 'c0', ...parameter }, typedSchema(type), [[cell]]);
  return Array.isArray(fate) ? fate[0]! : fate;
}

describe('mask', () => {
  test.each<[object, Cell, Cell]>([
    [{}, 'secret', '******'],
    [{ keepFirst: 1, keepLast: 2 }, 'secret', 's***et'],
    [{ keepFirst: 3, keepLast: 3 }, 'secret', '******'],
    [{ keepFirst: 1, char: '•' }, '😀😀é', '😀••'],
    [{}, null, null],
    [{}, '', ''],
    [{ type: 'email' }, 'ann.lee@example.com', 'a******@example.com'],
    [{ type: 'email' }, '"a@b"@example.com', '"****@example.com'],
    [{ type: 'email' }, 'no address', '**********'],
    [{ type: 'email' }, '@b', '**'],
    [{ type: 'phone' }, '+49 (0)171 555-1234', '+** (*)*** ***-1234'],
    [{ type: 'phone' }, '110', '***'],
    [{ type: 'phone' }, '555 1234 ext', '*** 1234 ***'],
  ])('%j makes of %j: %j', async (parameter, cell, expected) => {
    expect(await fateOf('mask', parameter, cell)).toBe(expected);
  });
});

describe('hash', () => {
  test('writes the digest of the text, and of bytes that of the bytes', async () => {
    expect(await fateOf('hash', {}, 'abc')).toBe(createHash('sha256').update('abc').digest('hex'));
    expect(await fateOf('hash', { algorithm: 'md5', encoding: 'base64' }, '\\x616263', 'bytes')).toBe('kAFQmDzST7DWlj99KOF/cg==');
    expect(await fateOf('hash', {}, null)).toBeNull();
  });

  test('is an HMAC with a key', async () => {
    expect(await fateOf('hash', { key: 'key', algorithm: 'sha512' }, 'ä')).toBe(createHmac('sha512', 'key').update('ä').digest('hex'));
  });
});

describe('map', () => {
  test.each<[object, Cell, Cell]>([
    [{ values: { A: 'active' } }, 'A', 'active'],
    [{ values: { A: null } }, 'A', null],
    [{ values: { A: 1 } }, 'A', '1'],
    [{ values: { A: 'x' } }, 'B', 'transformer 1 (map): a value that "values" does not list'],
    [{ values: { A: 'x' }, others: 'keep' }, 'B', 'B'],
    [{ values: { A: 'x' }, default: 'other' }, 'B', 'other'],
    [{ values: { A: 'x' }, default: null }, 'B', null],
    [{ values: { A: 'x' } }, null, null],
    [{ values: { A: 'x' }, forNull: 'none' }, null, 'none'],
    [{ values: {} }, 'constructor', 'transformer 1 (map): a value that "values" does not list'],
  ])('%j makes of %j: %j', async (parameter, cell, expected) => {
    expect(await fateOf('map', parameter, cell)).toBe(expected);
  });
});

describe('cast', () => {
  test.each<[LogicalType, object, Cell, Cell]>([
    ['string', { type: 'integer' }, ' 007 ', '7'],
    ['string', { type: 'integer' }, '1.50', 'transformer 1 (cast): a value that is no integer'],
    ['string', { type: 'integer' }, '', 'transformer 1 (cast): a value that is no integer'],
    ['string', { type: 'integer', emptyAsNull: true }, '', null],
    ['string', { type: 'decimal' }, '1.5e3', '1500'],
    ['string', { type: 'double' }, '-.5', '-0.5'],
    ['string', { type: 'boolean' }, 'Yes', 'true'],
    ['string', { type: 'boolean' }, '2', 'transformer 1 (cast): a value that is no boolean'],
    ['string', { type: 'date' }, '2024-02-29', '2024-02-29'],
    ['string', { type: 'date' }, '2023-02-29', 'transformer 1 (cast): a value that is no date'],
    ['string', { type: 'date', format: 'dd.MM.yyyy' }, '1.2.2026', '2026-02-01'],
    ['string', { type: 'date', format: 'dd.MM.yyyy' }, '31.02.2026', 'transformer 1 (cast): a value that is no date'],
    ['string', { type: 'timestamp', format: 'yyyyMMdd' }, '20260201', '2026-02-01 00:00:00'],
    ['string', { type: 'timestamptz', format: "yyyy-MM-dd'T'HH:mm:ss.SSS" }, '2026-02-01T10:11:12.345', '2026-02-01 10:11:12.345+00'],
    ['string', { type: 'timestamptz' }, '2026-02-01T10:00:00+02:00', '2026-02-01 08:00:00+00'],
    ['string', { type: 'time' }, '7:05', '07:05:00'],
    ['string', { type: 'bytes' }, 'ä', '\\xc3a4'],
    ['bytes', { type: 'string' }, '\\xc3a4', 'ä'],
    ['bytes', { type: 'integer' }, '\\x3432', '42'],
    ['string', { type: 'json' }, '{"a":1}', '{"a":1}'],
    ['string', { type: 'json' }, '{a}', 'transformer 1 (cast): a value that is no json'],
    ['timestamp', { type: 'date' }, '2026-02-01 23:59:59.9', '2026-02-01'],
    ['timestamptz', { type: 'date' }, '2026-02-01 23:59:59+00', '2026-02-01'],
    ['timestamptz', { type: 'timestamp' }, '2026-02-01 23:59:59+00', '2026-02-01 23:59:59'],
    ['timestamp', { type: 'timestamptz' }, '2026-02-01 23:59:59', '2026-02-01 23:59:59+00'],
    ['date', { type: 'timestamptz' }, '2026-02-01', '2026-02-01 00:00:00+00'],
    ['timestamp', { type: 'timestamptz' }, 'infinity', 'infinity'],
    ['boolean', { type: 'integer' }, 'true', '1'],
    ['integer', { type: 'boolean' }, '0', 'false'],
    ['decimal', { type: 'string' }, '1.50', '1.50'],
    ['integer', { type: 'integer' }, null, null],
  ])('%s %j: %j becomes %j', async (type, parameter, cell, expected) => {
    expect(await fateOf('cast', parameter, cell, type)).toBe(expected);
  });
});

test('rename, drop and cast change the columns that the next one sees', async () => {
  const chain = await openTransformers(
    [
      { name: 'rename', parameter: { columns: { c0: 'c1', c1: 'c0' } } },
      { name: 'drop', parameter: { column: 'c2' } },
      { name: 'cast', parameter: { columnIndex: [1], type: 'integer' } },
      { name: 'Dx_Filter', parameter: { column: 'c0', paras: ['>', '5'] } },
    ],
    typedSchema('string', 'string', 'bytes', 'date'),
  );
  expect(chain.schema.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['c1 string', 'c0 integer', 'c3 date']);
});
