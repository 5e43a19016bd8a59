import { createHash } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Cell } from '../../core/sdk/index.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { idWordSchema, newRun, type ProcessOptions, postgresProcess } from '../support/staged-postgres.ts';
import { until } from '../support/until.ts';
import { batchOf } from '../support/writer-attempts.ts';

const server = providedPostgres();
let database: TestDatabase;
const sql = (...statements: string[]) => database.sql(...statements);

beforeAll(async () => {
  await server.createDatabase('exactly_once');
  database = postgresDatabase(server, 'exactly_once');
});

let tables = 0;
/** Without a key: what is loaded twice is there twice. */
async function newTable(columns = 'id int, word varchar(10)'): Promise<string> {
  const name = `t${++tables}`;
  await sql(`CREATE TABLE ${name} (${columns})`);
  return name;
}

const idsOf = async (table: string) => (await sql(`SELECT id FROM ${table} ORDER BY id`)).map(([id]) => Number(id));
const processOf = (table: string, given: ProcessOptions) => postgresProcess(database, table, { guarantee: 'exactly-once', ...given });

const rows: readonly (readonly Cell[])[] = [
  ['1', 'one'],
  ['2', 'two'],
];
const batch = () => batchOf(idWordSchema, rows);

describe('a task', () => {
  test('that has committed is found by the next attempt, with what was said of it, and is not written again', async () => {
    const [table, run] = [await newTable(), newRun()];
    const first = await processOf(table, { run });
    const commit = await first.load(7, 1, rows);
    await first.close();
    const second = await processOf(table, { run, mode: 'resume' });
    const task = await second.open(7, 2);
    expect(task.earlier).toEqual({ commit, tally: { rows: 2 } });
    await task.abort();
    await second.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test('that sleeps in the middle is ended at the server by the next attempt, which does not wait for its locks', async () => {
    const [table, run] = [await newTable('id int PRIMARY KEY, word varchar(10)'), newRun()];
    const process = await processOf(table, { run });
    const asleep = await process.open(1, 1);
    await asleep.write(batch());
    await process.load(1, 2, rows);
    await expect(asleep.commit(null)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await asleep.abort();
    await process.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test('whose attempt is opened only after a later one is refused, and the later one goes on', async () => {
    const [table, run] = [await newTable(), newRun()];
    const process = await processOf(table, { run });
    const later = await process.open(1, 3);
    await later.write(batch());
    await expect(process.open(1, 2)).rejects.toMatchObject({ code: 'FENCED' });
    await later.commit(null);
    await process.close();
    expect(await idsOf(table)).toEqual([1, 2]);
  });

  test('that lost its lock without noticing cannot commit once a later attempt has registered', async () => {
    const [table, run] = [await newTable(), newRun()];
    const process = await processOf(table, { run });
    const task = await process.open(1, 1);
    await task.write(batch());
    await sql(`UPDATE dray_ledger SET attempt = 2 WHERE run = '${run}' AND task = 1`);
    await expect(task.commit(null)).rejects.toMatchObject({ code: 'FENCED' });
    await process.close();
    expect(await idsOf(table)).toEqual([]);
    expect(await sql(`SELECT info FROM dray_ledger WHERE run = '${run}'`)).toEqual([[null]]);
  });

  test('of another run, or another task, is left alone', async () => {
    const table = await newTable();
    const [one, other] = [await processOf(table, { run: newRun() }), await processOf(table, { run: newRun() })];
    const tasks = [await one.open(1, 1), await one.open(2, 1), await other.open(1, 1)];
    for (const task of tasks) await task.write(batch());
    for (const task of tasks) await task.commit(null);
    await Promise.all([one.close(), other.close()]);
    expect(await idsOf(table)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test('that meets somebody with its lock who does not end is a conflict', async () => {
    const [table, run] = [await newTable(), newRun()];
    const process = await processOf(table, { run });
    await process.prepare();
    const key = createHash('sha256').update(`dray\0${run}\0${1}`).digest().readBigInt64BE();
    // A role that may not end the sessions of the one that holds the lock.
    await sql(
      "CREATE ROLE weak LOGIN PASSWORD 'weak'",
      `GRANT INSERT, SELECT ON ${table} TO weak`,
      'GRANT SELECT, INSERT, UPDATE ON dray_ledger TO weak',
    );
    const holder = new pg.Client(server.urlFor('exactly_once'));
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock($1)', [String(key)]);
    const weak = await processOf(table, { run, mode: 'resume', options: { username: 'weak', password: 'weak' } });
    await expect(weak.load(1, 2, rows)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await Promise.all([weak.close(), process.close(), holder.end()]);
    expect(await idsOf(table)).toEqual([]);
  });
});

describe('a connection that is lost in COMMIT', () => {
  /** Goes to the server, or not, and no answer comes back. */
  const losing = async (reaches: boolean, guarantee: 'exactly-once' | 'at-least-once') => {
    const [table, run] = [await newTable(), newRun()];
    const proxy = await startFaultProxy(database);
    const process = await processOf(table, { run, guarantee, at: proxy });
    await process.prepare();
    const task = await process.open(1, 1);
    await task.write(batch());
    // What the server says from now on is lost, or what is said to it.
    proxy.setFaults(reaches ? { down: { stallAfter: 0 } } : { up: { stallAfter: 0 } });
    return { table, proxy, process, task };
  };

  test.each([true, false])('is settled by the server under at-least-once (the COMMIT arrived: %s)', async (reaches) => {
    const { table, proxy, process, task } = await losing(reaches, 'at-least-once');
    const committed = task.commit(null).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    if (reaches) await until('the rows are there', 10_000, async () => expect(await idsOf(table)).toEqual([1, 2]));
    else await new Promise((resolve) => setTimeout(resolve, 200));
    proxy.setFaults({});
    proxy.cut();
    expect(await committed).toBe(reaches ? 'done' : 'CONNECTION_LOST');
    await process.close();
    await proxy.stop();
    expect(await idsOf(table)).toEqual(reaches ? [1, 2] : []);
  });

  test('that can be asked nobody is unknown, not retried', async () => {
    const { table, proxy, process, task } = await losing(true, 'at-least-once');
    const committed = expect(task.commit(null)).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN', isRetryable: false });
    await until('the rows are there', 10_000, async () => expect(await idsOf(table)).toEqual([1, 2]));
    proxy.setFaults({ refuses: true });
    proxy.cut();
    await committed;
    await process.close();
    await proxy.stop();
  });
});

describe('a session that does not answer', () => {
  test('is dead if nothing more arrives at the server, and alive while it waits for a lock', async () => {
    const [table, run] = [await newTable('id int PRIMARY KEY, word varchar(10)'), newRun()];
    const proxy = await startFaultProxy(database);
    const process = await processOf(table, { run, at: proxy });
    const blocked = await process.open(1, 1);
    const blocker = await process.open(2, 1);
    await blocker.write(batch());
    const writing = blocked.write(batch());
    await until('it waits', 10_000, async () => {
      expect(await sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'dray'")).toHaveLength(1);
    });
    expect(await blocked.isAlive!()).toBe(true);
    await blocker.abort();
    await writing;
    expect(await blocked.isAlive!()).toBe(false);
    // The connections that are open swallow everything from here on; new ones work.
    proxy.setFaults({ up: { stallAfter: 0 }, connections: 0 });
    const stuck = blocked.write(batchOf(idWordSchema, [['9', 'nine']])).catch((error: { code: string }) => error.code);
    expect(await blocked.isAlive!()).toBe(false);
    await blocked.abort();
    expect(await stuck).toBe('CONNECTION_LOST');
    await process.close();
    await proxy.stop();
  });

  test('is dead if it is gone at the server', async () => {
    const [table, run] = [await newTable(), newRun()];
    const process = await processOf(table, { run });
    const task = await process.open(1, 1);
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'exactly_once' AND application_name = 'dray' AND state = 'idle in transaction'",
    );
    await until('it is gone', 10_000, async () => expect(await task.isAlive!()).toBe(false));
    await task.abort();
    await process.close();
  });
});

describe('what stands against it', () => {
  test('is told before anything is changed, and again when the target is prepared', async () => {
    await sql(
      'CREATE SCHEMA closed',
      'CREATE TABLE closed.t (id int, word text)',
      "CREATE ROLE writer_only LOGIN PASSWORD 'w'",
      'GRANT USAGE ON SCHEMA closed TO writer_only',
      'GRANT ALL ON closed.t TO writer_only',
    );
    const options = { username: 'writer_only', password: 'w' };
    const process = await processOf('closed.t', { run: newRun(), options });
    expect(await process.writer.refusesExactlyOnce!()).toBe('the user may not create the table dray_ledger in the schema closed');
    await expect(process.prepare()).rejects.toMatchObject({ code: 'GUARANTEE_IMPOSSIBLE' });
    await sql('CREATE TABLE closed.dray_ledger (run text)');
    expect(await process.writer.refusesExactlyOnce!()).toMatch(/^the user may not read, insert and update/);
    await process.close();
    const able = await processOf(await newTable(), { run: newRun() });
    expect(await able.writer.refusesExactlyOnce!()).toBeUndefined();
    await able.close();
  });

  test('is nothing when many runs begin at once without a ledger', async () => {
    await sql('CREATE SCHEMA many', 'CREATE TABLE many.t (id int, word text)');
    const all = await Promise.all(Array.from({ length: 8 }, () => processOf('many.t', { run: newRun() })));
    await Promise.all(all.map((process) => process.prepare()));
    await Promise.all(all.map((process) => process.load(1, 1, rows)));
    await Promise.all(all.map((process) => process.close()));
    expect(await sql('SELECT count(*) FROM many.t')).toEqual([['16']]);
  });

  test('a ledger that has forgotten: a run of long ago is not resumed', async () => {
    const process = await processOf(await newTable(), { run: '20260101-000000-aaaaaa', mode: 'resume' });
    await expect(process.prepare()).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
    await process.close();
  });
});

test('a deadlock is a conflict, of which nothing remains', async () => {
  const [table, run] = [await newTable('id int PRIMARY KEY, word varchar(10)'), newRun()];
  const process = await postgresProcess(database, table, { run });
  const [one, two] = [await process.open(1, 1), await process.open(2, 1)];
  const write = (task: typeof one, id: string) =>
    task.write(batchOf(idWordSchema, [[id, 'x']])).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
  await write(one, '1');
  await write(two, '2');
  const crossing = async (task: typeof one, id: string) => {
    const outcome = await write(task, id);
    // What the victim locked is free only when it is undone.
    if (outcome === 'CONFLICT') await task.abort();
    return outcome;
  };
  const outcomes = await Promise.all([crossing(one, '2'), crossing(two, '1')]);
  expect(outcomes).toContain('CONFLICT');
  const [victim, survivor] = outcomes[0] === 'CONFLICT' ? [one, two] : [two, one];
  await expect(victim.commit(null)).rejects.toThrow(/./);
  await survivor.commit(null);
  await process.close();
  expect(await idsOf(table)).toEqual([1, 2]);
});
