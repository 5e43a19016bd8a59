import type { ColumnPair } from '../types/trips.ts';

const hexOf = (bytes: readonly number[]) => Buffer.from(bytes).toString('hex');
const allBytes = Array.from({ length: 256 }, (_, byte) => byte);
const odd = 'tab\t lf\n cr\r back\\ N\\N é ß 漢 😀';

/** Whole numbers around every width that is read or written in a way of its own. */
function wholes(bits: number): string[] {
  const half = 2n ** BigInt(bits - 1);
  const around = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 10n ** 14n, 10n ** 15n, half].flatMap((one) => [
    one - 1n,
    one,
    one + 1n,
    -one - 1n,
    -one,
    1n - one,
  ]);
  return around.filter((one) => one >= -half && one < half).map((one) => (one === -(2n ** 63n) ? '-9223372036854775807 - 1' : String(one)));
}

const days = [
  '0001-01-01',
  '0004-02-29',
  '0100-03-01',
  '1582-10-10',
  '1899-12-31',
  '1900-02-28',
  '1900-03-01',
  '1969-12-31',
  '1970-01-01',
  '1999-12-31',
  '2000-01-01',
  '2000-02-29',
  '2000-03-01',
  '2024-12-31',
  '9999-12-31',
];
const times = ['00:00:00', '00:00:00.000001', '12:34:56.789012', '23:59:59.999999'];
const moments = days.flatMap((day) => times.map((time) => `'${day} ${time}'`));
const decimals = [
  '0',
  '0.0001',
  '-0.00',
  '-0.0001',
  '1',
  '9999',
  '10000',
  '100000000',
  '99990000.00010000',
  '-99990000.0001',
  '12345678901234567890.12345678901234567890',
];
const digits65 = [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-${'1'.repeat(35)}.${'0'.repeat(29)}1`];
const doubles = [
  '5e-324',
  '1.7976931348623157e308',
  '-1.7976931348623157e308',
  '2.2250738585072014e-308',
  '0.1',
  '123456789012345.6',
  '12345678901234.5',
  '1234567890.12345',
  '999999999999999',
  '9999999999999998',
  '9007199254740993',
  '0.000001',
  '1e15',
  '1e16',
  '1e23',
  '-0e0',
  '0',
  '-2.5',
];
const singles = ['3.4028234663852886e38', '1e-45', '1.17549435e-38', '0.1', '16777216', '-0.333333', '1234567.9'];

export const mysqlColumns: readonly ColumnPair[] = [
  { from: 'bool', to: 'boolean', values: ['0', '1'] },
  { from: 'tinyint', to: 'smallint', values: wholes(8) },
  { from: 'smallint', to: 'smallint', values: wholes(16) },
  { from: 'mediumint unsigned', to: 'integer', values: ['0', '16777215'] },
  { from: 'int', to: 'integer', values: wholes(32) },
  { from: 'int unsigned', to: 'bigint', values: ['0', '4294967295'] },
  { from: 'int(9) zerofill', to: 'integer', values: ['7', '0'] },
  { from: 'bigint', to: 'bigint', values: wholes(64) },
  { from: 'bigint(20) zerofill', to: 'bigint', values: ['7', '9223372036854775807'] },
  { from: 'bigint unsigned', to: 'numeric(20,0)', values: ['0', '9999', '10000', '18446744073709551615'] },
  { from: 'year', to: 'smallint', values: ['1901', '2155', '0'] },
  { from: 'decimal(40,20)', to: 'numeric(40,20)', values: decimals },
  { from: 'decimal(65,30)', to: 'numeric', values: [...decimals, ...digits65] },
  { from: 'decimal(65,0)', to: 'numeric', values: ['9'.repeat(65), '1', '0', `-1${'0'.repeat(64)}`] },
  { from: 'decimal(12,7)', to: 'numeric(20,10)', values: ['1.0000001', '-0.1234567', '99999'] },
  { from: 'decimal(10,2) zerofill', to: 'numeric(10,2)', values: ['1.5', '0', '12345.67'] },
  { from: 'float', to: 'real', values: singles },
  { from: 'float', to: 'double precision', values: singles },
  { from: 'double', to: 'double precision', values: doubles },
  { from: 'double(15,2)', to: 'double precision', values: ['9999999999999.99', '-0.01', '0'] },
  { from: 'date', to: 'date', values: days.map((day) => `'${day}'`) },
  { from: 'time(6)', to: 'time', values: times.map((time) => `'${time}'`) },
  { from: 'time', to: 'time(3)', values: ["'00:00:01'", "'23:59:59'"] },
  { from: 'datetime(6)', to: 'timestamp', values: moments },
  { from: 'datetime', to: 'timestamp(0)', values: ["'1969-12-31 23:59:59'", "'9999-12-31 23:59:59'"] },
  { from: 'datetime(3)', to: 'timestamptz', values: ["'1969-12-31 23:59:59.999'", "'0001-01-01 00:00:00.001'"] },
  {
    from: 'timestamp(6) null',
    to: 'timestamptz',
    values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'", "'2024-03-31 02:30:00.000001'"],
  },
  { from: 'varchar(50)', to: 'varchar(50)', values: ["''", "' '", `CONVERT(x'${Buffer.from(odd).toString('hex')}' USING utf8mb4)`] },
  { from: 'char(5)', to: 'text', values: ["''", "'ab'", "'漢字😀'"] },
  { from: "enum('a','b c')", to: 'text', values: ["'a'", "'b c'"] },
  { from: 'varchar(20) character set latin1', to: 'text', values: ["'é'"] },
  {
    from: 'longtext',
    to: 'text',
    values: [39, 40, 41, 250, 251, 252, 65_535, 65_536, 70_000].map((length) => `REPEAT('x', ${length})`).concat("REPEAT('漢😀', 30000)"),
  },
  { from: 'json', to: 'json', values: [`'{"a": 1.50, "b": ["é"]}'`, "'null'"] },
  { from: 'longblob', to: 'bytea', values: ["''", "x'00'", `x'${hexOf(allBytes)}'`, `REPEAT(x'${hexOf(allBytes)}', 300)`] },
  { from: 'binary(4)', to: 'bytea', values: ["x'00ff5c09'", "x'00000000'"] },
  { from: 'point', to: 'bytea', values: ['POINT(1, -2.5)'] },
];

const infinite = ["'infinity'", "'-infinity'"];

export const postgresColumns: readonly ColumnPair[] = [
  { from: 'boolean', to: 'boolean', values: ['true', 'false'] },
  { from: 'smallint', to: 'smallint', values: wholes(16) },
  { from: 'integer', to: 'integer', values: wholes(32) },
  { from: 'bigint', to: 'bigint', values: wholes(64) },
  { from: 'real', to: 'real', values: [...singles, "'NaN'", ...infinite] },
  { from: 'double precision', to: 'double precision', values: [...doubles, "'-0'", "'NaN'", ...infinite] },
  { from: 'numeric(40,20)', to: 'numeric(40,20)', values: decimals },
  { from: 'numeric', to: 'numeric', values: [...decimals, ...digits65, "'NaN'", '1e300', '1e-300'] },
  { from: 'text', to: 'text', values: ["''", `convert_from('\\x${Buffer.from(odd).toString('hex')}', 'UTF8')`, "repeat('漢x', 70000)"] },
  { from: 'varchar(9)', to: 'varchar(9)', values: ["''", "'  a  '"] },
  { from: 'char(5)', to: 'char(5)', values: ["''", "'ab'"] },
  { from: 'json', to: 'json', values: [`' {"a" : 1, "a":2}'`] },
  { from: 'jsonb', to: 'jsonb', values: [`'{"a": 1.50, "b": null}'`, "'[]'"] },
  { from: 'bytea', to: 'bytea', values: ["''", "'\\x00'", `'\\x${hexOf(allBytes)}'`] },
  { from: 'date', to: 'date', values: [...days.map((day) => `'${day}'`), "'4713-01-01 BC'", ...infinite] },
  { from: 'time', to: 'time', values: [...times.map((time) => `'${time}'`), "'24:00:00'"] },
  { from: 'timestamp', to: 'timestamp', values: [...moments, "'4713-01-01 BC'", "'294276-12-31 23:59:59.999999'", ...infinite] },
  { from: 'timestamptz', to: 'timestamptz', values: [...moments, ...infinite] },
  { from: 'uuid', to: 'uuid', values: ["'00000000-0000-0000-0000-0000000000ff'"] },
];
