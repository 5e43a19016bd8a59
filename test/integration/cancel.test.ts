import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { expectFault } from '../support/faults.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayResult, type RunningDray, startDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

type Kind = 'postgres' | 'mysql';
const databases: Record<Kind, TestDatabase> = {} as never;
/** Of 1,500 bytes each: more than fits into the buffers between server and reader. */
const rowCount = 60_000;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('cancel');
  databases.postgres = postgresDatabase(postgres, 'cancel');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('cancel'));
  await databases.postgres.sql(
    `CREATE TABLE big AS SELECT n::int AS id, repeat('a word ', 214) AS word FROM generate_series(1, ${rowCount}) AS n`,
    'ALTER TABLE big ADD PRIMARY KEY (id)',
    'ANALYZE big',
    'CREATE TABLE target (id bigint, word text)',
  );
  await databases.mysql.sql(
    'CREATE TABLE big (id int PRIMARY KEY, word text)',
    `INSERT INTO big SELECT seq, repeat('a word ', 214) FROM seq_1_to_${rowCount}`,
    'ANALYZE TABLE big',
    'CREATE TABLE target (id bigint, word text)',
  );
});

beforeEach(async () => {
  for (const { sql } of Object.values(databases)) await sql('TRUNCATE TABLE target');
});

/** Sessions of dray at a server, with what each is doing. */
async function sessions({ kind, name, sql }: TestDatabase): Promise<(string | null)[][]> {
  return kind === 'postgres'
    ? sql(`SELECT state, wait_event_type, query FROM pg_stat_activity WHERE datname = '${name}' AND application_name <> 'test'`)
    : sql(`SELECT COMMAND, STATE, INFO FROM information_schema.PROCESSLIST WHERE DB = '${name}' AND ID <> CONNECTION_ID()`);
}

async function sessionsAreGone(): Promise<void> {
  for (const database of Object.values(databases)) {
    await until(`no session is left at ${database.kind}`, 5000, async () => expect(await sessions(database)).toEqual([]));
  }
}

const endless = {
  name: 'streamreader',
  parameter: {
    column: [
      { name: 'id', type: 'long', sequence: 1 },
      { name: 'word', value: 'a word' },
    ],
    sliceRecordCount: 1e9,
  },
};
const sink = { name: 'streamwriter', parameter: { print: false } };

function start(reader: object, writer: object, { channels = 1, record = 0, attempts = 1 } = {}): RunningDray {
  const setting = { speed: { channel: channels, record }, retry: { attempts } };
  const running = startDray(['run', '--json', writeJob(tempFolder(), { job: { setting, content: [{ reader, writer }] } })]);
  onTestFinished(() => void running.child.kill('SIGKILL'));
  return running;
}

/** It ends by itself, well before a plugin that does not react would be given up. */
async function endsSoon(running: RunningDray): Promise<DrayResult> {
  await until('dray has ended', 8000, async () => expect(running.child.exitCode ?? running.child.signalCode).not.toBeNull());
  return running.ended;
}

/** Waits until rows are on their way into the target. */
async function isMoving(running: RunningDray, what: () => Promise<void>): Promise<void> {
  const attempt = async () => {
    if (running.child.exitCode !== null) throw new Error(`dray has ended: ${running.stderr()}`);
    await what();
  };
  // InnoDB gives the same list of transactions again as long as it is asked more often than every 100 ms.
  await until('rows are moving', 20_000, attempt, 150);
}

const sources = {
  stream: () => endless,
  postgres: () => readerOf(databases.postgres, 'big'),
  mysql: () => readerOf(databases.mysql, 'big'),
};

/** Each task has a session at its target that has written something. */
async function isWriting(database: TestDatabase, tasks: number): Promise<void> {
  const writing = (await sessions(database)).filter(([, , query]) => /^(COPY .* FROM|RELEASE|LOAD DATA|SAVEPOINT)/.test(query ?? ''));
  if (database.kind === 'postgres') return expect(writing.length).toBeGreaterThanOrEqual(tasks);
  // MariaDB shows only what a session is doing now: the ones that rest within their transaction are found by InnoDB.
  const open = await database.sql(
    `SELECT p.ID FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
     WHERE t.trx_rows_modified > 0 AND p.DB = '${database.name}'`,
  );
  expect(open.length).toBeGreaterThanOrEqual(tasks);
}

describe.each([
  ['stream', 'postgres', 'SIGINT'],
  ['stream', 'mysql', 'SIGTERM'],
  ['postgres', 'mysql', 'SIGINT'],
  ['mysql', 'postgres', 'SIGTERM'],
] as const)('from %s into %s', (from, into, signal) => {
  test.each([1, 2])(`${signal} in the middle, on %d channel(s), leaves no row and no session`, async (channels) => {
    // A limit makes the copy last, and leaves the server little to roll back.
    const running = start(sources[from](), writerOf(databases[into], 'target'), { channels, record: 2000 });
    await isMoving(running, () => isWriting(databases[into], channels));
    running.signal(signal);
    const { exitCode, report } = await endsSoon(running);
    expect({ exitCode, report }).toMatchObject({
      exitCode: signal === 'SIGINT' ? 130 : 143,
      report: { state: 'cancelled', rows: { read: 0, written: 0 }, error: { code: 'CANCELLED' } },
    });
    await sessionsAreGone();
    expect(await databases[into].sql('SELECT count(*) FROM target')).toEqual([['0']]);
  });
});

test.each([
  ['stream', 1],
  ['stream', 2],
  ['mysql', 2],
  ['postgres', 1],
] as const)('a signal in the middle of %s into files, on %d channel(s), leaves no file', async (from, channels) => {
  const folder = join(tempFolder(), 'out');
  mkdirSync(folder);
  const writer = { name: 'txtfilewriter', parameter: { path: folder, fileName: 'out', writeMode: 'truncate' } };
  const running = start(sources[from](), writer, { channels, record: 2000 });
  await isMoving(running, async () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.csv.tmp'));
    expect(files.map((name) => statSync(join(folder, name)).size).filter((size) => size > 0)).toHaveLength(channels);
  });
  running.signal('SIGINT');
  expect((await endsSoon(running)).exitCode).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
  await sessionsAreGone();
});

/** Holds a lock from another session until the test has ended. */
async function holdLock({ kind, ...server }: TestDatabase, statement: string): Promise<void> {
  const { host, port, user, password, name: database } = server;
  if (kind === 'postgres') {
    const client = new pg.Client({ host, port, user, password, database, application_name: 'test' });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(`BEGIN; ${statement}`);
  } else {
    // Without a database of its own, so that it does not count as a session of dray.
    const connection = await mysql.createConnection({ host, port, user, password });
    onTestFinished(() => connection.end());
    await connection.query(statement.replaceAll('@', `${database}.`));
  }
}

/** Number of dray's sessions that wait for a lock. */
async function waitingForLock(database: TestDatabase): Promise<number> {
  return (await sessions(database)).filter(([, state]) => /lock/i.test(state ?? '')).length;
}

describe('a statement that waits for a lock is ended at the server while the lock is still held', () => {
  test.each<[string, Kind, string, () => object, (database: TestDatabase) => object]>([
    ['writing', 'postgres', 'LOCK TABLE target IN SHARE MODE', () => endless, (database) => writerOf(database, 'target')],
    [
      'preSql',
      'postgres',
      'LOCK TABLE target IN ACCESS EXCLUSIVE MODE',
      () => endless,
      (database) => writerOf(database, 'target', { preSql: ['TRUNCATE @table'] }),
    ],
    [
      'looking at the target',
      'postgres',
      'LOCK TABLE target IN ACCESS EXCLUSIVE MODE',
      () => endless,
      (database) => writerOf(database, 'target'),
    ],
    ['looking at the source', 'postgres', 'LOCK TABLE big IN ACCESS EXCLUSIVE MODE', () => readerOf(databases.postgres, 'big'), () => sink],
    ['writing', 'mysql', 'LOCK TABLES @target READ', () => endless, (database) => writerOf(database, 'target')],
    ['updating', 'mysql', 'LOCK TABLES @target READ', () => endless, (database) => writerOf(database, 'target', { writeMode: 'update' })],
    [
      'preSql',
      'mysql',
      'LOCK TABLES @target READ',
      () => endless,
      (database) => writerOf(database, 'target', { preSql: ['TRUNCATE @table'] }),
    ],
    ['looking at the source', 'mysql', 'LOCK TABLES @big WRITE', () => readerOf(databases.mysql, 'big'), () => sink],
  ])('%s at %s (%s)', async (_, kind, lock, reader, writer) => {
    const database = databases[kind];
    await holdLock(database, lock);
    for (const channels of [1, 2]) {
      const running = start(reader(), writer(database), { channels });
      await isMoving(running, async () => expect(await waitingForLock(database)).toBeGreaterThan(0));
      running.signal('SIGINT');
      const { exitCode, report } = await endsSoon(running);
      expect({ exitCode, code: report?.error?.code }).toEqual({ exitCode: 130, code: 'CANCELLED' });
      await sessionsAreGone();
    }
  });
});

/** Ends every session of dray, as an administrator would. */
async function killSessions({ kind, name, sql }: TestDatabase): Promise<void> {
  if (kind === 'postgres') {
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND application_name <> 'test'`);
    return;
  }
  const ids = await sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '${name}' AND ID <> CONNECTION_ID()`);
  for (const [id] of ids) await sql(`KILL CONNECTION ${id}`).catch(() => undefined);
}

describe.each(['postgres', 'mysql'] as const)('when the sessions at %s are killed in the middle', (kind) => {
  test.each([1, 2])('a target is a lost connection, exit code 4, on %d channel(s)', async (channels) => {
    const database = databases[kind];
    const running = start(endless, writerOf(database, 'target'), { channels });
    await isMoving(running, () => isWriting(database, channels));
    await killSessions(database);
    expectFault(await endsSoon(running), { exitCode: 4, code: 'CONNECTION_LOST', says: 'cannot write to' });
    await sessionsAreGone();
    expect(await database.sql('SELECT count(*) FROM target')).toEqual([['0']]);
  });

  test('while a statement of preSql runs there, that is a lost connection, too', async () => {
    const database = databases[kind];
    const preSql = [kind === 'postgres' ? 'SELECT pg_sleep(60)' : 'DO SLEEP(60)'];
    const running = start(endless, writerOf(database, 'target', { preSql }));
    await isMoving(running, async () => expect((await sessions(database)).flat().join(' ')).toMatch(/sleep\(60\)/i));
    await killSessions(database);
    expectFault(await endsSoon(running), { exitCode: 4, code: 'CONNECTION_LOST', says: 'cannot run a statement of "preSql"' });
  });

  test.each([1, 2])('a source is a lost connection, exit code 3, on %d channel(s)', async (channels) => {
    const database = databases[kind];
    const running = start(readerOf(database, 'big'), sink, { channels, record: 2000 });
    await isMoving(running, async () => {
      const reading = (await sessions(database)).filter(
        ([state, , query]) => /^(active|Query)$/.test(state!) && /^(COPY \(SELECT|SELECT `id`)/.test(query ?? ''),
      );
      expect(reading.length).toBeGreaterThanOrEqual(channels);
    });
    await killSessions(database);
    const { report } = await running.ended;
    expect(report!.rows.read).toBeLessThan(rowCount);
    // A session of MySQL takes its snapshot with it.
    const code = kind === 'mysql' ? 'SNAPSHOT_LOST' : 'CONNECTION_LOST';
    const says = kind === 'mysql' ? 'the snapshot of the run is lost' : 'cannot read big';
    expectFault(await running.ended, { exitCode: 3, code, says });
    await sessionsAreGone();
  });

  test('the run goes on where it may try again, and no row is lost or doubled', async () => {
    const database = databases[kind];
    await database.sql('CREATE TABLE copy (id int PRIMARY KEY, word text)');
    const running = start(readerOf(database, 'big'), writerOf(database, 'copy'), { channels: 2, record: 20_000, attempts: 8 });
    await isMoving(running, () => isWriting(database, 1));
    await killSessions(database);
    const { exitCode, report } = await running.ended;
    expect([exitCode, report?.rows.written]).toEqual([0, rowCount]);
    expect(report!.tasks.some(({ attempts }) => attempts.length > 1)).toBe(true);
    expect(await database.sql('SELECT count(*) FROM copy')).toEqual([[String(rowCount)]]);
  });
});
