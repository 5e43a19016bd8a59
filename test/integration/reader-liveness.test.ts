import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { openLanes, type SnapshotLanes } from '../support/snapshot-lanes.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';

type Kind = 'postgres' | 'mysql';
const databases: Record<Kind, TestDatabase> = {} as never;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('liveness');
  databases.postgres = postgresDatabase(postgres, 'liveness');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('liveness'));
  const text = "repeat('a word ', 200)";
  await databases.postgres.sql(`CREATE TABLE big AS SELECT n::int AS id, ${text} AS word FROM generate_series(1, 30000) AS n`);
  await databases.mysql.sql('CREATE TABLE big (id int, word text)', `INSERT INTO big SELECT seq, ${text} FROM seq_1_to_30000`);
});

describe.each(['postgres', 'mysql'] as const)('a reader of %s whose rows do not come', (kind) => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  beforeAll(async () => {
    database = databases[kind];
    proxy = await startFaultProxy(database);
  });
  afterAll(() => proxy.stop());

  const waitingSessions =
    kind === 'postgres'
      ? "SELECT 1 FROM pg_stat_activity WHERE datname = 'liveness' AND application_name = 'dray' AND wait_event = 'ClientRead'"
      : "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = 'liveness' AND COMMAND = 'Sleep'";

  /** A reader behind the proxy. */
  async function open(source: object): Promise<SnapshotLanes> {
    proxy.setFaults({});
    const jdbcUrl = database.jdbcUrl.replace(/\/\/[^/]+/, `//${proxy.host}:${proxy.port}`);
    const opened = await openLanes(database, 1, { connection: [{ jdbcUrl: [jdbcUrl], ...source }] });
    onTestFinished(() => opened.close());
    return opened;
  }

  /** Starts to read; what comes of it is known when the test has ended. */
  function start(opened: SnapshotLanes): { rows: () => number } {
    const end = new AbortController();
    let rows = 0;
    const count = (batch: unknown[]) => {
      rows += batch.length;
    };
    const reading = opened.read(0, opened.splits[0]!, { signal: end.signal, onBatch: count }).catch(() => undefined);
    onTestFinished(async () => {
      proxy.setFaults({});
      end.abort(new Error('the test has ended'));
      await reading;
    });
    return { rows: () => rows };
  }

  /** The statement that reads, as the server shows it. */
  async function isRunning(): Promise<void> {
    const statement =
      kind === 'postgres'
        ? "SELECT 1 FROM pg_stat_activity WHERE datname = 'liveness' AND query LIKE 'COPY%' AND state = 'active'"
        : "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = 'liveness' AND INFO LIKE 'SELECT `id`%big%' AND INFO NOT LIKE '%LIMIT 0'";
    await until('the query runs', 10_000, async () => expect(await database.sql(statement)).toHaveLength(1));
  }

  test('because the connection is frozen, and the server waits for it, is dead', async () => {
    const relay = await startRelay(database);
    onTestFinished(relay.stop);
    const jdbcUrl = database.jdbcUrl.replace(/\/\/[^/]+/, `//127.0.0.1:${relay.port}`);
    const opened = await openLanes(database, 1, { connection: [{ jdbcUrl: [jdbcUrl], table: ['big'] }] });
    onTestFinished(() => opened.close());
    relay.freezeNext(200_000);
    const { rows } = start(opened);
    await isRunning();
    await until('it is frozen', 10_000, async () => expect(relay.isFrozen()).toBe(true));
    const waits =
      kind === 'postgres'
        ? "SELECT bytes_processed FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid) WHERE wait_event = 'ClientWrite'"
        : "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'liveness' AND STATE LIKE 'Writing to net'";
    await until('what is between is full', 10_000, async () => {
      const before = await database.sql(waits);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(before).toHaveLength(1);
      expect(await database.sql(waits)).toEqual(before);
    });
    const before = rows();
    expect(await opened.lanes[0]!.isAlive!()).toBe(false);
    expect(rows()).toBe(before);
  });

  test('because they were lost, and the server thinks that it has sent them, is dead', async () => {
    const opened = await open({ table: ['big'] });
    proxy.setFaults({ down: { stallAfter: 200_000 }, connections: 1 });
    const before = proxy.bytes.down;
    start(opened);
    await until('the rows stop', 10_000, async () => expect(proxy.bytes.down - before).toBeGreaterThanOrEqual(200_000));
    await until('the session waits', 10_000, async () => expect((await database.sql(waitingSessions)).length).toBeGreaterThanOrEqual(2));
    expect(await opened.lanes[0]!.isAlive!()).toBe(false);
  });

  test('because what it asks does not arrive, is dead', async () => {
    const opened = await open({ table: ['big'] });
    // Past the login: the session is there, and waits for a statement.
    proxy.setFaults({ up: { stallAfter: 800 }, connections: 1 });
    start(opened);
    await until('the session waits', 10_000, async () => {
      const before = proxy.bytes.up;
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(proxy.bytes.up).toBe(before);
      // One of them is the session that planned.
      expect((await database.sql(waitingSessions)).length).toBeGreaterThanOrEqual(2);
    });
    expect(await opened.lanes[0]!.isAlive!()).toBe(false);
  });

  test('because the query computes, is alive', async () => {
    const slow = kind === 'postgres' ? 'SELECT 1 AS id FROM pg_sleep(20)' : 'SELECT id FROM big WHERE id + SLEEP(1) < 0';
    const opened = await open({ querySql: [slow] });
    start(opened);
    await isRunning();
    expect(await opened.lanes[0]!.isAlive!()).toBe(true);
  });

  test('because a table is locked, is alive', async () => {
    const opened = await open({ table: ['big'] });
    if (kind === 'postgres') {
      const { host, port, user, password, name } = database;
      const client = new pg.Client({ host, port, user, password, database: name, application_name: 'test' });
      await client.connect();
      onTestFinished(() => client.end());
      await client.query('BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE');
    } else {
      const { host, port, user, password } = database;
      const connection = await mysql.createConnection({ host, port, user, password });
      onTestFinished(() => connection.end());
      await connection.query('LOCK TABLES liveness.big WRITE');
    }
    start(opened);
    const waits =
      kind === 'postgres'
        ? "SELECT 1 FROM pg_stat_activity WHERE datname = 'liveness' AND wait_event_type = 'Lock'"
        : "SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = 'liveness' AND STATE LIKE 'Waiting for table metadata lock'";
    await until('it waits for the lock', 10_000, async () => expect(await database.sql(waits)).toHaveLength(1));
    expect(await opened.lanes[0]!.isAlive!()).toBe(true);
  });

  test('because the server cannot be reached any more, is dead', async () => {
    const opened = await open({ table: ['big'] });
    proxy.setFaults({ down: { stallAfter: 200_000 }, connections: 1 });
    start(opened);
    await until('rows come', 10_000, async () => expect(proxy.bytes.down).toBeGreaterThan(100_000));
    proxy.setFaults({ down: { stallAfter: 0 }, up: { stallAfter: 0 } });
    expect(await opened.lanes[0]!.isAlive!()).toBe(false);
  });
});

/** Passes everything on, and on demand takes nothing more from the server on the next connection after so many bytes; then the server waits. */
async function startRelay({ host, port }: TestDatabase) {
  let freezesAfter: number | undefined;
  let isFrozen = false;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = createConnection({ host, port });
    const mostBytes = freezesAfter;
    freezesAfter = undefined;
    let passed = 0;
    for (const socket of [client, onward]) sockets.add(socket.on('error', () => undefined));
    client.pipe(onward);
    onward.on('data', (bytes) => {
      client.write(bytes);
      passed += bytes.length;
      if (mostBytes === undefined || passed < mostBytes) return;
      onward.pause();
      isFrozen = true;
    });
    onward.on('close', () => client.destroy());
    client.on('close', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    isFrozen: () => isFrozen,
    freezeNext: (afterBytes: number) => {
      freezesAfter = afterBytes;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
