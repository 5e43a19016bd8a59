import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SourceGovernor } from '../../core/governor/source-governor.ts';
import type { PluginContext, Reader, Writer } from '../../core/sdk/index.ts';
import mysqlReader from '../../plugins/mysql/reader.ts';
import mysqlWriter from '../../plugins/mysql/writer.ts';
import postgresReader from '../../plugins/postgres/reader.ts';
import postgresWriter from '../../plugins/postgres/writer.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { startStandby } from '../support/postgres-standby.ts';
import { connectionTo, mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { until } from '../support/until.ts';

type Kind = 'postgres' | 'mysql';
const plugins = {
  mysql: { reader: mysqlReader, writer: mysqlWriter },
  postgres: { reader: postgresReader, writer: postgresWriter },
};
const never = new AbortController().signal;
let mariadb: MariadbServer;
let postgres: PostgresServer;
const databases: Record<Kind, TestDatabase> = {} as never;

beforeAll(async () => {
  // Others' tests would be seen in the figures of a shared server.
  [mariadb, postgres] = await Promise.all([
    startMariadb({ settings: ['--max-connections=40', '--log-bin=binlog', '--server-id=1'] }),
    startPostgres({ settings: { max_connections: '40' } }),
  ]);
  await postgres.createDatabase('health');
  databases.postgres = postgresDatabase(postgres, 'health');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('health'));
  for (const database of Object.values(databases)) await database.sql('CREATE TABLE t (id int PRIMARY KEY)', 'INSERT INTO t VALUES (1)');
});
afterAll(() => Promise.all([mariadb?.stop(), postgres?.stop()]));

const context: PluginContext = { job: 'test', run: 'run-1', warn: () => undefined, print: () => undefined, signal: never };

async function openReader(kind: Kind, parameter: object): Promise<Reader> {
  const { reader: plugin } = plugins[kind];
  const reader = await plugin.open(plugin.options.parse(parameter), context);
  onTestFinished(() => reader.close?.());
  return reader;
}

async function openWriter(kind: Kind, parameter: object): Promise<Writer> {
  const { writer: plugin } = plugins[kind];
  const writer = await plugin.open(plugin.options.parse(parameter), context);
  onTestFinished(() => writer.close?.());
  return writer;
}

/** What its `health` says of the server that it names. */
const healthOf = (end: Reader | Writer) => end.health!(end.resource!(), never);

/** Queries that run until they are ended, each on a connection of its own. */
async function keepBusy({ kind, host, port, user, password, name }: TestDatabase, queries: number): Promise<{ end: () => Promise<void> }> {
  const opened = await Promise.all(
    Array.from({ length: queries }, async () => {
      if (kind === 'mysql') {
        const connection = await mysql.createConnection({ host, port, user, password, database: name });
        connection.on('error', () => undefined);
        const query = connection.query('SELECT SLEEP(600)').catch(() => undefined);
        return { query, id: connection.threadId, end: () => connection.destroy() };
      }
      const client = new pg.Client({ host, port, user, password, database: name });
      client.on('error', () => undefined);
      await client.connect();
      const query = client.query('SELECT pg_sleep(600)').catch(() => undefined);
      return { query, id: (client as unknown as { processID: number }).processID, end: () => client.end().catch(() => undefined) };
    }),
  );
  const end = async () => {
    const kill = (id: number) => (kind === 'mysql' ? `KILL ${id}` : `SELECT pg_terminate_backend(${id})`);
    for (const { id } of opened.splice(0)) await databases[kind].sql(kill(id)).catch(() => undefined);
  };
  const all = [...opened];
  onTestFinished(async () => {
    await end();
    for (const one of all) await one.end();
  });
  return { end };
}

describe.each(['mysql', 'postgres'] as const)('the health of %s', (kind) => {
  const jdbcPort = (jdbcUrl: string, port: number) => jdbcUrl.replace(/:\d+\//, `:${port}/`);

  test('is told by the reader and by the writer, as its monitoring would', async () => {
    const database = databases[kind];
    for (const end of [
      await openReader(kind, readerOf(database, 't').parameter),
      await openWriter(kind, writerOf(database, 't').parameter),
    ]) {
      expect(end.resource!()).toEqual({ kind, host: database.host, port: database.port });
      const health = await healthOf(end);
      // PostgreSQL keeps three for its superusers.
      expect(health.maxConnections).toBe(kind === 'mysql' ? 40 : 37);
      expect(health.usedConnections).toBeGreaterThanOrEqual(1);
      expect(health.usedConnections).toBeLessThan(20);
      expect(health.threadsRunning).toBe(0);
      expect(health.canaryMs).toBeGreaterThan(0);
      // It is no replica, and has none.
      expect(health.replicaLagSeconds).toBeUndefined();
      const busy = await keepBusy(database, 5);
      await until('five queries are seen', 10_000, async () => expect((await healthOf(end)).threadsRunning).toBe(5));
      expect((await healthOf(end)).usedConnections).toBeGreaterThanOrEqual(6);
      await busy.end();
      await until('they are gone', 10_000, async () => expect((await healthOf(end)).threadsRunning).toBe(0));
      await end.close?.();
    }
  });

  test("is asked without a writer's preSql, which changes data", async () => {
    const database = databases[kind];
    await database.sql('CREATE TABLE kept (id int)', 'INSERT INTO kept VALUES (1)');
    const writer = await openWriter(kind, {
      ...writerOf(database, 'kept').parameter,
      preSql: ['DELETE FROM kept'],
      postSql: ['DELETE FROM kept'],
    });
    expect((await healthOf(writer)).maxConnections).toBeGreaterThan(0);
    await writer.close?.();
    expect(await database.sql('SELECT id FROM kept')).toEqual([['1']]);
  });

  test('is what our user may know: without rights there are figures missing, and no error', async () => {
    const database = databases[kind];
    const { sql } = database;
    if (kind === 'mysql') {
      await sql(
        "CREATE USER 'poor'@'127.0.0.1' IDENTIFIED BY 'poor' WITH MAX_USER_CONNECTIONS 5",
        "GRANT SELECT ON health.* TO 'poor'@'127.0.0.1'",
      );
    } else await sql("CREATE USER poor PASSWORD 'poor' CONNECTION LIMIT 5");
    const reader = await openReader(kind, { ...connectionTo({ ...database, user: 'poor', password: 'poor' }, 't') });
    await keepBusy(database, 3);
    const health = await healthOf(reader);
    // Its own limit is what it meets first.
    expect(health).toMatchObject({ maxConnections: 5, usedConnections: 1, replicaLagSeconds: undefined });
    expect(health.canaryMs).toBeGreaterThan(0);
    if (kind === 'postgres') expect(health.threadsRunning).toBeUndefined();
    else expect(health.threadsRunning).toBe(3);
  });

  test('is asked of the server that has answered, of several', async () => {
    const database = databases[kind];
    const dead = await freePort();
    const parameter = connectionTo(database, 't');
    parameter.connection[0]!.jdbcUrl = [jdbcPort(database.jdbcUrl, dead), database.jdbcUrl];
    const reader = await openReader(kind, parameter);
    expect(reader.resource!().port).toBe(dead);
    await reader.schema();
    const [split] = await reader.split!({ channels: 1, bytesPerTask: () => 1 });
    expect(reader.resource!(split).port).toBe(database.port);
    expect((await healthOf(reader)).canaryMs).toBeGreaterThan(0);
  });

  test('is asked on a connection that stays, and goes with the reader', async () => {
    const database = databases[kind];
    const sessions = () =>
      kind === 'mysql'
        ? database.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'health' AND ID <> CONNECTION_ID()")
        : database.sql("SELECT pid FROM pg_stat_activity WHERE datname = 'health' AND application_name = 'dray'");
    await until('nobody is there', 10_000, async () => expect(await sessions()).toEqual([]));
    const reader = await openReader(kind, readerOf(database, 't').parameter);
    await healthOf(reader);
    // MariaDB lists the session that looked last for a moment longer.
    const alone = () =>
      until('only the reader is there', 10_000, async () => {
        const found = await sessions();
        expect(found).toHaveLength(1);
        return found;
      });
    const first = await alone();
    await healthOf(reader);
    expect(await alone()).toEqual(first);
    // It is opened again when somebody has ended it.
    await database.sql(kind === 'mysql' ? `KILL ${first[0]![0]}` : `SELECT pg_terminate_backend(${first[0]![0]})`);
    await until('it is asked again', 10_000, async () => expect((await healthOf(reader)).canaryMs).toBeGreaterThan(0));
    await reader.close?.();
    await until('nobody is there', 10_000, async () => expect(await sessions()).toEqual([]));
  });

  /** A governor that asks often, and whose clock runs thirty times as fast: its steps of five seconds are over in a sixth of one. */
  async function govern(reader: Reader, limits: object): Promise<SourceGovernor> {
    const governor = new SourceGovernor(reader.resource!(), { now: () => 30 * performance.now(), times: { everyMs: 20, answerMs: 500 } });
    const guest = { side: 'source' as const, limits, ask: (signal: AbortSignal) => reader.health!(reader.resource!(), signal) };
    for (let task = 0; task < 6; task++) governor.taskStarted();
    governor.join(guest);
    onTestFinished(() => governor.leave(guest));
    return governor;
  }

  test('makes the governor slow tasks down while the server is really busy, and lets them go again', async () => {
    const database = databases[kind];
    const reader = await openReader(kind, readerOf(database, 't').parameter);
    const governor = await govern(reader, { maxConnections: 6, maxThreadsRunning: 4 });
    expect(governor.decision).toMatchObject({ tasks: 6, isSlowed: false });
    const busy = await keepBusy(database, 9);
    await until('it is slowed to one task', 20_000, async () => expect(governor.decision.tasks).toBe(1));
    expect(governor.decision.why).toBe(`source ${database.host}:${database.port} slowed to 1 of 6 tasks: 9 threads running, limit 4`);
    await busy.end();
    await until('it is whole again', 20_000, async () =>
      expect(governor.decision).toMatchObject({ tasks: 6, isSlowed: false, why: undefined }),
    );
  });

  test('is bad while it does not answer, and good when it does again', async () => {
    const database = databases[kind];
    const proxy = await startFaultProxy(database);
    onTestFinished(() => proxy.stop());
    const parameter = connectionTo(database, 't');
    parameter.connection[0]!.jdbcUrl = [jdbcPort(database.jdbcUrl, proxy.port)];
    const reader = await openReader(kind, parameter);
    const governor = await govern(reader, {});
    await until('it is known', 10_000, async () => expect(governor.decision.tasks).toBeLessThan(Infinity));
    expect(governor.decision).toMatchObject({ isSlowed: false });
    proxy.setFaults({ down: { stallAfter: 0 } });
    await until('nothing new begins', 20_000, async () => expect(governor.decision.isPaused).toBe(true));
    expect(governor.decision.why).toContain('it does not say how it is (no answer within 0.5 s)');
    proxy.setFaults({});
    await until('it is well', 30_000, async () => expect(governor.decision).toMatchObject({ isPaused: false, isSlowed: false }));
  });
});

test('the lag of a MariaDB that follows another one is told', async () => {
  const replica = await startMariadb({ settings: ['--server-id=2'] });
  onTestFinished(() => replica.stop());
  const own = mysqlDatabase(replica, await replica.createDatabase('health'));
  const primary = databases.mysql;
  const [[file, position] = []] = await primary.sql('SHOW MASTER STATUS');
  await own.sql(
    'CREATE TABLE t (id int PRIMARY KEY)',
    `CHANGE MASTER TO MASTER_HOST = '${primary.host}', MASTER_PORT = ${primary.port}, MASTER_USER = '${primary.user}', MASTER_PASSWORD = '${primary.password}',
     MASTER_LOG_FILE = '${file}', MASTER_LOG_POS = ${position}, MASTER_DELAY = 3600`,
    'START SLAVE',
  );
  const reader = await openReader('mysql', readerOf(own, 't').parameter);
  await until('it is up to date', 20_000, async () => expect((await healthOf(reader)).replicaLagSeconds).toBe(0));
  // It keeps back for an hour what the primary does.
  await primary.sql('INSERT INTO t VALUES (2)');
  await until('it is behind', 20_000, async () => expect((await healthOf(reader)).replicaLagSeconds).toBeGreaterThan(0));
});

test('the lag of a PostgreSQL standby is told, by itself and by the server that it follows', async () => {
  const standby = await startStandby(postgres);
  onTestFinished(() => standby.stop());
  const own = postgresDatabase(standby, 'health');
  const primary = databases.postgres;
  const behind = await openReader('postgres', readerOf(own, 't').parameter);
  const ahead = await openWriter('postgres', writerOf(primary, 't').parameter);
  await primary.sql('INSERT INTO t VALUES (3)');
  await until('it is up to date', 20_000, async () => {
    expect(await own.sql('SELECT 1 FROM t WHERE id = 3')).toHaveLength(1);
    expect((await healthOf(behind)).replicaLagSeconds).toBe(0);
  });
  await own.sql('SELECT pg_wal_replay_pause()');
  await primary.sql('INSERT INTO t VALUES (4)');
  await until('it is behind', 20_000, async () => expect((await healthOf(behind)).replicaLagSeconds).toBeGreaterThan(1));
  await until('the primary knows', 20_000, async () => expect((await healthOf(ahead)).replicaLagSeconds).toBeGreaterThan(1));
});
