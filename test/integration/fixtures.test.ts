import mysql from 'mysql2/promise';
import pg from 'pg';
import { expect, test } from 'vitest';
import { copySteps, loadIntoMysql, loadIntoPostgres } from '../../benchmarks/fixtures/load.ts';
import { mysqlDdl, postgresDdl } from '../../plugins/fixture/ddl.ts';
import { type Fixture, type FixtureColumn, rowsOf } from '../../plugins/fixture/fixture.ts';
import { fixtures } from '../../plugins/fixture/fixtures.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';

/** Enough for every odd value of `orders`; documents are long. */
const rowCountOf = ({ rowsPerOrder }: Fixture) => Math.ceil(25_000 * Math.min(1, rowsPerOrder));

const all = Object.entries(fixtures);

test.each(all)('PostgreSQL accepts %s, counts its rows and gives them back exactly', async (name, fixture) => {
  const postgres = providedPostgres();
  await postgres.createDatabase(`fixture_${name}`);
  const url = postgres.urlFor(`fixture_${name}`);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(postgresDdl(fixture, 'loaded'));
  await loadIntoPostgres(url, 'loaded', copySteps(fixture, rowCountOf(fixture)));

  await client.query("SET timezone = 'UTC'");
  const cells = fixture.columns.map((column) => `${column.name}::text`).join(', ');
  const { rows } = await client.query<(string | null)[]>({ text: `SELECT ${cells} FROM loaded ORDER BY loaded.id`, rowMode: 'array' });
  expect(rows).toHaveLength(rowCountOf(fixture));
  expect(differences(fixture, rows)).toEqual([]);
  await client.end();
});

test.each(all)('MariaDB accepts %s, counts its rows and gives them back exactly', async (name, fixture) => {
  const mariadb = providedMariadb();
  const url = mariadb.urlFor(await mariadb.createDatabase(`fixture_${name}`));
  const connection = await mysql.createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true });
  await connection.query(mysqlDdl(fixture, 'loaded'));
  await loadIntoMysql(url, 'loaded', fixture, copySteps(fixture, rowCountOf(fixture)));

  await connection.query("SET time_zone = '+00:00'");
  const cells = fixture.columns.map(printed).join(', ');
  const [rows] = await connection.query<mysql.RowDataPacket[][]>({ sql: `SELECT ${cells} FROM loaded ORDER BY id`, rowsAsArray: true });
  expect(rows).toHaveLength(rowCountOf(fixture));
  expect(
    differences(
      fixture,
      rows.map((row) => row.map((cell, index) => canonical(cell, fixture.columns[index]!))),
    ),
  ).toEqual([]);
  await connection.end();
});

test('loading tells how far it is after every ten thousand rows', () => {
  const progress: number[] = [];
  const bytes = [...copySteps(fixtures.narrow, 25_000, (rows) => progress.push(rows))].reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeGreaterThan(25_000);
  expect(progress).toEqual([10_000, 20_000, 25_000]);
});

/** What differs from the fixture, at most ten cells: a diff of 25,000 rows would take a minute to print. */
function differences(fixture: Fixture, rows: readonly (string | null)[][]): string[] {
  const found: string[] = [];
  let n = 0;
  for (const expected of rowsOf(fixture, 1, rows.length)) {
    for (const [index, cell] of expected.entries()) {
      const column = fixture.columns[index]!;
      const actual = sameDouble(rows[n]?.[index] ?? null, column);
      if (actual !== cell) found.push(`${column.name} of row ${n + 1}: ${JSON.stringify(actual)}, not ${JSON.stringify(cell)}`);
    }
    n++;
  }
  return found.slice(0, 10);
}

/** Servers print doubles in their own way (1e21, 1e+21): what they mean counts. */
function sameDouble(cell: string | null, { type }: FixtureColumn): string | null {
  return type === 'double' && cell !== null ? String(Number(cell)) : cell;
}

function printed({ name, type }: FixtureColumn): string {
  if (type === 'boolean') return `IF(${name}, 'true', IF(${name} IS NULL, NULL, 'false'))`;
  if (type === 'bytes') return `CONCAT('\\\\x', LOWER(HEX(${name})))`;
  return type === 'json' ? `CAST(${name} AS CHAR)` : name;
}

/** MariaDB prints all six digits of a fraction and no time zone. */
function canonical(cell: unknown, { type }: FixtureColumn): string | null {
  if (typeof cell !== 'string' && typeof cell !== 'number') return null;
  const text = String(cell);
  if (type !== 'datetime' && type !== 'instant') return text;
  return text.replace(/\.?0+$/, (zeros) => (text.includes('.') ? '' : zeros)) + (type === 'instant' ? '+00' : '');
}
