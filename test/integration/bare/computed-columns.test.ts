import { expect, onTestFinished, test } from 'vitest';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { move, tableReader, tableWriter } from '../types/trips.ts';

interface Case {
  readonly columns: readonly string[];
  /** What LOAD DATA assigns. */
  readonly assigned: readonly string[];
}

const cases: Record<string, Case> = {
  'bare rows': { columns: ['flag', 'raw', 'id', 'n'], assigned: ['flag', 'id'] },
  'bare rows that begin with bytes': { columns: ['raw', 'flag', 'id', 'n'], assigned: ['flag', 'id'] },
  'bare rows of columns that take no NULL': { columns: ['raw', 'id'], assigned: ['raw', 'id'] },
  'bare rows of which one column is computed': { columns: ['flag', 'raw', 'id', 'n', 'f'], assigned: ['flag', 'id', 'f'] },
  text: { columns: ['flag', 'raw', 'id', 'n', 'more'], assigned: ['flag', 'raw', 'id'] },
};

test.each(Object.entries(cases))('what the server itself puts into %s is what it should be', async (_, { columns, assigned }) => {
  const [source, target] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  const { database, statements, close } = await listenedDatabase(target);
  onTestFinished(close);
  await source.execute(
    `CREATE TABLE source AS SELECT i AS id, i = 1 AS flag, 10 * i AS n, 0.5::real AS f, NULL::int AS more, decode('e40a5c80ff', 'hex') AS raw
     FROM generate_series(0, 2) i`,
  );
  await target.execute(
    `CREATE TABLE target (id int AUTO_INCREMENT PRIMARY KEY, flag tinyint(1), raw varbinary(9) NOT NULL, n int DEFAULT 7, f float, more datetime,
       twice int AS (n * 2) STORED, thrice int AS (n * 3) VIRTUAL, KEY (thrice), made timestamp NULL DEFAULT '2024-02-29 12:00:00')`,
  );
  await target.execute('CREATE TRIGGER hundred BEFORE INSERT ON target FOR EACH ROW SET NEW.n = NEW.n + 100');
  await move(tempFolder(), tableReader(source, 'source', { column: columns }), tableWriter(database, 'target', { column: columns }));
  const loads = statements.filter((sql) => sql.includes('LOAD DATA'));
  expect(loads).toHaveLength(1);
  expect([...loads[0]!.matchAll(/`(\w+)` = /g)].map(([, name]) => name)).toEqual(assigned);
  const rows = await target.query('SELECT id, HEX(raw), n, twice, thrice, made FROM target ORDER BY id');
  const expected = [0, 1, 2].map((i) => (columns.includes('n') ? 100 + 10 * i : 107));
  expect(rows).toEqual(expected.map((n, i) => [i, 'E40A5C80FF', n, 2 * n, 3 * n, '2024-02-29 12:00:00'].map(String)));
  const found = await target.query(
    `SELECT count(*) FROM target FORCE INDEX (thrice) WHERE thrice IN (${expected.map((n) => 3 * n).join()})`,
  );
  expect(found).toEqual([['3']]);
});

test('a unique index over whole texts is kept of what a trigger has made of them', async () => {
  const [source, target] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  await source.execute("CREATE TABLE source AS SELECT 1 AS id, true AS flag, 'a' AS s");
  await target.execute('CREATE TABLE target (id int PRIMARY KEY, flag tinyint(1), s text, UNIQUE (s))');
  await target.execute("CREATE TRIGGER x BEFORE INSERT ON target FOR EACH ROW SET NEW.s = CONCAT('x', NEW.s)");
  await move(tempFolder(), tableReader(source, 'source'), tableWriter(target, 'target'));
  await expect(target.execute("INSERT INTO target VALUES (2, 1, 'a')")).rejects.toMatchObject({ code: 'ER_DUP_ENTRY' });
  expect(await target.query('CHECK TABLE target EXTENDED')).toMatchObject([[expect.anything(), 'check', 'status', 'OK']]);
});
