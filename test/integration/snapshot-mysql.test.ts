import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DrayError } from '../../core/sdk/index.ts';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { openLanes, type SnapshotLanes } from '../support/snapshot-lanes.ts';
import { mysqlDatabase, type TestDatabase } from '../support/sql.ts';

let server: MariadbServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await startMariadb({ settings: ['--log-bin=binlog', '--server-id=1'] });
  database = mysqlDatabase(server, await server.createDatabase('rights'));
  await database.sql(
    'CREATE TABLE t (id int PRIMARY KEY)',
    'INSERT INTO t VALUES (1), (2), (3)',
    'CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM',
    'CREATE VIEW v AS SELECT id FROM t',
    'CREATE DATABASE other',
    'CREATE TABLE other.t (id int PRIMARY KEY)',
  );
  for (const [user, rights] of [
    ['selects', 'SELECT ON rights.*'],
    ['locks', 'SELECT, LOCK TABLES ON rights.*'],
    ['flushes', 'SELECT, RELOAD ON *.*'],
  ]) {
    await database.sql(`CREATE USER ${user} IDENTIFIED BY 'secret'`, `GRANT ${rights} TO ${user}`);
  }
});

afterAll(() => server.stop());

interface From {
  readonly user?: string;
  readonly table?: string;
  readonly querySql?: string;
}

async function lanesOf(width: number, { user, table = 't', querySql }: From = {}): Promise<SnapshotLanes> {
  const source = querySql === undefined ? { table: [table] } : { querySql: [querySql] };
  const login = user === undefined ? {} : { username: user, password: 'secret' };
  const opened = await openLanes(database, width, { ...login, connection: [{ jdbcUrl: [database.jdbcUrl], ...source }] });
  onTestFinished(() => opened.close());
  return opened;
}

const query = 'SELECT id FROM t';

test.each<[string, number, From]>([
  ['one lane needs no rights but to read', 1, { user: 'selects' }],
  ['one lane needs none for a query either', 1, { user: 'selects', querySql: query }],
  ['tables are locked with LOCK TABLES', 3, { user: 'locks' }],
  ['or with RELOAD', 3, { user: 'flushes' }],
  ['and so are the tables of a view', 3, { table: 'v' }],
  ['a query takes RELOAD', 3, { user: 'flushes', querySql: query }],
])('%s', async (_, width, from) => {
  const opened = await lanesOf(width, from);
  const snapshot = await opened.open();
  if (width > 1) expect(snapshot.position).toMatch(/^binlog\.\d+:\d+$/);
  await database.sql('INSERT INTO t VALUES (4)');
  onTestFinished(async () => void (await database.sql('DELETE FROM t WHERE id = 4')));
  for (let lane = 0; lane < width; lane++) expect(await opened.read(lane, opened.splits[0]!)).toEqual([['1'], ['2'], ['3']]);
});

test.each<[string, From, RegExp]>([
  ['a user who may only read', { user: 'selects' }, /several readers need a lock.*selects.*RELOAD/s],
  ['a query without RELOAD', { user: 'locks', querySql: query }, /RELOAD/],
  ['a table that keeps no versions', { table: 'old' }, /table old has the engine MyISAM/],
])('a snapshot for several lanes is refused to %s', async (_, from, why) => {
  const opened = await lanesOf(2, from);
  await expect(opened.open()).rejects.toMatchObject({ code: 'SNAPSHOT_REFUSED', message: expect.stringMatching(why) });
  // Nothing is left locked.
  await expect(database.sql('SET lock_wait_timeout = 1', 'INSERT INTO t VALUES (9)', 'DELETE FROM t WHERE id = 9')).resolves.toBeDefined();
});

test('behind a transaction that does not end, the lock is given up, and writers come through in between', async () => {
  const opened = await lanesOf(2);
  const blocker = await mysql.createConnection({ uri: server.urlFor(database.name) });
  onTestFinished(() => blocker.end());
  await blocker.query('START TRANSACTION');
  await blocker.query('INSERT INTO t VALUES (5)');
  const opening = opened.open().catch((error: unknown) => error);
  await expect(database.sql('INSERT INTO t VALUES (6)', 'DELETE FROM t WHERE id = 6')).resolves.toBeDefined();
  expect(await opening).toMatchObject({ code: 'SNAPSHOT_REFUSED', message: expect.stringContaining('could not be locked') });
  await blocker.query('ROLLBACK');
});

test('who comes when the tables are free again does not get a snapshot of another moment', async () => {
  const opened = await lanesOf(1);
  const snapshot = await opened.main.openSnapshot!({ splits: opened.splits, readers: 2 });
  await snapshot.joined!();
  await expect(opened.lanes[0]!.joinSnapshot!(snapshot.token)).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
});

test('writers wait until all have joined, and no longer', async () => {
  const opened = await lanesOf(2);
  const snapshot = await opened.main.openSnapshot!({ splits: opened.splits, readers: 2 });
  let isWritten = false;
  const writing = database.sql('INSERT INTO t VALUES (7)').then(() => {
    isWritten = true;
  });
  await Promise.all(opened.lanes.map((lane) => lane.joinSnapshot!(snapshot.token)));
  expect(isWritten).toBe(false);
  await snapshot.joined!();
  await writing;
  expect(await opened.read(1, opened.splits[0]!)).toHaveLength(3);
  await database.sql('DELETE FROM t WHERE id = 7');
});

test('several connections are locked together', async () => {
  const other = database.jdbcUrl.replace(/\/rights$/, '/other');
  const opened = await openLanes(database, 2, {
    connection: [
      { jdbcUrl: [database.jdbcUrl], table: ['t'] },
      { jdbcUrl: [other], table: ['t'] },
    ],
  });
  onTestFinished(() => opened.close());
  const { token, position } = await opened.open();
  expect(Object.keys(token as object)).toEqual(['0', '1']);
  expect(position).toMatch(/^(binlog\.\d+:\d+), \1$/);
  await database.sql('INSERT INTO other.t VALUES (1)');
  const rows = await Promise.all(opened.splits.map((split) => opened.read(1, split)));
  expect(rows.map(({ length }) => length)).toEqual([3, 0]);
});

test('on a server that is set to SERIALIZABLE the rows that are read are not locked', async () => {
  await database.sql(
    'CREATE TABLE wide (id int PRIMARY KEY, word varchar(300))',
    "INSERT INTO wide SELECT seq, repeat('w', 300) FROM seq_1_to_50000",
    'SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE',
  );
  onTestFinished(async () => void (await database.sql('SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ')));
  const opened = await lanesOf(1, { table: 'wide' });
  let batches = 0;
  const rows = await opened.read(0, opened.splits[0]!, {
    onBatch: async () => {
      if (batches++ === 0) await database.sql('SET innodb_lock_wait_timeout = 1', "UPDATE wide SET word = 'other' WHERE id = 1");
    },
  });
  expect(rows).toHaveLength(50_000);
  expect(batches).toBeGreaterThan(10);
});

test('a reader that is interrupted at a server with no room for the KILL stays in its snapshot', async () => {
  await database.sql(
    'CREATE TABLE long_one (id int PRIMARY KEY, word char(250))',
    "INSERT INTO long_one SELECT seq, REPEAT('x', 250) FROM seq_1_to_100000",
    "CREATE USER alone IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 3",
    'GRANT SELECT ON rights.* TO alone',
  );
  // One session plans, one keeps the snapshot, and one reads.
  const opened = await lanesOf(1, { user: 'alone', table: 'long_one' });
  await opened.open();
  await database.sql('DELETE FROM long_one');
  const [split] = opened.splits;
  const stop = new AbortController();
  const late = new DrayError('CANCELLED', 'the target is not there');
  const onBatch = () => stop.abort(late);
  await expect(opened.read(0, split!, { signal: stop.signal, onBatch })).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(await opened.read(0, split!)).toHaveLength(100_000);
});
