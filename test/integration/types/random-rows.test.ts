import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Database, mysqlDatabase, postgresDatabase } from './databases.ts';
import { fileReader, fileWriter, runTrip, tableReader, tableWriter } from './trips.ts';
import type { TypeCase } from './type-case.ts';

const minDouble = 2 ** -1074;

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Any moment from the year 1 to 9999, to the microsecond. */
const anyMoment = fc
  .tuple(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), fc.nat(999))
  .map(([date, micros]) => `${date.toISOString().slice(0, -1).replace('T', ' ')}${String(micros).padStart(3, '0')}`);

const oddCharacters = [
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\\',
  '\\N',
  '\\.',
  '"',
  "'",
  ',',
  ';',
  '\b',
  '\f',
  '\v',
  ' ',
  '\x7f',
  'é',
  '漢',
  '😀',
  '\ufeff',
  '\u2028',
];

/** Any Unicode but NUL, which PostgreSQL does not have. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...oddCharacters) }),
    fc.constantFrom('', 'NULL', '\\N', ' ', '\ufeff'),
  )
  .map((text) => text.replaceAll('\0', ''));

const anyNumeric = fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }).map(
  (digits) =>
    `${digits < 0n ? '-' : ''}${String(digits < 0n ? -digits : digits)
      .padStart(11, '0')
      .replace(/(\d{10})$/, '.$1')}`,
);

const anyDouble = fc
  .oneof(
    { weight: 20, arbitrary: fc.double() },
    { weight: 5, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((n) => n * minDouble) },
    { weight: 5, arbitrary: fc.integer().map((n) => n / 100) },
  )
  .map((value) => (Object.is(value, -0) ? '-0' : String(value)));

interface ColumnKind {
  readonly name: string;
  readonly postgres: string;
  readonly mysql: string;
  readonly values: fc.Arbitrary<string>;
}

const columns: readonly ColumnKind[] = [
  { name: 'whole', postgres: 'int8', mysql: 'bigint', values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  { name: 'amount', postgres: 'numeric(30,10)', mysql: 'decimal(30,10)', values: anyNumeric },
  { name: 'weight', postgres: 'float8', mysql: 'double', values: anyDouble },
  { name: 'note', postgres: 'text', mysql: 'longtext', values: anyText },
  {
    name: 'raw',
    postgres: 'bytea',
    mysql: 'longblob',
    values: fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  },
  { name: 'moment', postgres: 'timestamptz', mysql: 'datetime(6)', values: anyMoment.map((text) => `${text}+00`) },
  { name: 'daytime', postgres: 'timestamp', mysql: 'datetime(6)', values: anyMoment },
  { name: 'day', postgres: 'date', mysql: 'date', values: anyMoment.map((text) => day(new Date(`${text.slice(0, 10)}T00:00:00Z`))) },
  { name: 'document', postgres: 'json', mysql: 'json', values: fc.json({ stringUnit: 'binary', maxDepth: 3 }) },
  { name: 'flag', postgres: 'bool', mysql: 'tinyint(1)', values: fc.boolean().map(String) },
];

const anyRow = fc.tuple(...columns.map(({ values }) => fc.option(values, { freq: 8 })));
const anyRows = fc.array(anyRow, { minLength: 300, maxLength: 400 });
type Rows = readonly (readonly (string | null)[])[];

/** What MariaDB has no double for. */
const heldNowhereElse = `weight::text IN ('NaN', 'Infinity', '-Infinity', '-0')`;

let postgres: Database;
let mysql: Database;

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  for (const table of ['source', 'back']) {
    await postgres.execute(
      `CREATE TABLE ${table} (id int PRIMARY KEY, ${columns.map((column) => `${column.name} ${column.postgres}`).join(', ')})`,
    );
  }
  await mysql.execute(`CREATE TABLE middle (id int PRIMARY KEY, ${columns.map((column) => `${column.name} ${column.mysql}`).join(', ')})`);
});

afterAll(async () => {
  await Promise.all([postgres?.end(), mysql?.end()]);
});

async function fillSource(rows: Rows): Promise<void> {
  await postgres.execute('TRUNCATE source, back');
  const casts = columns.map(({ name, postgres: type }) => `${name}::${type}`);
  const parameters = columns.map((_, index) => `$${index + 1}::text[]`);
  await postgres.execute(
    `INSERT INTO source SELECT id, ${casts.join(', ')} FROM unnest(${parameters.join(', ')}) WITH ORDINALITY AS t(${columns.map(({ name }) => name).join(', ')}, id)`,
    columns.map((_, index) => rows.map((row) => row[index]!)),
  );
}

/** Columns whose texts differ between source and back, with the number of rows; empty if all came back. */
async function lostColumns(where = 'true'): Promise<string[]> {
  const counts = columns.map(({ name }) => `count(*) FILTER (WHERE s.${name}::text IS DISTINCT FROM b.${name}::text)`);
  const [row] = await postgres.query(
    `SELECT count(*) FILTER (WHERE b.id IS NULL), ${counts.join(', ')} FROM (SELECT * FROM source WHERE ${where}) s FULL JOIN back b USING (id)`,
  );
  return ['row', ...columns.map(({ name }) => name)].flatMap((name, index) =>
    row![index] === '0' ? [] : [`${name}: ${row![index]} rows`],
  );
}

/** Some hundred random rows a run: many rows to a job, and no shrinking, as every step of it would be two more jobs. */
async function check(property: (rows: Rows, folder: string) => Promise<void>): Promise<void> {
  const folder = tempFolder();
  const result = await fc.check(
    fc.asyncProperty(anyRows, (rows) => property(rows, folder)),
    { numRuns: 5, endOnFailure: true },
  );
  if (result.failed) throw new Error(`seed ${result.seed}: ${String(result.errorInstance)}`, { cause: result.errorInstance });
}

test('random rows come from PostgreSQL through MySQL exactly, but for doubles that MySQL does not have, which are dirty', async () => {
  await check(async (rows, folder) => {
    await fillSource(rows);
    const [unheld] = await postgres.query(`SELECT count(*) FROM source WHERE ${heldNowhereElse}`);
    const there = await runTrip(
      folder,
      tableReader(postgres, 'source'),
      tableWriter(mysql, 'middle', { preSql: ['DELETE FROM @table'] }),
      1000,
    );
    expect({ exitCode: there.exitCode, dirty: String(there.report?.rows.dirty), stderr: there.stderr }).toMatchObject({
      exitCode: 0,
      dirty: unheld![0],
    });
    const back = await runTrip(folder, tableReader(mysql, 'middle'), tableWriter(postgres, 'back'));
    expect(back).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await lostColumns(`(${heldNowhereElse}) IS NOT TRUE`)).toEqual([]);
  });
});

test.each(['none', 'gzip'])('random rows come from PostgreSQL through a file exactly (compress: %s)', async (compress) => {
  const cases = columns.map(
    ({ name, postgres: native }): TypeCase => ({ native, values: [], elsewhere: '', ...(name === 'raw' ? { inFile: 'bytes' } : {}) }),
  );
  await check(async (rows, folder) => {
    await fillSource(rows);
    expect(await runTrip(folder, tableReader(postgres, 'source'), fileWriter(folder, { compress }))).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(await runTrip(folder, fileReader(folder, cases), tableWriter(postgres, 'back'))).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await lostColumns()).toEqual([]);
  });
});
