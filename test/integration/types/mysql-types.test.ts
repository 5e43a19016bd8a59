import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { createTable, type Database, insertRows, mysqlDatabase, postgresDatabase, shownRows } from './databases.ts';
import { mysqlTypes as cases } from './mysql-types.ts';
import { move, moveByFile, runTrip, tableReader, tableWriter } from './trips.ts';
import { differences, firstRefusedId, rowsOf } from './type-case.ts';

let postgres: Database;
let mysql: Database;

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await createTable(mysql, 'source', cases, 'native');
  await insertRows(mysql, 'source', rowsOf(cases));
});

afterAll(async () => {
  await Promise.all([postgres?.end(), mysql?.end()]);
});

/** What differs between the source and another table of the same types. */
async function lost(table: string, where?: string): Promise<string[]> {
  return differences(cases, await shownRows(mysql, 'source', cases, where), await shownRows(mysql, table, cases, where));
}

test.each([
  { load: 'local-infile', writeMode: 'insert' },
  { load: 'local-infile', writeMode: 'replace' },
  { load: 'insert', writeMode: 'insert' },
  { load: 'insert', writeMode: 'replace' },
  { load: 'insert', writeMode: 'update' },
])('every type of MySQL comes through MySQL exactly (load: $load, $writeMode)', async ({ load, writeMode }) => {
  const table = `by_${load.replace('-', '_')}_${writeMode}`;
  const folder = tempFolder();
  await createTable(mysql, table, cases, 'native');
  await move(folder, tableReader(mysql, 'source'), tableWriter(mysql, table, { load, writeMode }));
  // Once more over rows that are there.
  if (writeMode !== 'insert') await move(folder, tableReader(mysql, 'source'), tableWriter(mysql, table, { load, writeMode }));
  expect(await lost(table)).toEqual([]);
});

test.each(['none', 'gzip'] as const)('every type of MySQL comes through a file exactly (compress: %s)', async (compress) => {
  await createTable(mysql, `from_${compress}`, cases, 'native');
  await moveByFile(tempFolder(), { from: tableReader(mysql, 'source'), to: tableWriter(mysql, `from_${compress}`), cases, compress });
  expect(await lost(`from_${compress}`)).toEqual([]);
});

test('every type of MySQL comes through PostgreSQL exactly, in a type that holds its values', async () => {
  const folder = tempFolder();
  await createTable(postgres, 'middle', cases, 'elsewhere');
  await createTable(mysql, 'back', cases, 'native');
  await move(folder, tableReader(mysql, 'source', { where: `id < ${firstRefusedId}` }), tableWriter(postgres, 'middle'));
  await move(folder, tableReader(postgres, 'middle'), tableWriter(mysql, 'back'));
  expect(await lost('back', `id < ${firstRefusedId}`)).toEqual([]);
});

test('what the types of PostgreSQL cannot hold is a dirty record, and nothing of it is written', async () => {
  await createTable(postgres, 'refusing', cases, 'elsewhere');
  const where = `id >= ${firstRefusedId}`;
  const { exitCode, report, stderr } = await runTrip(
    tempFolder(),
    tableReader(mysql, 'source', { where }),
    tableWriter(postgres, 'refusing'),
    1000,
  );
  const taken = await shownRows(postgres, 'refusing', cases);
  expect(
    taken.map(({ cells }) => cases.flatMap(({ native }, index) => (cells[index] === null ? [] : [`${native} as ${cells[index]}`])).join()),
  ).toEqual([]);
  expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({
    exitCode: 0,
    rows: { written: 0, dirty: rowsOf(cases).filter(({ id }) => id >= firstRefusedId).length },
  });
});
