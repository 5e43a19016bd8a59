import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { createTable, type Database, insertRows, mysqlDatabase, postgresDatabase, shownRows } from './databases.ts';
import { postgresTypes as cases, postgresSetup } from './postgres-types.ts';
import { move, moveByFile, runTrip, tableReader, tableWriter } from './trips.ts';
import { firstRefusedId, lostCells, rowsOf, type Shown } from './type-case.ts';

const held = `id < ${firstRefusedId}`;
const refused = `id >= ${firstRefusedId}`;
/** What came back, by trip; looked at column by column in the last tests. */
const arrived = new Map<string, readonly Shown[]>();
let source: readonly Shown[];
let postgres: Database;
let mysql: Database;

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await postgres.execute(postgresSetup);
  await createTable(postgres, 'source', cases, 'native');
  await insertRows(postgres, 'source', rowsOf(cases));
  source = await shownRows(postgres, 'source', cases);
});

afterAll(async () => {
  await Promise.all([postgres?.end(), mysql?.end()]);
});

/** Remembers what a table holds; all rows of the source must be there. */
async function remember(trip: string, table: string, expected = source): Promise<void> {
  const rows = await shownRows(postgres, table, cases);
  expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  arrived.set(trip, rows);
}

test.each(['insert', 'update', 'replace'])('a row with all types of PostgreSQL is taken by PostgreSQL (%s)', async (writeMode) => {
  await createTable(postgres, `target_${writeMode}`, cases, 'native');
  const folder = tempFolder();
  const go = () => move(folder, tableReader(postgres, 'source'), tableWriter(postgres, `target_${writeMode}`, { writeMode }));
  await go();
  // Once more over rows that are there.
  if (writeMode !== 'insert') await go();
  await remember(`to PostgreSQL by ${writeMode}`, `target_${writeMode}`);
});

test.each(['none', 'gzip'] as const)('a row with all types of PostgreSQL comes back from a file (compress: %s)', async (compress) => {
  await createTable(postgres, `from_${compress}`, cases, 'native');
  await moveByFile(tempFolder(), { from: tableReader(postgres, 'source'), to: tableWriter(postgres, `from_${compress}`), cases, compress });
  await remember(`through a file (${compress})`, `from_${compress}`);
});

test.each(['local-infile', 'insert'])('a row with all types of PostgreSQL comes back from MySQL (load: %s)', async (load) => {
  const suffix = load.replace('-', '_');
  const folder = tempFolder();
  await createTable(mysql, `middle_${suffix}`, cases, 'elsewhere');
  await createTable(postgres, `back_${suffix}`, cases, 'native');
  await move(folder, tableReader(postgres, 'source', { where: held }), tableWriter(mysql, `middle_${suffix}`, { load }));
  await move(folder, tableReader(mysql, `middle_${suffix}`), tableWriter(postgres, `back_${suffix}`));
  await remember(
    `through MySQL (${load})`,
    `back_${suffix}`,
    source.filter(({ id }) => id < firstRefusedId),
  );
});

test.each(['local-infile', 'insert'])('what MySQL cannot hold is a dirty record, and nothing of it is written (load: %s)', async (load) => {
  const table = `refusing_${load.replace('-', '_')}`;
  await createTable(mysql, table, cases, 'elsewhere');
  const { exitCode, report, stderr } = await runTrip(
    tempFolder(),
    tableReader(postgres, 'source', { where: refused }),
    tableWriter(mysql, table, { load }),
    1000,
  );
  const taken = await shownRows(
    mysql,
    table,
    cases.map(({ elsewhere }) => ({ native: elsewhere, values: [], elsewhere })),
  );
  expect(
    taken.flatMap(({ cells }) => cases.flatMap(({ native }, index) => (cells[index] === null ? [] : [`${native} as ${cells[index]}`]))),
  ).toEqual([]);
  const dirty = source.filter(({ id }) => id >= firstRefusedId).length;
  expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({ exitCode: 0, rows: { written: 0, dirty } });
});

test.each(cases.map((one, index) => ({ ...one, index })))('$native comes back exactly (in MySQL: $elsewhere)', ({ index }) => {
  expect(arrived.size).toBeGreaterThan(0);
  expect(lostCells(index, source, arrived)).toEqual([]);
});
