import type { Database } from './databases.ts';

/** Values of one type that a column of another type takes, and values that it would bend, or cannot hold. */
export interface Rule {
  readonly from: string;
  readonly to: string;
  /** SQL expression → the text that the target's server shows for it. */
  readonly good: Readonly<Record<string, string>>;
  /** SQL expressions. */
  readonly bad: readonly string[];
}

type Kind = Database['kind'];

function rule(from: string, to: string, good: Rule['good'], ...bad: string[]): Rule {
  return { from, to, good, bad };
}

const backslashBytes = String.raw`E'\\x41'`;

/** PostgreSQL to PostgreSQL. */
const withinPostgres: Rule[] = [
  rule('numeric(38,10)', 'numeric(10,2)', { '1.5': '1.50', '-0.01': '-0.01' }, '1.005', '0.0000000001', '123456789.1'),
  rule('numeric', 'numeric(4,-2)', { '12300': '12300' }, '12345', '12300.5'),
  rule('integer', 'numeric(4,-2)', { '12300': '12300' }, '12345'),
  rule('double precision', 'real', { '0.5': '0.5', '16777216': '1.6777216e+07' }, '0.123456789', '16777217', "'1e300'", "'1e-50'"),
  rule('numeric', 'double precision', { '0.1': '0.1' }, '0.1234567890123456789', "'1e-400'", "'1e400'"),
  rule('bigint', 'double precision', { '9007199254740992': '9.007199254740992e+15' }, '9007199254740993'),
  rule('bigint', 'real', { '16777216': '1.6777216e+07' }, '16777217'),
  rule('double precision', 'bigint', { '5': '5' }, '1.5', "'NaN'", "'1e300'"),
  rule('numeric', 'integer', { '5': '5' }, '1.5', '2147483648'),
  rule('integer', 'smallint', { '32767': '32767' }, '32768'),
  rule('bit(8)', 'integer', { NULL: 'NULL' }, "B'00000101'"),
  rule('timestamp', 'timestamp(0)', { "'2020-01-01 10:00'": '2020-01-01 10:00:00' }, "'2020-01-01 10:00:00.5'"),
  rule('timestamptz', 'timestamptz(3)', { "'2020-01-01 10:00+00'": '2020-01-01 10:00:00+00' }, "'2020-01-01 10:00:00.0001+00'"),
  rule('timestamp', 'date', { "'2020-01-01'": '2020-01-01', "'infinity'": 'infinity' }, "'2020-01-01 10:00'"),
  rule('timestamptz', 'date', { "'2020-01-01 00:00+00'": '2020-01-01' }, "'2020-01-01 00:00+02'"),
  rule(
    'text',
    'timestamp',
    { "'2020-01-01 10:00'": '2020-01-01 10:00:00', "'20200101'": '2020-01-01 00:00:00', "'infinity'": 'infinity' },
    "'2020-01-01 00:00:00+02'",
    "'2020-01-01+02'",
    "'2020-01-01 +02'",
    "'2020-01-01 00:00 Europe/Berlin'",
    "'2020-01-01 00:00:00Z'",
    "'now'",
    "'20-01-05'",
    "'200101'",
    "'2020-01-01 10:00:00.1234567'",
  ),
  rule(
    'text',
    'timestamptz',
    { "'2020-01-01 00:00:00+02'": '2019-12-31 22:00:00+00' },
    "'20-01-05 10:00+00'",
    "'now'",
    "'2020-01-01 10:00:00.1234567+00'",
  ),
  rule(
    'text',
    'date',
    { "'2020-1-5'": '2020-01-05' },
    "'2020-01-01 10:00:00'",
    "'20-1-5'",
    "'010203'",
    "'today'",
    "'2020-01-01+02'",
    "'0000-00-00'",
    "'2020-02-30'",
  ),
  rule(
    'text',
    'time',
    { "'10:00'": '10:00:00' },
    "'12:00:00+02'",
    "'2020-01-01 12:00'",
    "'now'",
    "'10:00:00.1234567'",
    "'25:00'",
    "'23:59:60'",
  ),
  rule('text', 'timetz(0)', { "'12:00:00+02'": '12:00:00+02' }, "'12:00:00.5+02'"),
  rule('text', 'interval(0)', { "'1 day 00:00:01'": '1 day 00:00:01' }, "'00:00:01.5'"),
  rule('text', 'interval day to minute', { "'1 day 10:01:00'": '1 day 10:01:00' }, "'1 day 10:01:01'"),
  rule('text', 'interval year to month', { "'1 year 2 mons'": '1 year 2 mons' }, "'1 year 2 days'"),
  rule('text', 'integer', { "'5'": '5' }, "'abc'", "''", "'1.5'"),
  rule('text', 'bytea', { "'abc'": '\\x616263' }, backslashBytes, String.raw`E'a\\b'`),
  rule('text', 'varchar(3)', { "'abc'": 'abc', "'😀😀😀'": '😀😀😀' }, "'abcd'", "'abc  '"),
  rule('text', 'char(3)', { "'ab'": 'ab', "'abc'": 'abc' }, "'a '", "'abc '"),
  rule('text', 'name', { "'x'": 'x' }, `'${'n'.repeat(64)}'`, `'${'é'.repeat(32)}'`),
  rule('text', '"char"', { "'x'": 'x' }, "'xy'"),
  rule('text', 'uuid', { "'6ccd780c-baba-1026-9564-0040f4311e29'": '6ccd780c-baba-1026-9564-0040f4311e29' }, "'6ccd780c'"),
  rule('text', 'jsonb', { "'[1]'": '[1]' }, "'[1'", String.raw`'"\u0000"'`, `'{"a":1, "b":{"a":2}, "\\u0061":3}'`),
  rule('json', 'jsonb', { '\'{"a":{"a":1}}\'': '{"a": {"a": 1}}' }, `'{"a":1,"a":1}'`),
  rule('text', 'mood', { "'sad'": 'sad' }, "'SAD'", "'sad '"),
  rule('text', 'positive', { "'1'": '1' }, "'-1'"),
  rule('text', 'boolean', { "'true'": 'true' }, "'2'", "'maybe'"),
  rule('text', 'money', { "'$1.50'": '$1.50' }, "'$1.005'", "'1,50'"),
  rule('text', 'bit(3)', { "'101'": '101' }, "'1011'", "'10'"),
  rule('text', 'bit varying(3)', { "'10'": '10' }, "'1011'"),
  rule('text', 'tsquery', { "'word'": "'word'" }, "'these are words'"),
  rule('text', 'regclass', { "'pg_type'": 'pg_type' }, "'no_such_table'"),
  rule('text', 'xml', { "'<a/>'": '<a/>' }, "'<abcd'"),
  rule('text', 'inet', { "'::1'": '::1/128' }, "'1.2.3.4.5'"),
  rule('text', 'numeric(5,2)[]', { "'{1.50,NULL}'": '{1.50,NULL}' }, "'{1.234}'", "'{{1.5},{1.005}}'", "'[0:1]={1,2.345}'"),
  rule('double precision[]', 'real[]', { "'{0.5,NaN}'": '{0.5,NaN}' }, "'{0.5,0.123456789}'"),
  rule('timestamptz[]', 'timestamptz(0)[]', { "'{2020-01-01 10:00+00}'": '{"2020-01-01 10:00:00+00"}' }, "'{2020-01-01 10:00:00.5+00}'"),
  rule('timestamp[]', 'date[]', { "'{2020-01-01}'": '{2020-01-01}' }, "'{2020-01-01 10:00:00}'"),
  rule('text', 'timestamp[]', { "'{2020-01-01 10:00}'": '{"2020-01-01 10:00:00"}' }, "'{2020-01-01 10:00:00+02}'", "'{20-1-5}'"),
  rule('text', 'varchar(3)[]', { "'{abc}'": '{abc}' }, "'{abcd}'", `'{"abc  "}'`),
  rule('text', 'tsrange', { "'[2020-01-01 10:00,)'": '["2020-01-01 10:00:00",)' }, "'[2020-01-01 10:00:00+02,)'"),
  rule('tsrange', 'daterange', { "'[2020-01-01,2020-01-02)'": '[2020-01-01,2020-01-02)' }, "'[2020-01-01 10:00,)'"),
  rule('text', 'integer NOT NULL', { "'5'": '5' }, 'NULL'),
];

/** PostgreSQL to MySQL. */
const fromPostgres: Rule[] = [
  rule('numeric', 'decimal(10,2)', { '1.5': '1.50' }, '1.005', "'NaN'", '123456789.1'),
  rule('numeric', 'double', { '0.1': '0.1' }, '0.1234567890123456789', "'NaN'"),
  rule('bigint', 'double', { '9007199254740992': '9.007199254740992e15' }, '9007199254740993'),
  rule('bigint', 'float', { '1024': '1024' }, '16777217'),
  rule('bigint', 'int', { '5': '5' }, '2147483648'),
  rule('bigint', 'bigint unsigned', { '5': '5' }, '-1'),
  rule('double precision', 'float', { '0.5': '0.5' }, '0.123456789', "'1e300'", "'1e-50'"),
  rule('double precision', 'int', { '5': '5' }, '1.5', "'NaN'"),
  rule('double precision', 'float(7,3)', { '1.25': '1.250' }, '1.2345', '123456'),
  rule('double precision', 'double(10,2)', { '1.25': '1.25' }, '1.005'),
  rule('double precision', 'double', { '1.5': '1.5' }, "'-0'", "'Infinity'"),
  rule('timestamp', 'datetime', { "'2020-01-01 10:00'": '2020-01-01 10:00:00' }, "'2020-01-01 10:00:00.5'", "'infinity'"),
  rule(
    'timestamptz',
    'timestamp(3)',
    { "'2020-01-01 10:00+00'": '2020-01-01 10:00:00.000' },
    "'2020-01-01 10:00:00.0001+00'",
    "'1969-12-31 23:59:59+00'",
  ),
  rule('timestamp', 'date', { "'2020-01-01'": '2020-01-01' }, "'2020-01-01 10:00'"),
  rule('text', 'int', { "'5'": '5' }, "'abc'", "''", "'5 apples'", "'0x10'", "'1.5'"),
  rule('text', 'decimal(10,2)', { "'1.5'": '1.50' }, "'1,50'", "'1.005'"),
  rule('text', 'double', { "'1e3'": '1000' }, "'abc'", "'1e400'", "'1e-400'", "'-0.0'"),
  rule('text', "enum('a','b')", { "'b'": 'b' }, "'5'", "'1'", "'A'", "'a '", "''"),
  rule('text', "set('a','b')", { "'b'": 'b', "''": '' }, "'c'", "'a,c'", "'3'", "'A'", "'a,a'", "',a'"),
  rule('text', 'varchar(3)', { "'abc'": 'abc', "'😀😀😀'": '😀😀😀' }, "'abcd'", "'abc  '"),
  rule('text', 'char(3)', { "'ab'": 'ab' }, "'ab '", "'abcd'"),
  rule('text', 'tinytext', { "'ab '": 'ab ' }, "repeat('x', 256)"),
  rule('text', 'varbinary(9)', { "'abc'": 'abc' }, backslashBytes, "'0123456789'"),
  rule('bytea', 'binary(2)', { "'ab'": 'ab' }, "'a'", "'abc'"),
  rule('text', 'varchar(9) CHARACTER SET latin1', { "'é'": 'é' }, "'漢'", "'😀'"),
  rule('text', 'varchar(9) CHARACTER SET utf8mb3', { "'漢'": '漢' }, "'😀'"),
  rule('text', 'date', { "'2020-1-5'": '2020-01-05' }, "'20-1-5'", "'010203'", "'2020-02-30'", "'2020-01-01 10:00'", "''"),
  rule(
    'text',
    'datetime',
    { "'2020-01-01 10:00'": '2020-01-01 10:00:00' },
    "'200105101112'",
    "'20-01-05 10:00'",
    "'2020-01-01 00:00:00+02'",
    "'2020-01-01 10:00:00.5'",
  ),
  rule('text', 'timestamp NOT NULL', { "'2020-01-01 10:00:00+00'": '2020-01-01 10:00:00' }, 'NULL', "'2020-01-01 00:00:00+02'"),
  rule('text', 'time', { "'-100:00:00'": '-100:00:00' }, "'1 12:00:00'", "'12:00:00+02'", "'1200'", "'839:00:00'"),
  rule('smallint', 'year', { '0': '0000', '2155': '2155' }, '70', '5', '1900'),
  rule('text', 'year', { "'2020'": '2020' }, "'70'", "'0070'", "'5'", "'20201'"),
  rule('text', 'bit(8)', { "'00000001'": '\u0001' }, "'101'", "'abcdefgh'"),
  rule('bit(8)', 'int', { NULL: 'NULL' }, "B'00000101'"),
  rule('text', 'json', { "'[1]'": '[1]' }, "'[1'"),
  rule('text', 'uuid', { "'6ccd780c-baba-1026-9564-0040f4311e29'": '6ccd780c-baba-1026-9564-0040f4311e29' }, "'6ccd780c'"),
  rule('text', 'inet6', { "'::1'": '::1' }, "'1.2.3.4.5'"),
  rule('bytea', 'point NULL', { NULL: 'NULL' }, "'not a point'"),
];

/** MySQL to PostgreSQL. */
const fromMysql: Rule[] = [
  rule('bigint unsigned', 'bigint', { '9223372036854775807': '9223372036854775807' }, '9223372036854775808', '18446744073709551615'),
  rule('date', 'date', { "'2020-01-01'": '2020-01-01' }, "'0000-00-00'", "'2020-00-00'", "'2020-02-31'"),
  rule('datetime', 'timestamp', { "'2020-01-01'": '2020-01-01 00:00:00' }, "'0000-00-00'"),
  rule('timestamp', 'timestamptz', { "'2020-01-01'": '2020-01-01 00:00:00+00' }, "'0000-00-00'"),
  rule('text', 'text', { "'a'": 'a' }, String.raw`'a\0b'`),
  rule('json', 'jsonb', { "'[1]'": '[1]' }, String.raw`'"\\u0000"'`, `'[{"a":1,"a":1}]'`),
  rule('decimal(38,10)', 'numeric(10,2)', { '1.5': '1.50' }, '1.005', '123456789.1'),
  rule('double', 'real', { '0.5': '0.5' }, '0.123456789', '1e300'),
  rule('bigint', 'double precision', { '9007199254740992': '9.007199254740992e+15' }, '9007199254740993'),
  rule('bit(8)', 'integer', { NULL: 'NULL' }, "b'101'", "b'1'"),
  rule('bit(1)', 'integer', { "b'1'": '1' }),
  rule('bit(8)', 'bit(9)', { NULL: 'NULL' }, "b'101'"),
  rule('tinyint(1)', 'boolean', { '1': 'true' }, '2', '-1'),
  rule('varchar(40)', 'date', { "'2020-01-05'": '2020-01-05' }, "'20-1-5'", "'2020-01-05 10:00'"),
  rule('year', 'date', { NULL: 'NULL' }, '2020'),
  rule('datetime(6)', 'timestamp(0)', { "'2020-01-01'": '2020-01-01 00:00:00' }, "'2020-01-01 00:00:00.000001'"),
  rule('datetime', 'date', { "'2020-01-01'": '2020-01-01' }, "'2020-01-01 00:00:01'"),
  rule('time', 'time', { "'10:00'": '10:00:00' }, "'-00:00:01'", "'24:00:01'"),
  rule('varchar(40)', 'time', { "'10:00'": '10:00:00' }, "'10:00:00+02'"),
  rule('varchar(40)', 'timestamp', { "'2020-01-01 10:00'": '2020-01-01 10:00:00' }, "'2020-01-01 10:00:00+02'"),
  rule('varchar(40)', 'bytea', { "'abc'": '\\x616263' }, String.raw`'\\x41'`),
  rule('varchar(40)', 'varchar(3)', { "'abc'": 'abc' }, "'abc  '", "'😀😀😀😀'"),
  rule('varchar(40)', 'char(3)', { "'ab'": 'ab' }, "'a '"),
  rule("enum('sad','glad')", 'mood', { "'sad'": 'sad' }, "'glad'"),
  rule('varchar(40)', 'integer', { "'5'": '5' }, "'abc'", "''"),
];

/** MySQL to MySQL. */
const withinMysql: Rule[] = [
  rule('decimal(38,10)', 'decimal(10,2)', { '1.5': '1.50' }, '1.005', '123456789.1'),
  rule('bigint unsigned', 'bigint', { '5': '5' }, '18446744073709551615'),
  rule('double', 'float', { '0.5': '0.5' }, '0.123456789', '1e300'),
  rule('float', 'float(7,3)', { '1.25': '1.250' }, '1.2345'),
  rule('date', 'date', { "'0000-00-00'": '0000-00-00' }, "'2020-02-31'"),
  rule('datetime(6)', 'datetime', { "'2020-01-01'": '2020-01-01 00:00:00' }, "'2020-01-01 00:00:00.5'"),
  rule('datetime', 'timestamp', { "'2020-01-01'": '2020-01-01 00:00:00' }, "'2039-01-01'", "'1969-01-01'"),
  rule('varchar(9)', 'varchar(9) CHARACTER SET latin1', { "'é'": 'é' }, "'漢'", "'😀'"),
  rule('varchar(9)', 'varchar(9) CHARACTER SET utf8mb3', { "'漢'": '漢' }, "'😀'"),
  rule('varchar(9)', 'char(9)', { "'ab'": 'ab' }, "'ab '"),
  rule("enum('a','b','c')", "enum('a','b')", { "'b'": 'b' }, "'c'"),
  rule("set('a','b','c')", "set('a','b')", { "'a,b'": 'a,b' }, "'a,c'"),
  rule('bit(4)', 'bit(8)', { NULL: 'NULL' }, "b'101'"),
  rule('text', 'tinytext', { "'a'": 'a' }, "REPEAT('x', 256)"),
  rule('varbinary(9)', 'binary(2)', { "'ab'": 'ab' }, "'a'", "'abc'"),
  rule('int', 'year(2)', { '20': '20' }, '2020'),
  rule('timestamp', 'timestamp NOT NULL', { "'2020-01-01'": '2020-01-01 00:00:00' }, 'NULL'),
];

export interface Direction {
  readonly source: Kind;
  readonly target: Kind;
  readonly rules: readonly Rule[];
  /** Options of the writer. */
  readonly writer: Readonly<Record<string, string>>;
}

const byInsert = { load: 'insert' };

export const directions: readonly Direction[] = [
  { source: 'postgres', target: 'postgres', rules: withinPostgres, writer: {} },
  { source: 'postgres', target: 'postgres', rules: withinPostgres, writer: { writeMode: 'update' } },
  { source: 'postgres', target: 'mysql', rules: fromPostgres, writer: {} },
  { source: 'postgres', target: 'mysql', rules: fromPostgres, writer: byInsert },
  { source: 'mysql', target: 'postgres', rules: fromMysql, writer: {} },
  { source: 'mysql', target: 'mysql', rules: withinMysql, writer: {} },
  { source: 'mysql', target: 'mysql', rules: withinMysql, writer: byInsert },
];
