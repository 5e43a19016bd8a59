import { expect, onTestFinished, test } from 'vitest';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { move, tableReader, tableWriter } from '../types/trips.ts';

/** By what has to be computed by the statement: nothing, one column, or all that can be. */
test.each([
  ['bare', 'flag', [], undefined],
  ['bare', 'flag', ['f float'], /CASE ABS\(@c3\)/],
  ['text', 'flag', ['more datetime'], /CASE @c0/],
  ['text', 'flag::int', [], undefined],
] as const)('what the server itself puts into rows is the same for %s rows of %s and %j', async (_layout, flag, more, set) => {
  const [source, target] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  const { database, statements, close } = await listenedDatabase(target);
  onTestFinished(close);
  await source.execute(
    'CREATE TABLE source AS SELECT i AS id, i = 1 AS flag, 10 * i AS n, 0.5::real AS f, NULL::int AS more FROM generate_series(0, 2) i',
  );
  await target.execute(
    `CREATE TABLE target (id int AUTO_INCREMENT PRIMARY KEY, flag tinyint(1), n int, ${more.map((one) => `${one}, `).join('')}
       twice int AS (n * 2) STORED, thrice int AS (n * 3) VIRTUAL, KEY (thrice), made timestamp NULL DEFAULT '2024-02-29 12:00:00')`,
  );
  await target.execute('CREATE TRIGGER hundred BEFORE INSERT ON target FOR EACH ROW SET NEW.n = NEW.n + 100');
  const columns = ['flag', 'id', 'n', ...more.map((one) => one.split(' ')[0]!)];
  const column = columns.map((name) => (name === 'flag' ? flag : name));
  await move(tempFolder(), tableReader(source, 'source', { column }), tableWriter(database, 'target', { column: columns }));
  const [load = ''] = statements.filter((sql) => sql.startsWith('LOAD DATA'));
  if (set !== undefined) expect(load).toMatch(set);
  else expect(load).not.toMatch(/CASE|TRIM/);
  const rows = await target.query('SELECT id, flag, n, twice, thrice, made FROM target ORDER BY id');
  expect(rows).toEqual(
    [0, 1, 2].map((i) => {
      const n = 100 + 10 * i;
      return [i, i === 1 ? 1 : 0, n, 2 * n, 3 * n, '2024-02-29 12:00:00'].map(String);
    }),
  );
  expect(await target.query('SELECT count(*) FROM target FORCE INDEX (thrice) WHERE thrice IN (300, 330, 360)')).toEqual([['3']]);
});
