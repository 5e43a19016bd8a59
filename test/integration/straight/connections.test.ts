import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Schema, TaskWriter, WriterPlugin } from '../../../core/sdk/index.ts';
import { watchOver } from '../../../core/sdk/index.ts';
import mysqlWriter from '../../../plugins/mysql/writer.ts';
import postgresWriter from '../../../plugins/postgres/writer.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { providedMariadb, providedPostgres } from '../../support/provided-servers.ts';
import { startDray, writeJob } from '../../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';
import { attemptsOf, batchOf } from '../../support/writer-attempts.ts';

type Kind = 'postgres' | 'mysql';
let databases: Record<Kind, TestDatabase>;
const plugins: Record<Kind, WriterPlugin> = { postgres: postgresWriter, mysql: mysqlWriter };
const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'word', type: 'string', isNullable: true },
  ],
};

beforeAll(async () => {
  await providedPostgres().createDatabase('straight_connections');
  databases = {
    postgres: postgresDatabase(providedPostgres(), 'straight_connections'),
    mysql: mysqlDatabase(providedMariadb(), await providedMariadb().createDatabase('straight_connections')),
  };
  for (const { sql } of Object.values(databases))
    await sql('CREATE TABLE source (id int PRIMARY KEY, word text)', "INSERT INTO source VALUES (1, 'one')");
});

let tables = 0;

interface Opened {
  readonly task: TaskWriter;
  readonly table: string;
  readonly proxy: FaultProxy;
}

/** Tests that run side by side cannot say what is to be done at their end. */
const proxies: FaultProxy[] = [];
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

/** A straight task behind a proxy, before its first row. */
async function open(kind: Kind): Promise<Opened> {
  const database = databases[kind];
  const table = `t${++tables}`;
  await database.sql(`CREATE TABLE ${table} (id int PRIMARY KEY, word text)`);
  const proxy = await startFaultProxy(database);
  proxies.push(proxy);
  const jdbcUrl = database.jdbcUrl.replace(/\/\/[^/]+/, `//${proxy.host}:${proxy.port}`);
  const parameter = { username: database.user, password: database.password, connection: [{ jdbcUrl: [jdbcUrl], table: [table] }] };
  const { writer, prepare } = await attemptsOf(plugins[kind], parameter, { run: table, schema, guarantee: 'at-least-once' });
  const target = await prepare();
  const task = await writer.openTask({ id: 1, attempt: 1, guarantee: 'at-least-once', isStraight: true, source: schema, target });
  expect(task.isStraight).toBe(true);
  await writer.close?.();
  return { task, table, proxy };
}

/** Ends the one session of dray that is left. */
async function killSessions({ kind, name, sql }: TestDatabase): Promise<void> {
  if (kind === 'postgres') {
    await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND application_name = 'dray'`);
    return;
  }
  const ids = await sql(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '${name}' AND ID <> CONNECTION_ID()`);
  for (const [id] of ids) await sql(`KILL CONNECTION ${id}`).catch(() => undefined);
}

async function sessionsAreGone({ kind, name, sql }: TestDatabase): Promise<void> {
  await until('no session is left', 5000, async () =>
    expect(
      await (kind === 'postgres'
        ? sql(`SELECT query FROM pg_stat_activity WHERE datname = '${name}' AND application_name = 'dray'`)
        : sql(`SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = '${name}' AND ID <> CONNECTION_ID()`)),
    ).toEqual([]),
  );
}

describe.each(['postgres', 'mysql'] as const)('a straight task at %s', (kind) => {
  test.each([0, 1])('whose session is ended behind %d batches has lost its connection at the next one', async (batches) => {
    const { task, table } = await open(kind);
    if (batches === 1) await task.write(batchOf(schema, [['1', 'one']]));
    await killSessions(databases[kind]);
    await sessionsAreGone(databases[kind]);
    await sleep(50);
    const failure = await task
      .write(batchOf(schema, [['2', 'two']]))
      .then(
        () => task.finish!(),
        (error: unknown) => error,
      )
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CONNECTION_LOST' });
    await task.abort().catch(() => undefined);
    expect(await databases[kind].sql(`SELECT id FROM ${table}`)).toEqual([]);
  });

  test('that is given up in the middle leaves no row, no lock and no session at once', async () => {
    const { task, table } = await open(kind);
    await task.write(batchOf(schema, [['1', 'x'.repeat(900_000)]]));
    await task.abort();
    await databases[kind].sql(`ALTER TABLE ${table} ADD more int`);
    expect(await databases[kind].sql(`SELECT id FROM ${table}`)).toEqual([]);
    await sessionsAreGone(databases[kind]);
  });

  test('that is cancelled while it waits for a lock behind its last row is cancelled, and nothing is in doubt', async () => {
    const database = databases[kind];
    const table = `t${++tables}`;
    await database.sql(`CREATE TABLE ${table} (id int PRIMARY KEY, word text)`);
    // A row of the same key that nobody has committed yet.
    const other = await attemptsOf(
      plugins[kind],
      { username: database.user, password: database.password, connection: [{ jdbcUrl: database.jdbcUrl, table: [table] }] },
      { run: 'other', schema, guarantee: 'at-least-once' },
    );
    const holding = await other.open(1, 1);
    await holding.write(batchOf(schema, [['1', 'first']]));
    const content = [{ reader: readerOf(database, 'source'), writer: writerOf(database, table) }];
    const running = startDray(['run', '--json', writeJob(tempFolder(), { job: { setting: { speed: { channel: 1 } }, content } })]);
    onTestFinished(() => void running.child.kill('SIGKILL'));
    await until(
      'it waits for the lock',
      20_000,
      async () =>
        expect(
          await (kind === 'postgres'
            ? database.sql(`SELECT 1 FROM pg_stat_activity WHERE datname = '${database.name}' AND wait_event_type = 'Lock'`)
            : database.sql(
                `SELECT 1 FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE trx_state = 'LOCK WAIT' AND p.DB = '${database.name}'`,
              )),
        ).toHaveLength(1),
      150,
    );
    running.signal('SIGINT');
    const { exitCode, report } = await running.ended;
    await holding.abort();
    await other.close();
    expect({ exitCode, error: report?.error, stderr: running.stderr() }).toMatchObject({ exitCode: 130, error: { code: 'CANCELLED' } });
    expect(report?.tasks.map(({ attempts }) => attempts.map(({ error }) => error?.code))).toEqual([['CANCELLED']]);
    await sessionsAreGone(database);
    expect(await database.sql(`SELECT id FROM ${table}`)).toEqual([]);
  });
});

/** Whether a watchdog calls a side dead while something is done. */
async function watched(task: TaskWriter, isPending: () => unknown, work: () => Promise<void>): Promise<string[]> {
  const deaths: string[] = [];
  const unwatch = watchOver([{ side: 'target', movement: isPending, isAlive: () => task.isAlive?.() }], (error) => deaths.push(error.code));
  await work().finally(unwatch);
  return deaths;
}

describe.concurrent('a straight task', () => {
  test.each(['postgres', 'mysql'] as const)(
    'at %s outlives a source that pauses for longer than dead connections are given',
    async (kind) => {
      const { task, table } = await open(kind);
      await task.write(batchOf(schema, [['1', 'one']]));
      await sleep(17_000);
      await task.write(batchOf(schema, [['2', 'two']]));
      await task.finish!();
      await task.commit(null);
      expect(await databases[kind].sql(`SELECT id FROM ${table} ORDER BY id`)).toEqual([['1'], ['2']]);
    },
  );

  test.each([
    ['postgres', 'the rows do not arrive', { up: { stallAfter: 0 } }],
    ['postgres', 'the answer does not arrive', { down: { stallAfter: 0 } }],
    ['mysql', 'the rows do not arrive', { up: { stallAfter: 0 } }],
    ['mysql', 'the answer does not arrive', { down: { stallAfter: 0 } }],
  ] as const)('at %s notices that %s', async (kind, _what, faults) => {
    const { task, table, proxy } = await open(kind);
    await task.write(batchOf(schema, [['1', 'one']]));
    proxy.setFaults({ ...faults, connections: 0 });
    let isOver = false;
    const ending = task
      .write(batchOf(schema, [['2', 'x'.repeat(900_000)]]))
      .then(() => task.finish!())
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    await watched(
      task,
      () => 'the same',
      () =>
        until('it has ended', 50_000, async () => {
          if (!isOver) throw new Error('it is pending');
        }),
    );
    expect(await ending).toMatchObject({ code: 'CONNECTION_LOST' });
    await task.abort().catch(() => undefined);
    await until('the rows are gone', 10_000, async () => expect(await databases[kind].sql(`SELECT id FROM ${table}`)).toEqual([]));
  });
});
