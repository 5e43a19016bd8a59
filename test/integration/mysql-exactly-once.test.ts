import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Json, Schema } from '../../core/sdk/index.ts';
import plugin from '../../plugins/mysql/writer.ts';
import { type StatementFault, startStatementProxy } from '../support/mysql-statement-proxy.ts';
import { providedMariadb } from '../support/provided-servers.ts';
import { mysqlDatabase, type TestDatabase } from '../support/sql.ts';
import { type Attempts, attemptsOf, batchOf } from '../support/writer-attempts.ts';

const server = providedMariadb();
let database: TestDatabase;

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'word', type: 'string', isNullable: true },
  ],
};

beforeAll(async () => {
  database = mysqlDatabase(server, await server.createDatabase('exactly_once'));
});

let tables = 0;
/** Without a key: what is loaded twice is there twice. */
async function newTable(definition = '(id int, word varchar(10))'): Promise<string> {
  const name = `t${++tables}`;
  await database.sql(`CREATE TABLE ${name} ${definition}`);
  return name;
}

const rowsOf = (table: string) => database.sql(`SELECT id FROM ${table} ORDER BY id`);
const idsOf = async (table: string) => (await rowsOf(table)).map(([id]) => Number(id));

function parameter(table: string, extra: object = {}, at: { host: string; port: number } = database) {
  const jdbcUrl = `jdbc:mysql://${at.host}:${at.port}/${database.name}`;
  return { username: database.user, password: database.password, connection: [{ jdbcUrl, table: [table] }], ...extra };
}

let runs = 0;
const newRun = () => `20261121-030405-${String(++runs).padStart(6, '0')}`;

const rows: readonly (readonly Cell[])[] = [
  ['1', 'one'],
  ['2', 'two'],
];
const more: readonly (readonly Cell[])[] = [['3', 'three']];

async function attempts(table: string, run: string, mode: 'run' | 'resume' = 'run', extra: object = {}): Promise<Attempts> {
  return attemptsOf(plugin, parameter(table, extra), { run, schema, guarantee: 'exactly-once', mode });
}

describe('a task', () => {
  test('whose commit has been made is found by the next attempt, with what was said of it, and is not written again', async () => {
    const [table, run] = [await newTable(), newRun()];
    const first = await attempts(table, run);
    const commit = await first.load(7, 1, rows);
    await first.close();
    const second = await attempts(table, run, 'resume');
    const task = await second.open(7, 2);
    expect(task.earlier).toEqual({ commit, tally: { rows: 2 } });
    await task.abort();
    await second.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test.each(['local-infile', 'insert'])('that is frozen in the middle is ended at the server, and its rows go (%s)', async (load) => {
    const [table, run] = [await newTable('(id int PRIMARY KEY, word varchar(10))'), newRun()];
    const writer = await attempts(table, run, 'run', { load });
    const frozen = await writer.open(1, 1);
    await frozen.write(batchOf(schema, rows));
    // Its rows hold the locks of the same keys: the second attempt must not have to wait for them.
    await writer.load(1, 2, rows);
    await expect(frozen.commit(null)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await frozen.abort().catch(() => undefined);
    await writer.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test('that comes back after a later attempt has begun is refused, and the later one is left alone', async () => {
    const [table, run] = [await newTable(), newRun()];
    const writer = await attempts(table, run);
    const later = await writer.open(1, 2);
    await later.write(batchOf(schema, rows));
    await expect(writer.open(1, 1)).rejects.toMatchObject({ code: 'FENCED' });
    await later.commit(null);
    await writer.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test('whose number was overtaken while nobody could end its session cannot commit', async () => {
    const [table, run] = [await newTable(), newRun()];
    const writer = await attempts(table, run);
    const zombie = await writer.open(1, 1);
    await zombie.write(batchOf(schema, rows));
    // As a later attempt would from another node of a cluster, which does not see the lock.
    await database.sql(`UPDATE dray_ledger SET attempt = 2 WHERE run = '${run}'`);
    await expect(zombie.commit(null)).rejects.toMatchObject({ code: 'FENCED' });
    await zombie.abort();
    await writer.close();
    expect(await idsOf(table)).toEqual([]);
  });

  test('that loses a deadlock fails as a whole, may be tried again, and leaves nothing', async () => {
    const [table, run] = [await newTable('(id int PRIMARY KEY, word varchar(10))'), newRun()];
    const writer = await attempts(table, run);
    const [a, b] = [await writer.open(1, 1), await writer.open(2, 1)];
    await a.write(batchOf(schema, [['1', 'a']]));
    await b.write(
      batchOf(schema, [
        ['2', 'b'],
        ['12', 'b'],
        ['13', 'b'],
      ]),
    );
    const outcomes = await Promise.allSettled([a.write(batchOf(schema, [['2', 'a']])), b.write(batchOf(schema, [['1', 'b']]))]);
    const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as { code: string }] : []));
    const loser = losers.find(({ code }) => code === 'CONFLICT');
    expect(loser).toMatchObject({ code: 'CONFLICT', isRetryable: true });
    const lost = outcomes[0].status === 'rejected' && outcomes[0].reason === loser ? a : b;
    // Whoever goes on after a deadlock must not be able to commit what came after it.
    await expect(lost.commit(null)).rejects.toThrow();
    await lost.abort();
    await (lost === a ? b : a).abort();
    await writer.close();
    expect(await idsOf(table)).toEqual([]);
    expect(await database.sql(`SELECT count(info) FROM dray_ledger WHERE run = '${run}'`)).toEqual([['0']]);
  });

  test('that waits for a lock longer than the server allows may be tried again', async () => {
    const [table, run] = [await newTable('(id int PRIMARY KEY, word varchar(10))'), newRun()];
    const writer = await attempts(table, run, 'run', { session: ['SET innodb_lock_wait_timeout = 1'] });
    const [a, b] = [await writer.open(1, 1), await writer.open(2, 1)];
    await a.write(batchOf(schema, [['1', 'a']]));
    await expect(b.write(batchOf(schema, [['1', 'b']]))).rejects.toMatchObject({ code: 'CONFLICT', isRetryable: true });
    await b.abort();
    await a.commit(null);
    await writer.close();
    expect(await idsOf(table)).toEqual([1]);
  });
});

describe('a connection that is lost in COMMIT', () => {
  test.each([
    ['at-least-once', 'COMMIT_UNKNOWN'],
    ['exactly-once', 'CONNECTION_LOST'],
  ] as const)('%s: %s', async (guarantee, code) => {
    const [table, run] = [await newTable(), newRun()];
    const proxy = await startStatementProxy(server);
    try {
      const writer = await attemptsOf(plugin, parameter(table, {}, proxy), { run, schema, guarantee });
      proxy.decide = (sql) => (sql === 'COMMIT' ? 'after' : 'pass');
      await expect(writer.load(1, 1, rows)).rejects.toMatchObject({ code });
      await writer.close();
    } finally {
      await proxy.stop();
    }
    expect(await idsOf(table)).toEqual([1, 2]);
  });
});

/** One process from its start to its end; what it has told of its commits is kept in `commits`. */
async function goThrough(writer: Attempts, attempt: number, commits: Json[]): Promise<void> {
  await writer.prepare();
  await finish(writer, attempt, commits);
}

async function finish(writer: Attempts, attempt: number, commits: Json[]): Promise<void> {
  for (const [task, batch] of [rows, more].entries()) commits[task] ??= await writer.load(task, attempt, batch);
  await writer.publish(commits);
}

/** Numbers of the statements of a whole run after which the server is in another state. */
async function crashPoints(extra: object): Promise<number[]> {
  const proxy = await startStatementProxy(server);
  const writer = await attemptsOf(plugin, parameter(await newTable(), extra, proxy), { run: newRun(), schema, guarantee: 'exactly-once' });
  await goThrough(writer, 1, []);
  await writer.close();
  await proxy.stop();
  return proxy.statements.flatMap((sql, number) => (/^\s*(SET|SELECT (?!.*GET_LOCK)|PREPARE)\b/.test(sql) ? [] : [number]));
}

describe.each([
  ['direct', {}],
  ['direct, with INSERT', { load: 'insert' }],
  ['swapped', { publish: 'atomic' }],
  ['swapped, the previous rows not kept', { publish: 'atomic', keepPrevious: false }],
  ['added', { publish: 'atomic-append' }],
])('a process that dies at any statement of a run (%s)', (name, options) => {
  const extra = { ...options, postSql: ["INSERT INTO @table VALUES (99, 'post')"] };
  const old = name.startsWith('swapped') ? [] : [50];

  test.each(['before', 'after', 'frozen'] as const)(
    'leaves the rows once after the next one: %s',
    async (fault) => {
      const points = await crashPoints(extra);
      expect(points.length).toBeGreaterThan(10);
      for (const point of fault === 'before' ? points.slice(0, 1) : points) {
        const died = await dieAt(point, fault, extra);
        expect({ ...died, ids: await idsOf(died.table) }).toEqual({ ...died, ids: [1, 2, 3, ...old, 99] });
      }
    },
    300_000,
  );
});

/** One process that dies at a statement, and another one that goes on with its run. */
async function dieAt(point: number, fault: StatementFault, extra: object): Promise<{ table: string; statement: string }> {
  const [table, run] = [await newTable(), newRun()];
  await database.sql(`INSERT INTO ${table} VALUES (50, 'old')`);
  const proxy = await startStatementProxy(server);
  proxy.decide = (_sql, number) => (number < point ? 'pass' : number === point ? fault : 'before');
  const commits: Json[] = [];
  try {
    const first = await attemptsOf(plugin, parameter(table, extra, proxy), { run, schema, guarantee: 'exactly-once' });
    let isPrepared = false;
    const die = async () => {
      await first.prepare();
      isPrepared = true;
      await finish(first, 1, commits);
    };
    await expect(die()).rejects.toThrow();
    await first.close().catch(() => undefined);
    const mode = isPrepared ? 'resume' : 'run';
    const second = await attemptsOf(plugin, parameter(table, extra), { run, schema, guarantee: 'exactly-once', mode });
    await goThrough(second, 2, commits);
    await second.close();
    return { table, statement: proxy.statements[point] ?? '' };
  } catch (error) {
    throw new Error(`${fault} statement ${point}: ${proxy.statements[point]}`, { cause: error });
  } finally {
    await proxy.stop();
  }
}

describe('a target that cannot', () => {
  const users: string[] = [];
  afterAll(async () => {
    for (const user of users) await database.sql(`DROP USER '${user}'@'%'`);
  });
  const limited = async (grants: readonly string[]) => {
    const user = `dray_${randomBytes(6).toString('hex')}`;
    users.push(user);
    await database.sql(`CREATE USER '${user}'@'%' IDENTIFIED BY 'pw'`, ...grants.map((grant) => grant.replaceAll('$', `'${user}'@'%'`)));
    return { username: user, password: 'pw' };
  };
  const refusal = async (table: string, extra: object = {}, at: TestDatabase = database) => {
    const jdbcUrl = at.jdbcUrl;
    const given = { ...parameter(table), connection: [{ jdbcUrl, table: [table] }], ...extra };
    const writer = await attemptsOf(plugin, given, { run: newRun(), schema, guarantee: 'exactly-once' });
    const before = await writer.writer.refusesExactlyOnce!();
    const prepared = await writer.prepare().then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    await writer.close();
    return { before, prepared };
  };

  test('says that its engine has no transactions', async () => {
    const table = await newTable('(id int, word varchar(10)) ENGINE = MyISAM');
    expect(await refusal(table)).toEqual({ before: expect.stringContaining('MyISAM'), prepared: 'GUARANTEE_IMPOSSIBLE' });
  });

  test('says that the ledger may not be created, or not be written', async () => {
    const other = mysqlDatabase(server, await server.createDatabase('exactly_once_rights'));
    await other.sql('CREATE TABLE t (id int, word varchar(10))');
    const access = await limited([`GRANT SELECT, INSERT ON ${other.name}.* TO $`]);
    expect(await refusal('t', access, other)).toEqual({
      before: expect.stringContaining('may not create'),
      prepared: 'GUARANTEE_IMPOSSIBLE',
    });
    expect(await other.sql('SHOW TABLES')).toEqual([['t']]);
    expect(await refusal('t', {}, other)).toEqual({ before: undefined, prepared: undefined });
    expect(await refusal('t', access, other)).toEqual({
      before: expect.stringContaining('may not write'),
      prepared: 'GUARANTEE_IMPOSSIBLE',
    });
  });

  test('says so if preSql has made it one', async () => {
    const table = await newTable();
    const preSql = ['DROP TABLE @table', 'CREATE TABLE @table (id int, word varchar(10)) ENGINE = MyISAM'];
    expect(await refusal(table, { preSql })).toEqual({ before: undefined, prepared: 'GUARANTEE_IMPOSSIBLE' });
  });
});

test('many runs at once make the ledger together', async () => {
  const fresh = mysqlDatabase(server, await server.createDatabase('exactly_once_fresh'));
  await fresh.sql('CREATE TABLE t (id int, word varchar(10))');
  const given = { ...parameter('t'), connection: [{ jdbcUrl: fresh.jdbcUrl, table: ['t'] }] };
  await Promise.all(
    Array.from({ length: 6 }, async (_, id) => {
      const writer = await attemptsOf(plugin, given, { run: newRun(), schema, guarantee: 'exactly-once' });
      await writer.prepare();
      await Promise.all([1, 2].map((task) => writer.load(task, 1, [[String(id), null]])));
      await writer.close();
    }),
  );
  expect(await fresh.sql('SELECT count(*), count(DISTINCT id) FROM t')).toEqual([['12', '6']]);
});
