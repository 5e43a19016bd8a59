import type { TypeCase } from './type-case.ts';

const allBytes = `UNHEX('${Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('hex')}')`;
/** Every character of latin1 (cp1252 to MySQL) but NUL, which PostgreSQL does not have. */
const allLatin1 = `CONVERT(UNHEX('${Buffer.from(Array.from({ length: 255 }, (_, byte) => byte + 1)).toString('hex')}') USING latin1)`;
/** Every character that COPY, LOAD DATA, CSV or SQL treats in its own way, and one of each length in UTF-8. */
const oddText = String.raw`'tab\t lf\n crlf\r\n cr\r bs\b sub\Z "double" ''single'' back\\slash \\N \\. %_ ,;| é ß 漢 😀'`;
const withNul = String.raw`'a\0b'`;

/** Signed, unsigned and filled with zeros. */
function integers(native: string, bits: number, elsewhere: string, wider: string): TypeCase[] {
  const half = 2n ** BigInt(bits - 1);
  return [
    { native, values: [`${-half}`, `${half - 1n}`, '0'], elsewhere },
    { native: `${native} unsigned`, values: [`${2n * half - 1n}`, '0'], elsewhere: wider },
    { native: `${native}(20) zerofill`, values: [`${2n * half - 1n}`, '7', '0'], elsewhere: wider },
  ];
}

const numbers: TypeCase[] = [
  ...integers('tinyint', 8, 'smallint', 'smallint'),
  ...integers('smallint', 16, 'smallint', 'integer'),
  ...integers('mediumint', 24, 'integer', 'integer'),
  ...integers('int', 32, 'integer', 'bigint'),
  ...integers('bigint', 64, 'bigint', 'numeric(20,0)'),
  {
    native: 'bigint unsigned',
    values: ['9223372036854775807'],
    elsewhere: 'bigint',
    refused: ['9223372036854775808', '18446744073709551615'],
  },
  { native: 'tinyint(1)', values: ['-128', '127', '1'], elsewhere: 'smallint' },
  { native: 'boolean', values: ['true', 'false'], elsewhere: 'boolean', refused: ['2', '-1'] },
  {
    native: 'decimal(65,30)',
    values: [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-${'9'.repeat(35)}.${'9'.repeat(30)}`, '0.000000000000000000000000000001'],
    elsewhere: 'numeric(65,30)',
  },
  { native: 'decimal(65,0) unsigned', values: ['9'.repeat(65)], elsewhere: 'numeric' },
  { native: 'decimal(10,2) zerofill', values: ['1.5', '0', '99999999.99'], elsewhere: 'numeric(10,2)' },
  {
    native: 'float',
    values: ['3.4028234663852886e38', '-3.4028234663852886e38', '1e-45', '1.17549435e-38', '0.1', '16777216', '16777215'],
    elsewhere: 'real',
  },
  { native: 'float', values: ['0.1', '1e-45'], elsewhere: 'double precision' },
  { native: 'float unsigned', values: ['1.2345679'], elsewhere: 'real' },
  { native: 'float(7,3)', values: ['1234.567', '-9999.999', '0.001'], elsewhere: 'real' },
  {
    native: 'double',
    values: ['1.7976931348623157e308', '-1.7976931348623157e308', '5e-324', '2.2250738585072014e-308', '0.1', '9007199254740992', '1e23'],
    elsewhere: 'double precision',
  },
  { native: 'double(15,2)', values: ['9999999999999.99', '-0.01'], elsewhere: 'double precision' },
  { native: 'double(15,2) zerofill', values: ['1.5', '0'], elsewhere: 'numeric(15,2)' },
  { native: 'bit(1)', values: ["b'0'", "b'1'"], elsewhere: 'bit(1)' },
  { native: 'bit(1)', values: ["b'0'", "b'1'"], elsewhere: 'boolean' },
  { native: 'bit(11)', values: ["b'00000000101'"], elsewhere: 'bit(11)' },
  { native: 'bit(64)', values: [`b'${'1'.repeat(64)}'`, "b'1'", "b'0'"], elsewhere: 'bit(64)' },
  { native: 'year', values: ['0000', '1901', '2155'], elsewhere: 'smallint' },
  { native: 'year(2)', values: ["'00'", "'69'", "'70'"], elsewhere: 'smallint' },
];

const times: TypeCase[] = [
  {
    native: 'date',
    values: ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'"],
    elsewhere: 'date',
    refused: ["'0000-00-00'", "'2020-00-00'", "'2020-05-00'"],
  },
  { native: 'time(6)', values: ["'838:59:59.999999'", "'-838:59:59.999999'", "'-00:00:00.000001'", "'00:00:00'"], elsewhere: 'interval' },
  { native: 'time', values: ["'838:59:59'", "'-838:59:59'"], elsewhere: 'interval' },
  {
    native: 'time(3)',
    values: ["'00:00:00.001'", "'24:00:00'", "'23:59:59.999'"],
    elsewhere: 'time(3)',
    refused: ["'24:00:01'", "'-00:00:01'", "'838:59:59.999'"],
  },
  {
    native: 'datetime',
    values: ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59'"],
    elsewhere: 'timestamp(0)',
    refused: ["'0000-00-00 00:00:00'", "'2020-00-00 00:00:00'"],
  },
  { native: 'datetime(3)', values: ["'9999-12-31 23:59:59.999'"], elsewhere: 'timestamp(3)' },
  { native: 'datetime(6)', values: ["'9999-12-31 23:59:59.999999'", "'2024-02-29 12:00:00.1'"], elsewhere: 'timestamp' },
  {
    native: 'timestamp',
    values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"],
    elsewhere: 'timestamptz',
    refused: ["'0000-00-00 00:00:00'"],
  },
  { native: 'timestamp(6)', values: ["'2038-01-19 03:14:07.999999'", "'2024-03-31 02:30:00.000001'"], elsewhere: 'timestamptz' },
  { native: 'timestamp(3)', values: ["'2024-03-31 02:30:00.001'"], elsewhere: 'timestamp(3)' },
];

const texts: TypeCase[] = [
  { native: 'char(5)', values: ["'ab'", "''", "'漢字😀'"], elsewhere: 'char(5)' },
  { native: 'char(5)', values: ["'ab'"], elsewhere: 'text' },
  { native: 'char(5) binary', values: ["'Ab'"], elsewhere: 'varchar(5)' },
  {
    native: 'varchar(12)',
    values: ["'trailing  '", "'  leading'", "''", "'😀😀😀😀😀😀😀😀😀😀😀😀'", String.raw`'\\N'`, "'NULL'"],
    elsewhere: 'varchar(12)',
  },
  { native: 'varchar(255) character set latin1', values: [allLatin1, "'é'"], elsewhere: 'varchar(255)' },
  { native: 'varchar(20) character set utf8mb3', values: ["'é漢'"], elsewhere: 'text' },
  { native: 'varchar(20) character set utf16', values: ["'é漢😀'"], elsewhere: 'text' },
  { native: 'tinytext', values: [oddText, "REPEAT('x', 255)"], elsewhere: 'text' },
  { native: 'text', values: [oddText, "''"], elsewhere: 'text', refused: [withNul] },
  { native: 'mediumtext', values: [oddText, "' '"], elsewhere: 'text' },
  { native: 'longtext', values: [oddText, "REPEAT('x\\t', 40000)"], elsewhere: 'text' },
  {
    native: String.raw`enum('a', 'it''s', 'with,comma', 'x"y', '7', '1', '', 'back\\slash', 'line\nfeed')`,
    values: ["'it''s'", "'with,comma'", "'x\"y'", "'7'", "'1'", "''", String.raw`'back\\slash'`, String.raw`'line\nfeed'`],
    elsewhere: 'text',
  },
  { native: "set('a', 'it''s', 'x y', '2')", values: ["''", "'a,it''s,x y,2'", "'2'"], elsewhere: 'text' },
  { native: 'json', values: [`' {"a" : 1.50, "a": "\\\\u00e9"} '`, "'null'", `'"😀"'`], elsewhere: 'json' },
  { native: 'uuid', values: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"], elsewhere: 'uuid' },
  { native: 'inet6', values: ["'::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'::ffff:1.2.3.4'"], elsewhere: 'inet' },
  { native: 'inet4', values: ["'0.0.0.0'", "'255.255.255.255'"], elsewhere: 'inet' },
];

const bytes: TypeCase[] = [
  { native: 'binary(4)', values: ["x'00ff5c09'", "x'00000000'", "x'20202020'"], elsewhere: 'bytea' },
  { native: 'varbinary(300)', values: [allBytes, "''", "x'00'"], elsewhere: 'bytea' },
  { native: 'tinyblob', values: ["x'00ff5c5c4e'", "''"], elsewhere: 'bytea' },
  { native: 'blob', values: [allBytes, "''"], elsewhere: 'bytea' },
  { native: 'mediumblob', values: [allBytes], elsewhere: 'bytea' },
  { native: 'longblob', values: [`REPEAT(${allBytes}, 400)`, "''"], elsewhere: 'bytea' },
  {
    native: 'geometry',
    values: ["ST_GeomFromText('POINT(1 -2.5)', 4326)", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')"],
    elsewhere: 'bytea',
  },
  { native: 'point', values: ['POINT(1e308, -5e-324)'], elsewhere: 'bytea' },
  { native: 'linestring', values: ["ST_GeomFromText('LINESTRING(0 0,1 0.1)')"], elsewhere: 'bytea' },
  { native: 'polygon', values: ["ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"], elsewhere: 'bytea' },
  { native: 'multipoint', values: ["ST_GeomFromText('MULTIPOINT(0 0,1 1)')"], elsewhere: 'bytea' },
].map((one) => ({ ...one, inFile: 'bytes' as const }));

export const mysqlTypes: readonly TypeCase[] = [...numbers, ...times, ...texts, ...bytes];
