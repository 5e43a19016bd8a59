import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DrayError, Split } from '../../core/sdk/index.ts';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { openLanes, rangeOf, type SnapshotLanes } from '../support/snapshot-lanes.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';

type Kind = 'postgres' | 'mysql';
const databases: Record<Kind, TestDatabase> = {} as never;
let mariadb: MariadbServer;
const accounts = 20_000;
const lanes = 4;

beforeAll(async () => {
  const postgres = providedPostgres();
  await postgres.createDatabase('snapshot');
  databases.postgres = postgresDatabase(postgres, 'snapshot');
  mariadb = await startMariadb({ settings: ['--log-bin=binlog', '--server-id=1', '--binlog-format=ROW'] });
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('snapshot'));
});

afterAll(() => mariadb.stop());

/** Accounts of 100 each, and the number of transfers so far. */
async function makeBank({ kind, sql }: TestDatabase): Promise<void> {
  const series = kind === 'postgres' ? `generate_series(1, ${accounts}) AS s(n)` : `(SELECT seq AS n FROM seq_1_to_${accounts}) AS s`;
  await sql(
    'DROP TABLE IF EXISTS account',
    'DROP TABLE IF EXISTS transfers',
    'CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL, note varchar(200))',
    'CREATE TABLE transfers (id int PRIMARY KEY, done bigint)',
    `INSERT INTO account SELECT n, 100, repeat('n', 100) FROM ${series}`,
    'INSERT INTO transfers VALUES (1, 0)',
  );
}

/**
 * Moves money, from the first account to ever new ones behind the last, and closes old ones: in each transaction the sum and the number of accounts stay the
 * same, and the largest id says how many there were.
 */
function moveMoney({ sql }: TestDatabase): () => Promise<number> {
  let isStopped = false;
  let done = 0;
  const work = (async () => {
    while (!isStopped) {
      done++;
      await sql(
        'BEGIN',
        `INSERT INTO account VALUES (${accounts + done}, 100, 'new')`,
        `DELETE FROM account WHERE id = ${done * 3}`,
        `UPDATE account SET balance = balance - 1 WHERE id = ${accounts - (done % 50)}`,
        `UPDATE account SET balance = balance + 1 WHERE id = ${accounts - 100 - (done % 50)}`,
        `UPDATE transfers SET done = ${done}`,
        'COMMIT',
      );
    }
    return done;
  })();
  return async () => {
    isStopped = true;
    return work;
  };
}

async function openBank(database: TestDatabase, width = lanes): Promise<SnapshotLanes> {
  const { jdbcUrl } = database;
  const opened = await openLanes(database, width, {
    column: ['*'],
    connection: [{ jdbcUrl: [jdbcUrl], table: ['account'] }],
  });
  onTestFinished(() => opened.close());
  return opened;
}

/** Ranges of accounts, more than there are lanes. */
function cut(split: Split): Split[] {
  const bounds = [null, 2000, 5000, 9000, 12_000, 16_000, 19_000, accounts, null];
  return bounds.slice(1).map((to, index) => rangeOf(split, bounds[index]!, to));
}

async function readAll({ read, splits }: SnapshotLanes, width = lanes) {
  const tasks = cut(splits[0]!);
  const rows = (
    await Promise.all(
      Array.from({ length: width }, async (_, lane) => {
        const own = [];
        for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) own.push(...(await read(lane, task)));
        return own;
      }),
    )
  ).flat();
  return {
    count: rows.length,
    sum: rows.reduce((sum, [, balance]) => sum + Number(balance), 0),
    transfers: Math.max(...rows.map(([id]) => Number(id))) - accounts,
  };
}

const codeOf = (failure: Promise<unknown>) =>
  failure.then(
    () => 'nothing failed',
    (error: DrayError) => error.code,
  );

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  let database: TestDatabase;
  beforeAll(() => {
    database = databases[kind];
  });

  test('four lanes read a table in which money moves as it was at one moment', async () => {
    await makeBank(database);
    const opened = await openBank(database);
    const stop = moveMoney(database);
    await until('money moves', 10_000, async () =>
      expect(Number((await database.sql('SELECT done FROM transfers'))[0]![0])).toBeGreaterThan(3),
    );
    const { position } = await opened.open();
    const at = Number((await database.sql('SELECT done FROM transfers'))[0]![0]);
    await until('more money moves', 10_000, async () =>
      expect(Number((await database.sql('SELECT done FROM transfers'))[0]![0])).toBeGreaterThan(at + 10),
    );
    const found = await readAll(opened);
    expect(await stop()).toBeGreaterThan(at + 10);
    expect(found).toMatchObject({ count: accounts, sum: accounts * 100 });
    expect(found.transfers).toBeGreaterThanOrEqual(3);
    expect(found.transfers).toBeLessThanOrEqual(at);
    expect(position).toMatch(kind === 'postgres' ? /^[0-9A-F]+\/[0-9A-F]+$/ : /^binlog\.\d+:\d+$/);
  });

  test('without a snapshot the same reads do not add up', async () => {
    await makeBank(database);
    const opened = await openBank(database);
    const tasks = cut(opened.splits[0]!);
    const before = await opened.read(0, tasks.at(-1)!);
    await database.sql(`INSERT INTO account VALUES (${accounts + 1}, 100, 'new')`, 'DELETE FROM account WHERE id = 3');
    let rest = 0;
    for (const task of tasks.slice(0, -1)) rest += (await opened.read(1, task)).length;
    expect(before.length + rest).toBe(accounts - 1);
  });

  test(
    kind === 'mysql'
      ? 'a lane whose session is killed has lost the snapshot, and the others have not'
      : 'a lane whose session is killed goes on in the snapshot, as long as the session that exported it is there',
    async () => {
      await makeBank(database);
      const opened = await openBank(database, 2);
      const [task] = cut(opened.splits[0]!);
      await opened.open();
      await database.sql("INSERT INTO account VALUES (0, 100, 'new')");
      for (const lane of [1, 0]) await opened.read(lane, task!);
      await killSessions(database, kind === 'mysql' ? await lastSession(database) : "state = 'idle'");
      if (kind === 'mysql') {
        for (let again = 0; again < 2; again++) expect(await codeOf(opened.read(0, task!))).toBe('SNAPSHOT_LOST');
        expect(await opened.read(1, task!)).toHaveLength(1999);
      } else {
        expect(await codeOf(opened.read(0, task!))).toBe('CONNECTION_LOST');
        expect(await opened.read(0, task!)).toHaveLength(1999);
        await killSessions(database, "state = 'idle in transaction'");
        for (let again = 0; again < 2; again++) expect(await codeOf(opened.read(0, task!))).toBe('SNAPSHOT_LOST');
      }
    },
  );

  test('a task that is cancelled in the middle ends at the server, and the lane goes on in its snapshot', async () => {
    await makeBank(database);
    const opened = await openBank(database, 2);
    await opened.open();
    await database.sql(`INSERT INTO account VALUES (${accounts + 1}, 100, 'new')`);
    const cancel = new AbortController();
    let batches = 0;
    const reading = opened.read(0, opened.splits[0]!, {
      signal: cancel.signal,
      onBatch: async () => {
        if (++batches === 2) cancel.abort(new Error('enough'));
        await new Promise(setImmediate);
      },
    });
    await expect(reading).rejects.toThrow();
    expect(batches).toBeLessThan(10);
    const busy =
      kind === 'postgres'
        ? `SELECT query FROM pg_stat_activity WHERE datname = 'snapshot' AND state = 'active' AND application_name = 'dray'`
        : `SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = 'snapshot' AND COMMAND = 'Query' AND ID <> CONNECTION_ID()`;
    await until('nothing runs at the server', 5000, async () => expect(await database.sql(busy)).toEqual([]));
    expect(await opened.read(0, opened.splits[0]!)).toHaveLength(accounts);
  });

  test.each([
    ['an added column is not missed', 'ALTER TABLE account ADD COLUMN more int', undefined],
    ['a dropped column', 'ALTER TABLE account DROP COLUMN note', /note/],
    ['a renamed column', 'ALTER TABLE account RENAME COLUMN note TO remark', /note/],
    [
      'a column of another type',
      { postgres: 'ALTER TABLE account ALTER balance TYPE numeric', mysql: 'ALTER TABLE account MODIFY balance int' },
      /"balance" is (numeric|int).*bigint/,
    ],
    ['a dropped table', 'DROP TABLE account', /account/],
  ] as const)('a schema change between plan and read: %s', async (_, change, complaint) => {
    await makeBank(database);
    const opened = await openBank(database, 1);
    await database.sql(typeof change === 'string' ? change : change[kind]);
    if (complaint === undefined) {
      const rows = await opened.read(0, opened.splits[0]!);
      expect(rows).toHaveLength(accounts);
      expect(rows[0]).toHaveLength(3);
      return;
    }
    await expect(opened.read(0, opened.splits[0]!)).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      message: expect.stringMatching(complaint),
    });
  });

  test('columns that change places are read by their names', async () => {
    await makeBank(database);
    const opened = await openBank(database, 1);
    await database.sql(
      'DROP TABLE account',
      'CREATE TABLE account (note varchar(200), balance bigint NOT NULL, id bigint PRIMARY KEY)',
      "INSERT INTO account VALUES ('a word', 7, 1)",
    );
    expect(await opened.read(0, opened.splits[0]!)).toEqual([['1', '7', 'a word']]);
  });

  test.each([
    ['TRUNCATE', 'TRUNCATE TABLE account'],
    [
      'a table written anew',
      { postgres: 'ALTER TABLE account ADD COLUMN at timestamptz DEFAULT clock_timestamp()', mysql: 'ALTER TABLE account FORCE' },
    ],
  ])('%s under an open snapshot is noticed: the table is not empty', async (_, change) => {
    await makeBank(database);
    const opened = await openBank(database, 2);
    await opened.open();
    await database.sql(typeof change === 'string' ? change : change[kind]);
    const rows = await opened.read(0, opened.splits[0]!).catch((error: DrayError) => error.code);
    if (rows !== 'SCHEMA_CHANGED') expect(rows).toHaveLength(accounts);
  });

  test('the tables can be altered while the snapshot is open and nobody reads them', async () => {
    await makeBank(database);
    const opened = await openBank(database, 2);
    await opened.open();
    await opened.read(0, cut(opened.splits[0]!)[0]!);
    const patience = kind === 'postgres' ? "SET lock_timeout = '2s'" : 'SET lock_wait_timeout = 2';
    await expect(database.sql(patience, 'ALTER TABLE account ADD COLUMN late int')).resolves.toBeDefined();
  });
});

/** Ends sessions of readers, as an administrator would: by a condition, or by their number. */
async function killSessions({ kind, sql }: TestDatabase, which: string): Promise<void> {
  if (kind === 'mysql') {
    await sql(`KILL CONNECTION ${which}`);
    return;
  }
  const ours = `FROM pg_stat_activity WHERE datname = 'snapshot' AND application_name = 'dray' AND ${which}`;
  await sql(`SELECT pg_terminate_backend(pid) ${ours}`);
  await until('they are gone', 10_000, async () => expect(await sql(`SELECT pid ${ours}`)).toEqual([]));
}

/** Number of the session that has read last. */
async function lastSession({ sql }: TestDatabase): Promise<string> {
  const [[id] = []] = await sql(
    "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'snapshot' AND ID <> CONNECTION_ID() ORDER BY QUERY_ID DESC LIMIT 1",
  );
  return id!;
}
