import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { createTable, type Database, insertRows, mysqlDatabase, postgresDatabase, shownRows } from './databases.ts';
import { mysqlTypes as cases } from './mysql-types.ts';
import { move, moveByFile, runTrip, tableReader, tableWriter } from './trips.ts';
import { firstRefusedId, lostCells, rowsOf, type Shown } from './type-case.ts';

/** What came back, by trip; looked at column by column in the last tests. */
const arrived = new Map<string, readonly Shown[]>();
let source: readonly Shown[];
let postgres: Database;
let mysql: Database;

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await createTable(mysql, 'source', cases, 'native');
  await insertRows(mysql, 'source', rowsOf(cases));
  source = await shownRows(mysql, 'source', cases);
});

afterAll(async () => {
  await Promise.all([postgres?.end(), mysql?.end()]);
});

/** Remembers what a table holds; all rows of the source must be there. */
async function remember(trip: string, table: string, expected = source): Promise<void> {
  const rows = await shownRows(mysql, table, cases);
  expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  arrived.set(trip, rows);
}

test.each([
  { load: 'local-infile', writeMode: 'insert' },
  { load: 'local-infile', writeMode: 'replace' },
  { load: 'insert', writeMode: 'insert' },
  { load: 'insert', writeMode: 'replace' },
  { load: 'insert', writeMode: 'update' },
])('a row with all types of MySQL is taken by MySQL (load: $load, $writeMode)', async ({ load, writeMode }) => {
  const table = `by_${load.replace('-', '_')}_${writeMode}`;
  const folder = tempFolder();
  await createTable(mysql, table, cases, 'native');
  const go = () => move(folder, tableReader(mysql, 'source'), tableWriter(mysql, table, { load, writeMode }));
  await go();
  // Once more over rows that are there.
  if (writeMode !== 'insert') await go();
  await remember(`to MySQL by ${load}, ${writeMode}`, table);
});

test.each(['none', 'gzip'] as const)('a row with all types of MySQL comes back from a file (compress: %s)', async (compress) => {
  await createTable(mysql, `from_${compress}`, cases, 'native');
  await moveByFile(tempFolder(), { from: tableReader(mysql, 'source'), to: tableWriter(mysql, `from_${compress}`), cases, compress });
  await remember(`through a file (${compress})`, `from_${compress}`);
});

test('a row with all types of MySQL comes back from PostgreSQL', async () => {
  const folder = tempFolder();
  await createTable(postgres, 'middle', cases, 'elsewhere');
  await createTable(mysql, 'back', cases, 'native');
  await move(folder, tableReader(mysql, 'source', { where: `id < ${firstRefusedId}` }), tableWriter(postgres, 'middle'));
  await move(folder, tableReader(postgres, 'middle'), tableWriter(mysql, 'back'));
  await remember(
    'through PostgreSQL',
    'back',
    source.filter(({ id }) => id < firstRefusedId),
  );
});

test('what PostgreSQL cannot hold is a dirty record, and nothing of it is written', async () => {
  await createTable(postgres, 'refusing', cases, 'elsewhere');
  const reader = tableReader(mysql, 'source', { where: `id >= ${firstRefusedId}` });
  const { exitCode, report, stderr } = await runTrip(tempFolder(), reader, tableWriter(postgres, 'refusing'), 1000);
  const taken = await shownRows(postgres, 'refusing', cases);
  expect(
    taken.flatMap(({ cells }) => cases.flatMap(({ native }, index) => (cells[index] === null ? [] : [`${native} as ${cells[index]}`]))),
  ).toEqual([]);
  const dirty = source.filter(({ id }) => id >= firstRefusedId).length;
  expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({ exitCode: 0, rows: { written: 0, dirty } });
});

test.each(cases.map((one, index) => ({ ...one, index })))('$native comes back exactly (in PostgreSQL: $elsewhere)', ({ index }) => {
  expect(arrived.size).toBeGreaterThan(0);
  expect(lostCells(index, source, arrived)).toEqual([]);
});
