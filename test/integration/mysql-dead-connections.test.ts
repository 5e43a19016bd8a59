import { beforeAll, describe, expect, test } from 'vitest';
import type { Guarantee, Schema, TaskWriter } from '../../core/sdk/index.ts';
import plugin from '../../plugins/mysql/writer.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startStatementProxy } from '../support/mysql-statement-proxy.ts';
import { providedMariadb } from '../support/provided-servers.ts';
import { mysqlDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';
import { attemptsOf, batchOf } from '../support/writer-attempts.ts';

const server = providedMariadb();
let database: TestDatabase;

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'word', type: 'string', isNullable: true },
  ],
};

beforeAll(async () => {
  database = mysqlDatabase(server, await server.createDatabase('dead_connections'));
});

let tables = 0;

interface Given {
  readonly at: { readonly host: string; readonly port: number };
  readonly guarantee?: Guarantee;
  readonly options?: object;
}

/** A task that has written a row. */
async function openTask({ at, guarantee = 'exactly-once', options = {} }: Given): Promise<{ task: TaskWriter; table: string }> {
  const table = `t${++tables}`;
  await database.sql(`CREATE TABLE ${table} (id int PRIMARY KEY, word text)`);
  const connection = [{ jdbcUrl: `jdbc:mysql://${at.host}:${at.port}/${database.name}`, table: [table] }];
  const parameter = { username: database.user, password: database.password, connection, ...options };
  const writer = await attemptsOf(plugin, parameter, { run: `run-${table}`, schema, guarantee });
  const task = await writer.open(1, 1);
  await task.write(batchOf(schema, [['1', 'one']]));
  await writer.close();
  return { task, table };
}

const big = batchOf(schema, [['2', 'x'.repeat(900_000)]]);

/** Waits until the writer says that its connection is dead. */
async function noticed(task: TaskWriter): Promise<void> {
  await until('the writer knows that its connection is dead', 30_000, async () => {
    if (await task.isAlive!()) throw new Error('it believes that it is alive');
  });
}

describe.concurrent('a connection on which nothing comes any more', () => {
  test.each([
    ['the rows do not arrive', { up: { stallAfter: 0 } }, {}],
    ['the rows do not arrive whole', { up: { stallAfter: 300_000 } }, {}],
    ['the rows do not arrive whole, as INSERT', { up: { stallAfter: 300_000 } }, { load: 'insert' }],
    ['the answer does not arrive', { down: { stallAfter: 0 } }, {}],
  ])('is noticed: %s', async (_what, faults, options) => {
    const proxy = await startFaultProxy(server);
    const { task, table } = await openTask({ at: proxy, options });
    // Those that are open already; the question goes another way.
    proxy.setFaults({ ...faults, connections: 0 });
    const writing = task.write(big).catch((error: unknown) => error);
    await noticed(task);
    await task.abort();
    expect(await writing).toMatchObject({ code: 'CONNECTION_LOST' });
    await until('the rows are gone', 10_000, async () => {
      const rows = await database.sql('SET innodb_lock_wait_timeout = 1', `SELECT id FROM ${table} LOCK IN SHARE MODE`);
      expect(rows).toEqual([]);
    });
    await proxy.stop();
  });

  test.each([
    ['at-least-once', 'COMMIT_UNKNOWN'],
    ['exactly-once', 'CONNECTION_LOST'],
  ] as const)('in COMMIT ends the task with what is known of its rows (%s: %s)', async (guarantee, code) => {
    const proxy = await startStatementProxy(server);
    const { task, table } = await openTask({ at: proxy, guarantee });
    proxy.decide = (sql) => (sql === 'COMMIT' ? 'hang' : 'pass');
    let isOver = false;
    const committing = task
      .commit(null)
      .catch((error: unknown) => error)
      .finally(() => {
        isOver = true;
      });
    await until('the commit has ended', 40_000, async () => {
      if (isOver) return;
      // The error of the commit is the one to tell, and not that of a dead connection.
      expect(await task.isAlive!()).toBe(true);
      throw new Error('it is pending');
    });
    expect(await committing).toMatchObject({ code });
    expect(await database.sql(`SELECT id FROM ${table}`)).toEqual([['1']]);
    await task.abort().catch(() => undefined);
    await proxy.stop();
  });

  test('a write that waits for a lock is worth waiting for', async () => {
    const { task, table } = await openTask({ at: server });
    const other = await attemptsOf(
      plugin,
      { username: database.user, password: database.password, connection: [{ jdbcUrl: database.jdbcUrl, table: [table] }] },
      { run: 'other', schema, guarantee: 'at-least-once' },
    );
    const waiting = await other.open(1, 1);
    const writing = waiting.write(batchOf(schema, [['1', 'same']])).catch((error: unknown) => error);
    await until('the server has the statement', 10_000, async () => {
      const rows = await database.sql(
        `SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '%LOAD DATA LOCAL%.\`${table}\` %' AND INFO NOT LIKE '%PROCESSLIST%'`,
      );
      expect(rows).toHaveLength(1);
    });
    // Longer than a dead one is given.
    for (let asked = 0; asked < 9; asked++) {
      expect(await waiting.isAlive!()).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    await task.commit(null);
    expect(await writing).toMatchObject({ code: 'ROW_REJECTED' });
    await waiting.abort();
    await other.close();
  });
});
