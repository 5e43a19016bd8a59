import { expect, test } from 'vitest';
import type { BinaryForm, Column } from '../../../core/sdk/index.ts';
import { encoderOf } from '../../../plugins/mysql/binary-columns.ts';

type Case = readonly [type: Column['type'], form: BinaryForm, text: string, bytes: string];

function encoded(type: Column['type'], form: BinaryForm, text: string, more: Partial<Column> = {}): string {
  const source = Buffer.from(` ${text} `);
  const target = Buffer.alloc(text.length + 30);
  const encode = encoderOf({ name: 'c', type, isNullable: true, ...more }, form)!;
  const end = encode(target, 0, source, 1, source.length - 1);
  expect(target.readInt32BE(0)).toBe(end - 4);
  return target.toString('hex', 4, end);
}

/** What PostgreSQL's …_send functions print. */
test.each<Case>([
  ['integer', 'bool', '1', '01'],
  ['integer', 'int2', '-32768', '8000'],
  ['integer', 'int4', '-1', 'ffffffff'],
  ['integer', 'int8', '-9223372036854775808', '8000000000000000'],
  ['integer', 'int8', '-4294967297', 'fffffffeffffffff'],
  ['decimal', 'numeric', '0.0001', '0001ffff000000040001'],
  ['decimal', 'numeric', '-12345.60', '0003000140000002000109291770'],
  ['integer', 'numeric', '10000', '000200010000000000010000'],
  ['double', 'float8', '-0', '8000000000000000'],
  ['double', 'float8', '123456789012345.6', '42dc12218377de66'],
  ['date', 'date', '1999-12-31', 'ffffffff'],
  ['date', 'date', '0001-01-01', 'fff4dbf9'],
  ['time', 'time', '23:59:59.999999', '000000141dd75fff'],
  ['timestamp', 'timestamp', '1999-12-31 23:59:59.999999', 'ffffffffffffffff'],
  ['timestamp', 'timestamp', '2000-01-01 00:00:00.1', '00000000000186a0'],
  ['string', 'text', 'é', 'c3a9'],
])('%s as %s: %s', (type, form, text, bytes) => {
  expect(encoded(type, form, text)).toBe(bytes);
});

test.each<readonly [Column['type'], BinaryForm, string]>([
  ['integer', 'bool', '2'],
  ['integer', 'bool', '-1'],
  ['integer', 'int2', '32768'],
  ['integer', 'int2', '-32769'],
  ['integer', 'int4', '2147483648'],
  ['integer', 'int4', '18446744073709551615'],
  ['integer', 'int8', '9223372036854775808'],
  ['integer', 'int8', '-9223372036854775809'],
  ['date', 'date', '0000-00-00'],
  ['date', 'date', '2020-00-01'],
  ['date', 'date', '2020-01-00'],
  ['date', 'date', '1900-02-29'],
  ['timestamp', 'timestamp', '2020-02-31 00:00:00'],
  ['time', 'time', '24:00:00'],
  ['time', 'time', '838:59:59.000000'],
  ['time', 'time', '-01:00:00'],
])('%s has no %s of %s', (type, form, text) => {
  expect(() => encoded(type, form, text)).toThrow(expect.objectContaining({ code: 'NOT_STRAIGHT' }));
});

test.each<readonly [Partial<Column> & Pick<Column, 'type'>, BinaryForm]>([
  [{ type: 'string', nativeType: 'bit(8)' }, 'text'],
  [{ type: 'double' }, 'float4'],
  [{ type: 'double', mantissaBits: 24, scale: 2 }, 'float4'],
  [{ type: 'string' }, 'uuid'],
  [{ type: 'json' }, 'jsonb'],
  [{ type: 'string' }, 'int4'],
  [{ type: 'decimal' }, 'int8'],
])('%o is not brought into %s', (column, form) => {
  expect(encoderOf({ name: 'c', isNullable: true, ...column }, form)).toBeUndefined();
});
