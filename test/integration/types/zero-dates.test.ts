import { expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { mysqlDatabase, postgresDatabase } from './databases.ts';
import { move, tableReader, tableWriter } from './trips.ts';

test('with "zeroDate": "null" dates without a year, month or day become NULL, and all others stay', async () => {
  const [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await mysql.execute('CREATE TABLE source (id int PRIMARY KEY, d date, dt datetime(3), ts timestamp(6) NULL)');
  await mysql.execute(`INSERT INTO source VALUES
    (1, '0000-00-00', '0000-00-00', '0000-00-00'), (2, '2020-00-00', '2020-05-00 10:00', NULL), (3, NULL, NULL, NULL),
    (4, '2020-01-05', '2020-01-05 10:00:00.123', '2020-01-05 10:00:00.123456')`);
  await postgres.execute('CREATE TABLE target (id int PRIMARY KEY, d date, dt timestamp(3), ts timestamptz)');
  await move(tempFolder(), tableReader(mysql, 'source', { zeroDate: 'null' }), tableWriter(postgres, 'target'));
  expect(await postgres.query('SELECT id, d, dt, ts FROM target ORDER BY id')).toEqual([
    ['1', null, null, null],
    ['2', null, null, null],
    ['3', null, null, null],
    ['4', '2020-01-05', '2020-01-05 10:00:00.123', '2020-01-05 10:00:00.123456+00'],
  ]);
  await Promise.all([postgres.end(), mysql.end()]);
});
