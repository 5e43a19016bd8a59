import type { TypeCase } from './type-case.ts';

/** Created in the database before the tables. */
export const postgresSetup = `
  CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;
  CREATE TYPE mood AS ENUM ('sad', 'it''s', 'with,comma', 'x"y', '7', '', 'back\\slash');
  CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
  CREATE DOMAIN price AS numeric(10,2);
  CREATE DOMAIN yes AS boolean;
  CREATE TYPE pair AS (a int, b text);`;

const allBytes = `(SELECT string_agg(set_byte('\\x00', 0, n), '' ORDER BY n) FROM generate_series(0, 255) n)`;
/** Every character that COPY, CSV or SQL treats in its own way, and one of each length in UTF-8. */
const oddText = String.raw`E'tab\t lf\n crlf\r\n cr\r bs\b ff\f vt\v esc\x1b del\x7f "double" ''single'' back\\slash \\N \\. ,;| é ß 漢 😀 \u2028 \ufeff'`;

const numbers: TypeCase[] = [
  { native: 'smallint', values: ['-32768', '32767', '0'], elsewhere: 'smallint' },
  { native: 'integer', values: ['-2147483648', '2147483647'], elsewhere: 'int' },
  { native: 'bigint', values: ['-9223372036854775808', '9223372036854775807'], elsewhere: 'bigint' },
  { native: 'oid', values: ['0', '4294967295'], elsewhere: 'int unsigned' },
  {
    native: 'numeric',
    values: ["'0.000000000000000000000000000001'", "'-99999999999999999999999999999999999.999999999999999999999999999999'"],
    elsewhere: 'decimal(65,30)',
    refused: ["'NaN'", "'Infinity'", "'-Infinity'", "'1e40'", "'1e-31'", "'1e1000'"],
  },
  {
    native: 'numeric',
    values: ['0', '18446744073709551615', `-${'9'.repeat(65)}`],
    elsewhere: 'decimal(65,0)',
    refused: ["'0.5'", `1${'0'.repeat(65)}`],
  },
  { native: 'numeric(65,30)', values: [`'${'9'.repeat(35)}.${'9'.repeat(30)}'`, "'1.5'"], elsewhere: 'decimal(65,30)', refused: ["'NaN'"] },
  { native: 'numeric(3,-2)', values: ['99900', '-100'], elsewhere: 'decimal(5,0)' },
  { native: 'numeric(3,5)', values: ['0.00999', '-0.00001'], elsewhere: 'decimal(5,5)' },
  {
    native: 'real',
    values: ["'3.4028235e38'", "'-3.4028235e38'", "'1e-45'", "'1.1754944e-38'", '0.1', '16777216', '1.2345679', '0'],
    elsewhere: 'float',
    refused: ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'"],
  },
  {
    native: 'double precision',
    values: [
      "'1.7976931348623157e308'",
      "'-1.7976931348623157e308'",
      "'5e-324'",
      "'2.2250738585072014e-308'",
      '0.1',
      '9007199254740993',
      "'1e23'",
      '1e-7',
    ],
    elsewhere: 'double',
    refused: ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'"],
  },
  { native: 'money', values: ["'92233720368547758.07'", "'-92233720368547758.08'", '0', '0.01'], elsewhere: 'varchar(40)' },
  { native: 'boolean', values: ['true', 'false'], elsewhere: 'boolean' },
  { native: 'yes', values: ['true', 'false'], elsewhere: 'tinyint' },
  { native: 'positive', values: ['1', '9223372036854775807'], elsewhere: 'bigint unsigned' },
  { native: 'price', values: ['-99999999.99', '0.01'], elsewhere: 'decimal(10,2)', refused: ["'NaN'"] },
];

const texts: TypeCase[] = [
  { native: 'char(5)', values: ["'ab'", "''", "'漢字😀'", "'a\\nb'"], elsewhere: 'char(5)' },
  { native: 'char(3)', values: ["'ab'", "''"], elsewhere: 'varchar(3)' },
  {
    native: 'varchar(12)',
    values: ["'trailing  '", "'  leading'", "''", "'😀😀😀😀😀😀😀😀😀😀😀😀'", String.raw`'\N'`, "'NULL'"],
    elsewhere: 'varchar(12)',
  },
  {
    native: 'text',
    values: [oddText, "''", "' '", String.raw`'\N'`, String.raw`'\'`, "'\"'", "E'\\n'", "repeat('x\t', 40000)"],
    elsewhere: 'longtext',
  },
  { native: 'citext', values: ["'MiXeD'", "''"], elsewhere: 'text' },
  { native: 'name', values: ["'x'", `'${'é'.repeat(31)}x'`], elsewhere: 'varchar(63)' },
  { native: '"char"', values: ["'a'", "''", String.raw`'\377'`, "' '"], elsewhere: 'varchar(4)' },
  { native: 'bytea', values: [allBytes, "''", String.raw`'\x5c5c4e'`], elsewhere: 'longblob', inFile: 'bytes' },
  { native: 'uuid', values: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"], elsewhere: 'uuid' },
  { native: 'uuid', values: ["'6ccd780c-baba-1026-9564-0040f4311e29'"], elsewhere: 'char(36)' },
  { native: 'json', values: [`' {"a" : 1.50, "a": "\\u00e9\\\\"} '`, "'null'", `'"😀"'`, "'[]'"], elsewhere: 'json' },
  { native: 'jsonb', values: [`'{"b": 1e400, "a": [null, "\\n\\t\\""]}'`, "'null'", "'[]'"], elsewhere: 'json' },
  { native: 'xml', values: ['\'<a b="1">é&amp;</a>\'', "'text'"], elsewhere: 'longtext' },
  {
    native: 'mood',
    values: ["'it''s'", "'with,comma'", "'x\"y'", "'7'", "''", String.raw`'back\slash'`],
    elsewhere: String.raw`enum('sad', 'it''s', 'with,comma', 'x"y', '7', '', 'back\\slash')`,
  },
  { native: 'bit(1)', values: ["B'0'", "B'1'"], elsewhere: 'bit(1)' },
  { native: 'bit(64)', values: [`B'${'1'.repeat(64)}'`, `B'${'0'.repeat(63)}1'`], elsewhere: 'bit(64)' },
  { native: 'bit varying(80)', values: ["B''", `B'${'1'.repeat(80)}'`, "B'010'"], elsewhere: 'varchar(80)' },
  { native: 'bit varying', values: ["B'01010101'"], elsewhere: 'bit(8)', refused: ["B'101'", "B''", "B'101010101'"] },
];

const times: TypeCase[] = [
  {
    native: 'date',
    values: ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'"],
    elsewhere: 'date',
    refused: ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'4713-01-01 BC'", "'10000-01-01'", "'5874897-12-31'"],
  },
  { native: 'time', values: ["'00:00'", "'24:00:00'", "'23:59:59.999999'", "'12:34:56.1'"], elsewhere: 'time(6)' },
  { native: 'time(3)', values: ["'23:59:59.999'"], elsewhere: 'time(3)' },
  { native: 'timetz', values: ["'23:59:59.999999+15:59'", "'00:00:00-15:59'", "'24:00:00+05:30'"], elsewhere: 'varchar(40)' },
  { native: 'timetz(2)', values: ["'23:59:59.99+02'"], elsewhere: 'varchar(40)' },
  {
    native: 'timestamp',
    values: ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'2024-02-29 12:00:00.1'"],
    elsewhere: 'datetime(6)',
    refused: ["'infinity'", "'-infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
  },
  { native: 'timestamp(0)', values: ["'9999-12-31 23:59:59'"], elsewhere: 'datetime' },
  { native: 'timestamp(3)', values: ["'9999-12-31 23:59:59.999'"], elsewhere: 'datetime(3)' },
  {
    native: 'timestamptz',
    values: ["'1970-01-01 00:00:01+00'", "'2038-01-19 03:14:07.999999+00'", "'2024-03-31 01:30:00.123456+02'"],
    elsewhere: 'timestamp(6)',
    refused: [
      "'infinity'",
      "'-infinity'",
      "'1970-01-01 00:00:00+00'",
      "'2038-01-19 03:14:08+00'",
      "'4713-01-01 00:00:00+00 BC'",
      "'294276-12-31 23:59:59.999999+00'",
    ],
  },
  { native: 'timestamptz(3)', values: ["'0001-01-01 00:00:00.001+00'", "'9999-12-31 23:59:59.999+00'"], elsewhere: 'datetime(3)' },
  {
    native: 'interval',
    values: ["'178000000 years'", "'-178000000 years'", "'1 mon -3 days +04:05:06.789'", "'0'", "'-00:00:00.000001'"],
    elsewhere: 'varchar(80)',
  },
  {
    native: 'interval',
    values: ["'838:59:59.999999'", "'-00:00:01'"],
    elsewhere: 'time(6)',
    refused: ["'1 day'", "'1 mon'", "'1 day 10:00'", "'839:00:00'"],
  },
  { native: 'interval(0)', values: ["'1 day -00:00:01'"], elsewhere: 'varchar(80)' },
  { native: 'interval day to minute', values: ["'2 years -1 days +02:03:00'", "'0'"], elsewhere: 'varchar(80)' },
  { native: 'interval year to month', values: ["'1 year 2 mons'", "'-5 mons'", "'0'"], elsewhere: 'varchar(80)' },
];

/** No type of MySQL is like these; a text holds them. */
const textual: [string, ...string[]][] = [
  ['inet', "'255.255.255.255/0'", "'::ffff:1.2.3.4/128'", "'fe80::1/64'"],
  ['cidr', "'10.0.0.0/8'", "'::/0'"],
  ['macaddr', "'08:00:2b:01:02:ff'"],
  ['macaddr8', "'08:00:2b:ff:fe:01:02:03'"],
  ['point', "'(1e308,-5e-324)'", "'(NaN,Infinity)'"],
  ['line', "'{1,-1,0}'"],
  ['lseg', "'[(0,0),(1,1)]'"],
  ['box', "'(1,1),(0,0)'"],
  ['path', "'[(0,0),(1,2)]'", "'((0,0),(1,2))'"],
  ['polygon', "'((0,0),(1,0),(1,0.1))'"],
  ['circle', "'<(0.1,0.2),3>'"],
  ['int4range', "'empty'", "'[1,)'", "'(,)'"],
  ['int8range', "'[-9223372036854775808,9223372036854775807)'"],
  ['numrange', "'[1.5,2.50]'"],
  ['daterange', "'[2024-02-29,infinity)'"],
  ['tsrange', `'["2024-02-29 00:00:00.000001",infinity]'`],
  ['tstzrange', `'[,"2024-02-29 00:00:00+05:30")'`],
  ['int4multirange', "'{[1,3),[5,7)}'", "'{}'"],
  ['tsvector', String.raw`$$'it''s':1A,2 'back\\slash' 'a b'$$`, "''"],
  ['tsquery', "$$'a b' & !'c':* <-> 'd'$$"],
  ['jsonpath', "'$.a[*] ? (@ > 1)'"],
  ['hstore', `'"a b"=>"1,2", "c"=>NULL, "q"=>"\\"\\\\"'`, "''"],
  ['ltree', "'a.b.c'"],
  ['pg_lsn', "'FFFFFFFF/FFFFFFFF'"],
  ['xid8', "'18446744073709551615'"],
  ['tid', "'(4294967295,65535)'"],
  ['pair', `'(1,"a, ""b"" (c)")'`, "'(,)'", `ROW(NULL, '')`],
  ['int2vector', "'1 2 3'"],
  ['integer[]', "'{1,NULL,-2147483648}'", "'{}'", "'[0:1]={1,2}'", "'{{1,2},{3,4}}'"],
  ['text[]', `ARRAY['', 'NULL', NULL, 'a"b', 'c,d', '{x}', ' y ', 'back\\slash', E'tab\\tlf\\ncr\\r', '😀']`, "'{}'"],
  ['varchar(5)[]', `ARRAY['abcde', 'x y']`],
  ['numeric(10,2)[]', "'{1.25,NaN,-99999999.99}'"],
  ['bytea[]', `ARRAY['\\x00ff5c22'::bytea, '']`],
  ['boolean[]', "'{t,f,NULL}'"],
  ['real[]', "'{3.4028235e+38,1e-45,NaN}'"],
  ['double precision[]', "'{NaN,-Infinity,-0,5e-324}'"],
  ['timestamptz[]', `'{"2024-02-29 00:00:00.000001+02",infinity,NULL}'`],
  ['timestamp(3)[]', `'{"2024-02-29 00:00:00.001"}'`],
  ['date[]', "'{2024-02-29,infinity}'"],
  ['uuid[]', "'{ffffffff-ffff-ffff-ffff-ffffffffffff}'"],
  ['jsonb[]', `ARRAY['{"a": "x\\"y"}'::jsonb, 'null', NULL]`],
  ['mood[]', `ARRAY['it''s', 'with,comma', 'x"y', '']::mood[]`],
  ['pair[]', `ARRAY[ROW(1, 'a"b,c')::pair, ROW(NULL, NULL)::pair]`],
];

export const postgresTypes: readonly TypeCase[] = [
  ...numbers,
  ...texts,
  ...times,
  ...textual.map(([native, ...values]) => ({ native, values, elsewhere: 'longtext' })),
];
