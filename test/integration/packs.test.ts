import { beforeAll, expect, test } from 'vitest';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

/* Small tables that share tasks, and batches. */

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
const tables = Array.from({ length: 40 }, (_, index) => `part_${String(index).padStart(2, '0')}`);
/** As SQL of both servers makes them: tab, line end, backslash, backspace, form feed, vertical tab, a letter behind a backslash. */
const oddTexts = (chr: (code: number) => string) =>
  [9, 10, 92, 8, 12, 11].map((code) => `concat('a', ${chr(code)}, 'b')`).concat("''", 'NULL');

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('packs');
  databases.postgres = postgresDatabase(postgres, 'packs');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('packs'));
  for (const { kind, sql } of Object.values(databases)) {
    const texts = oddTexts((code) => (kind === 'postgres' ? `chr(${code})` : `char(${code})`));
    await sql(
      'CREATE TABLE whole (id int, word varchar(20))',
      ...tables.flatMap((table, number) => [
        `CREATE TABLE ${table} (id int PRIMARY KEY, word varchar(20))`,
        // Every third is plain, and every fifth empty.
        ...(number % 5 === 4
          ? []
          : [
              `INSERT INTO ${table} VALUES ${texts.map((text, row) => `(${100 * number + row}, ${number % 3 === 0 ? "'plain'" : text})`).join(', ')}`,
            ]),
      ]),
    );
  }
});

const everyRow = tables.map((table) => `SELECT id, word FROM ${table}`).join(' UNION ALL ');

test.each(
  (['postgres', 'mysql'] as const).flatMap((from) =>
    (['postgres', 'mysql'] as const).flatMap((to) => [1, 2].map((channels) => [from, to, channels] as const)),
  ),
)('rows of many tables of %s arrive in %s as they are, on %d channels', async (from, to, channels) => {
  const [source, target] = [databases[from], databases[to]];
  const reader = readerOf(source, '/^part_/');
  const writer = writerOf(target, 'whole', { preSql: ['DELETE FROM whole'] });
  const job = { job: { setting: { speed: { channel: channels } }, content: [{ reader, writer }] } };
  const { exitCode, stderr, report } = await runDray(['run', '--json', writeJob(tempFolder(), job)]);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  // Else nothing was shared.
  expect(report!.tasks.length).toBeLessThan(tables.length / 2);
  expect(await target.sql('SELECT id, word FROM whole ORDER BY id')).toEqual(await source.sql(`${everyRow} ORDER BY id`));
  expect(report!.rows).toMatchObject({ read: 256, written: 256 });
});
