import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { mysqlTypes } from '../types/mysql-types.ts';
import type { ColumnPair } from '../types/trips.ts';
import { createThreeWays, differences, moveThreeWays } from './three-ways.ts';

const sources = { mysql: mysqlDatabase, postgres: postgresDatabase };

/** Bytes that LOAD DATA, UTF-8 or the escapes treat in a way of their own: ends, escapes, the first and later bytes of characters, and such as belong to none. */
const special = [
  0, 9, 10, 13, 0x1a, 0x22, 0x27, 0x4e, 0x5c, 0x61, 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xdf, 0xe0, 0xe4, 0xed, 0xf0, 0xf4, 0xf5, 0xff,
];
const raw = [
  Buffer.alloc(0),
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  ...Array.from({ length: 256 }, (_, byte) => Buffer.from([byte])),
  ...special.flatMap((first) => special.map((second) => Buffer.from([first, second]))),
  ...fc
    .sample(fc.array(fc.oneof(fc.constantFrom(...special), fc.nat(255)), { minLength: 3, maxLength: 60 }), { numRuns: 2000, seed: 8 })
    .map((bytes) => Buffer.from(bytes)),
];

const moment = (from: string, to: string) =>
  fc
    .tuple(fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true }), fc.nat(999))
    .map(([date, micros]) => `'${date.toISOString().slice(0, -1).replace('T', ' ')}${String(micros).padStart(3, '0')}'`);
const sampled = <T>(values: fc.Arbitrary<T>, seed: number) => fc.sample(values, { numRuns: 300, seed });
const instants = sampled(moment('1970-01-01T00:00:01Z', '2038-01-19T03:14:07Z'), 1);
const moments = sampled(moment('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'), 2);
const words = sampled(fc.string({ unit: 'grapheme', maxLength: 30 }), 3).map((text) => `'${text.replaceAll(/[\0'\\]/g, '-')}'`);
const numbers = sampled(fc.integer(), 4).map(String);
const truths = ['true', 'false', 'true'];

const ofBoth: ColumnPair[] = [
  { from: 'int', to: 'int', values: numbers },
  { from: 'int', to: 'bigint(20) zerofill', values: ['7', '0'] },
  { from: 'numeric(20,3)', to: 'decimal(20,3)', values: numbers },
  { from: 'text', to: 'text', values: words },
  { from: 'varchar(200)', to: 'varchar(200) CHARACTER SET utf16', values: words },
  { from: 'varchar(9)', to: 'varbinary(9)', values: ["'é'", "''", "'tab\tlf\n'"] },
  { from: 'varchar(40)', to: 'timestamp(6)', values: ["'2024-02-29 12:00:00+00'", "'2024-02-29 12:00:00.000001'"] },
  { from: 'varchar(40)', to: 'datetime(6)', values: ["'2024-02-29 12:00:00.5'"] },
  { from: 'smallint', to: 'year', values: ['0', '1901', '2155'] },
];

const columns: Record<keyof typeof sources, ColumnPair[]> = {
  mysql: [
    ...ofBoth,
    { from: 'timestamp(6) NULL', to: 'timestamp(6)', values: instants },
    { from: 'timestamp(6) NULL', to: 'datetime(6)', values: instants },
    { from: 'timestamp(3) NULL', to: 'varchar(40)', values: ["'2024-02-29 12:00:00.125'"] },
    { from: 'datetime(6)', to: 'datetime(6)', values: moments },
    { from: 'datetime(6)', to: 'timestamp(6)', values: instants },
    { from: 'date', to: 'datetime', values: ["'2024-02-29'"] },
    { from: 'varbinary(20)', to: 'varchar(99)', values: ["x'00ff'"] },
    ...mysqlTypes.map(({ native, values }): ColumnPair => ({ from: native, to: native, values })),
  ],
  postgres: [
    ...ofBoth,
    { from: 'timestamptz', to: 'timestamp(6)', values: instants },
    { from: 'timestamptz', to: 'datetime(6)', values: moments },
    { from: 'timestamptz', to: 'varchar(40)', values: instants },
    { from: 'timestamp', to: 'timestamp(6)', values: instants },
    { from: 'bytea', to: 'varchar(99)', values: [String.raw`'\x00ff'`] },
    { from: 'bytea', to: 'binary(2)', values: [String.raw`'\x00ff'`] },
    ...['tinyint(1)', 'bigint', 'decimal(5,2)', 'double', 'float', 'bit(1)', 'varchar(9)', 'json'].map(
      (to): ColumnPair => ({ from: 'boolean', to, values: truths }),
    ),
    { from: 'real', to: 'float', values: ["'3.4028235e38'", '0.1', "'1e-45'"] },
    { from: 'double precision', to: 'double', values: ["'1.7976931348623157e308'", '0.1', "'5e-324'"] },
    { from: 'bit(11)', to: 'bit(11)', values: ["B'00000000101'"] },
    { from: 'json', to: 'json', values: [`' {"a" : 1.50, "b": "\\u00e9"} '`] },
  ],
};

async function databases(kind: keyof typeof sources): Promise<[source: Database, target: Database]> {
  const [source, target] = await Promise.all([sources[kind](), mysqlDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  return [source, target];
}

test.each(['mysql', 'postgres'] as const)('values of every type come bare from %s as they come as text', async (kind) => {
  const [source, target] = await databases(kind);
  const width = columns[kind].length;
  await createThreeWays(source, target, raw, columns[kind]);
  const { results, loads } = await moveThreeWays(source, target, { width });
  for (const { exitCode, stderr, report } of Object.values(results))
    expect({ exitCode, stderr, attempts: report?.tasks.map(({ attempts }) => attempts.length) }).toEqual({
      exitCode: 0,
      stderr: '',
      attempts: [1],
    });
  expect(loads).toEqual({ by_reader: ['bare'], by_task: ['bare'], as_text: ['text'] });
  expect(await differences(target, columns[kind])).toEqual({ rows: raw.length + 1, differing: [] });
  // And as the source has it.
  const hex = kind === 'mysql' ? 'HEX(raw)' : "upper(encode(raw, 'hex'))";
  const of = async (database: Database, sql: string) => (await database.query(sql)).map(([, cell]) => cell);
  expect(await of(target, 'SELECT id, HEX(raw) FROM by_reader ORDER BY id')).toEqual(
    await of(source, `SELECT id, ${hex} FROM source ORDER BY id`),
  );
});
