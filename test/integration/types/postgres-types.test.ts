import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { createTable, type Database, insertRows, mysqlDatabase, postgresDatabase, shownRows } from './databases.ts';
import { postgresTypes as cases, postgresSetup } from './postgres-types.ts';
import { move, moveByFile, runTrip, tableReader, tableWriter } from './trips.ts';
import { differences, firstRefusedId, rowsOf } from './type-case.ts';

let postgres: Database;
let mysql: Database;

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await postgres.execute(postgresSetup);
  await createTable(postgres, 'source', cases, 'native');
  await insertRows(postgres, 'source', rowsOf(cases));
});

afterAll(async () => {
  await Promise.all([postgres?.end(), mysql?.end()]);
});

/** What differs between the source and another table of the same types. */
async function lost(table: string, where?: string): Promise<string[]> {
  return differences(cases, await shownRows(postgres, 'source', cases, where), await shownRows(postgres, table, cases, where));
}

test.each(['insert', 'update', 'replace'])('every type of PostgreSQL comes through PostgreSQL exactly (%s)', async (writeMode) => {
  await createTable(postgres, `target_${writeMode}`, cases, 'native');
  const folder = tempFolder();
  await move(folder, tableReader(postgres, 'source'), tableWriter(postgres, `target_${writeMode}`, { writeMode }));
  // Once more over rows that are there.
  if (writeMode !== 'insert')
    await move(folder, tableReader(postgres, 'source'), tableWriter(postgres, `target_${writeMode}`, { writeMode }));
  expect(await lost(`target_${writeMode}`)).toEqual([]);
});

test.each(['none', 'gzip'] as const)('every type of PostgreSQL comes through a file exactly (compress: %s)', async (compress) => {
  await createTable(postgres, `from_${compress}`, cases, 'native');
  await moveByFile(tempFolder(), { from: tableReader(postgres, 'source'), to: tableWriter(postgres, `from_${compress}`), cases, compress });
  expect(await lost(`from_${compress}`)).toEqual([]);
});

test('every type of PostgreSQL comes through MySQL exactly, in a type that holds its values', async () => {
  const folder = tempFolder();
  await createTable(mysql, 'middle', cases, 'elsewhere');
  await createTable(postgres, 'back', cases, 'native');
  await move(folder, tableReader(postgres, 'source', { where: `id < ${firstRefusedId}` }), tableWriter(mysql, 'middle'));
  await move(folder, tableReader(mysql, 'middle'), tableWriter(postgres, 'back'));
  expect(await lost('back', `id < ${firstRefusedId}`)).toEqual([]);
});

test.each(['local-infile', 'insert'])(
  'what the types of MySQL cannot hold is a dirty record, and nothing of it is written (load: %s)',
  async (load) => {
    const table = `refusing_${load.replace('-', '_')}`;
    await createTable(mysql, table, cases, 'elsewhere');
    const where = `id >= ${firstRefusedId}`;
    const { exitCode, report, stderr } = await runTrip(
      tempFolder(),
      tableReader(postgres, 'source', { where }),
      tableWriter(mysql, table, { load }),
      1000,
    );
    const taken = await shownRows(
      mysql,
      table,
      cases.map(({ elsewhere }) => ({ native: elsewhere, values: [], elsewhere })),
    );
    expect(
      taken.map(({ cells }) =>
        cases.flatMap(({ native }, index) => (cells[index] === null ? [] : [`${native} as ${cells[index]}`])).join(),
      ),
    ).toEqual([]);
    expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({
      exitCode: 0,
      rows: { written: 0, dirty: rowsOf(cases).filter(({ id }) => id >= firstRefusedId).length },
    });
  },
);
