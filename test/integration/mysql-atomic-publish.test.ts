import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Json, Schema, WriteIntent } from '../../core/sdk/index.ts';
import { stagingName } from '../../plugins/_sql/staging-names.ts';
import plugin from '../../plugins/mysql/writer.ts';
import { providedMariadb } from '../support/provided-servers.ts';
import { type Cells, mysqlDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';
import { type Attempts, attemptsOf, batchOf } from '../support/writer-attempts.ts';

const server = providedMariadb();
let database: TestDatabase;

const integer = (name: string) => ({ name, type: 'integer' as const, isNullable: true });
const ids: Schema = { columns: [integer('id')] };
const pairs: Schema = { columns: [integer('id'), integer('n')] };

beforeAll(async () => {
  database = mysqlDatabase(server, await server.createDatabase('atomic_publish'));
});

const users: string[] = [];
/** @param grants without their TO */
async function newUser(...grants: string[]): Promise<{ user: string; password: string }> {
  const user = `dray_${randomBytes(6).toString('hex')}`;
  users.push(user);
  await database.sql(`CREATE USER '${user}'@'%' IDENTIFIED BY 'pw'`, ...grants.map((grant) => `${grant} TO '${user}'@'%'`));
  return { user, password: 'pw' };
}

afterAll(async () => {
  for (const user of users) await database.sql(`DROP USER '${user}'@'%'`);
});

let tables = 0;
/** A new table; `$` stands for its name. */
async function table(...statements: string[]): Promise<string> {
  const name = `t${++tables}`;
  await database.sql(...statements.map((statement) => statement.replaceAll('$', name)));
  return name;
}

let runs = 0;
const newRun = (day = new Date().toISOString().slice(0, 10).replaceAll('-', '')) => `${day}-030405-${String(++runs).padStart(6, '0')}`;

interface Given {
  readonly run?: string;
  readonly schema?: Schema;
  readonly mode?: WriteIntent['mode'];
  readonly [option: string]: unknown;
}

async function writerOf(name: string, { run = newRun(), schema = ids, mode = 'run', ...options }: Given = {}): Promise<Attempts> {
  const connection = [{ jdbcUrl: database.jdbcUrl, table: [name] }];
  const parameter = { username: database.user, password: database.password, connection, publish: 'atomic', ...options };
  return attemptsOf(plugin, parameter, { run, schema, guarantee: 'at-least-once', mode });
}

/** A whole run of one task. */
async function publish(name: string, rows: readonly (readonly Cell[])[], given: Given = {}): Promise<Json | void> {
  const writer = await writerOf(name, given);
  try {
    const commits = [await writer.load(1, 1, rows)];
    return await writer.publish(commits);
  } finally {
    await writer.close();
  }
}

async function rollback(name: string, published: Json | void): Promise<void> {
  const writer = await writerOf(name);
  try {
    await writer.writer.rollback!(published!);
  } finally {
    await writer.close();
  }
}

const rowsOf = (name: string) => database.sql(`SELECT * FROM ${name} ORDER BY 1`);
const sets = (...numbers: number[]) => numbers.map((id) => [String(id)]);
/** Tables that dray has made beside a target. */
const beside = async (name: string) =>
  (await database.sql('SHOW TABLES'))
    .map(([found]) => found!)
    .filter((found) => found.startsWith('dray_') && found.endsWith(`_${name}`))
    .map((found) => found.slice(0, 8));

const tied = 'CREATE TRIGGER $_trigger BEFORE INSERT ON $ FOR EACH ROW SET NEW.id = NEW.id';

describe.each([
  ['swapped', [], {}],
  ['replaced in place', [tied], {}],
  ['added', [], { publish: 'atomic-append' }],
  ['merged', [], { writeMode: 'replace' }],
] as const)('rows that are %s', (way, more, options) => {
  const adds = way === 'added' || way === 'merged';
  const create = () => table('CREATE TABLE $ (id int PRIMARY KEY)', 'INSERT INTO $ SELECT seq FROM seq_1_to_2000', ...more);
  const old = 2000;
  const fresh = Array.from({ length: 3000 }, (_, index) => [String(10_001 + index)]);
  const after = adds ? old + fresh.length : fresh.length;

  test('are seen all at once: nobody who reads meanwhile sees a part, nothing, or an error', async () => {
    const name = await create();
    const writer = await writerOf(name, options);
    const task = await writer.open(1, 1);
    await task.write(batchOf(ids, fresh));
    const commit = (await task.commit(null)) ?? null;
    const seen = new Set<number>();
    let polls = 0;
    let isOver = false;
    const poll = async () => {
      const client = await mysql.createConnection({ uri: server.urlFor(database.name) });
      try {
        while (!isOver) {
          const [[row]] = await client.query<mysql.RowDataPacket[]>(`SELECT count(*) AS rows_there FROM ${name}`);
          seen.add(Number(row!.rows_there));
          polls++;
        }
      } finally {
        await client.end();
      }
    };
    const polling = Promise.all([poll(), poll(), poll()]);
    await until('somebody reads', 10_000, async () => expect(polls).toBeGreaterThan(10));
    await writer.publish([commit]);
    const pollsBefore = polls;
    await until('somebody has read afterwards', 10_000, async () => expect(polls).toBeGreaterThan(pollsBefore + 10));
    isOver = true;
    await polling;
    await writer.close();
    expect(seen).toEqual(new Set([old, after]));
  });

  test('can be rolled back once, to exactly what was there', async () => {
    const name = await create();
    const before = await database.sql(`SHOW CREATE TABLE ${name}`);
    const published = await publish(name, fresh.slice(0, 3), options);
    expect(await beside(name)).toEqual(['dray_old']);
    await rollback(name, published);
    expect(await rowsOf(name)).toHaveLength(old);
    expect(await database.sql(`SHOW CREATE TABLE ${name}`)).toEqual(before);
    expect(await beside(name)).toEqual([]);
    await expect(rollback(name, published)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
  });

  test('leave nothing beside the table if the previous ones are not to be kept', async () => {
    const name = await create();
    expect(await publish(name, fresh.slice(0, 3), { ...options, keepPrevious: false })).toBeUndefined();
    expect(await beside(name)).toEqual([]);
    expect(await rowsOf(name)).toHaveLength(adds ? old + 3 : 3);
  });

  test('are published once, however often that is asked for', async () => {
    const name = await create();
    const run = newRun();
    const writer = await writerOf(name, { ...options, run });
    const commits = [await writer.load(1, 1, fresh.slice(0, 3))];
    const published = await writer.publish(commits);
    await writer.close();
    await database.sql(`DELETE FROM ${name} WHERE id = 10001`);
    const again = await writerOf(name, { ...options, run, mode: 'resume' });
    await again.prepare();
    expect(await again.publish(commits)).toEqual(published);
    await again.close();
    expect(await rowsOf(name)).toHaveLength(adds ? old + 2 : 2);
    expect(await beside(name)).toEqual(['dray_old']);
  });

  test('are not seen if the run is given up', async () => {
    const name = await create();
    const writer = await writerOf(name, options);
    await writer.load(1, 1, fresh.slice(0, 3));
    expect(await beside(name)).toEqual(['dray_new']);
    await writer.writer.discard!();
    await writer.close();
    expect(await beside(name)).toEqual([]);
    expect(await rowsOf(name)).toHaveLength(old);
  });
});

describe('a table that is swapped', () => {
  test('keeps its keys, defaults, checks, partitions, comment and counter, its rights and views', async () => {
    const name = await table(
      `CREATE TABLE $ (id int AUTO_INCREMENT, n int DEFAULT 7, twice int AS (n * 2) STORED, hidden int INVISIBLE DEFAULT 1,
         PRIMARY KEY (id), KEY by_n (n), CHECK (n < 1000)) COMMENT 'orders; it''s \\\\ theirs' AUTO_INCREMENT = 500
         PARTITION BY HASH (id) PARTITIONS 3`,
      'CREATE VIEW $_view AS SELECT id, n FROM $',
    );
    const access = await newUser(`GRANT SELECT ON ${database.name}.${name}`);
    const before = await database.sql(`SHOW CREATE TABLE ${name}`);
    await publish(name, [['5']], { schema: { columns: [integer('n')] }, column: ['n'] });
    expect(await rowsOf(name)).toEqual([['500', '5', '10']]);
    const after = await database.sql(`SHOW CREATE TABLE ${name}`);
    expect(after[0]![1]!.replace('AUTO_INCREMENT=501', 'AUTO_INCREMENT=500')).toBe(before[0]![1]);
    expect(await rowsOf(`${name}_view`)).toEqual([['500', '5']]);
    const reader = mysqlDatabase({ ...database, ...access }, database.name);
    expect(await reader.sql(`SELECT id FROM ${name}`)).toEqual([['500']]);
  });

  test('waits for who reads it in a transaction, and lets others read it meanwhile', async () => {
    const name = await table('CREATE TABLE $ (id int)', 'INSERT INTO $ VALUES (1)');
    const writer = await writerOf(name);
    const commit = await writer.load(1, 1, [['2']]);
    const holder = await mysql.createConnection({ uri: server.urlFor(database.name) });
    await holder.beginTransaction();
    await holder.query(`SELECT * FROM ${name}`);
    const publishing = writer.publish([commit]);
    const meanwhile: Cells[][] = [];
    for (let round = 0; round < 5; round++) meanwhile.push(await database.sql('DO SLEEP(0.3)', `SELECT * FROM ${name}`));
    await holder.commit();
    await holder.end();
    await publishing;
    await writer.close();
    expect(meanwhile.map(String)).toEqual(Array(5).fill('1'));
    expect(await rowsOf(name)).toEqual(sets(2));
  });

  test('may have the longest of names, and an odd one', async () => {
    for (const name of ['n'.repeat(64), `odd name's "ß" \`\`漢`.padEnd(40, '漢')]) {
      const quoted = `\`${name}\``;
      await database.sql(`CREATE TABLE ${quoted} (id int)`, `INSERT INTO ${quoted} VALUES (1)`);
      const published = await publish(quoted, [['2']]);
      expect(await rowsOf(quoted)).toEqual(sets(2));
      await rollback(quoted, published);
      expect(await rowsOf(quoted)).toEqual(sets(1));
    }
  });

  test('has only its last previous rows beside it', async () => {
    const name = await table('CREATE TABLE $ (id int)', 'INSERT INTO $ VALUES (1)');
    const first = await publish(name, [['2']]);
    const second = await publish(name, [['3']]);
    expect(await beside(name)).toEqual(['dray_old']);
    await expect(rollback(name, first)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
    await rollback(name, second);
    expect(await rowsOf(name)).toEqual(sets(2));
  });
});

describe('a table that must keep its identity', () => {
  const family = () =>
    table(
      'CREATE TABLE $_parent (id int PRIMARY KEY)',
      'INSERT INTO $_parent VALUES (1), (2), (3)',
      'CREATE TABLE $ (id int PRIMARY KEY, n int, boss int, FOREIGN KEY (n) REFERENCES $_parent (id), FOREIGN KEY (boss) REFERENCES $ (id))',
      'INSERT INTO $ VALUES (1, 1, NULL), (2, 2, 1)',
      'CREATE TABLE $_child (id int, t int, FOREIGN KEY (t) REFERENCES $ (id) ON DELETE CASCADE)',
      'INSERT INTO $_child VALUES (1, 1), (2, 2)',
    );
  const columns: Schema = { columns: [integer('id'), integer('n'), integer('boss')] };

  test('is filled in one transaction, and takes nothing with it that refers to its rows', async () => {
    const name = await family();
    const published = await publish(
      name,
      [
        ['1', '3', '2'],
        ['2', '3', null],
        ['9', '1', '1'],
      ],
      { schema: columns },
    );
    expect(await rowsOf(name)).toEqual([
      ['1', '3', '2'],
      ['2', '3', null],
      ['9', '1', '1'],
    ]);
    expect(await rowsOf(`${name}_child`)).toEqual([
      ['1', '1'],
      ['2', '2'],
    ]);
    await expect(database.sql(`INSERT INTO ${name}_child VALUES (5, 77)`)).rejects.toThrow(/foreign key/);
    await rollback(name, published);
    expect(await rowsOf(name)).toEqual([
      ['1', '1', null],
      ['2', '2', '1'],
    ]);
  });

  test('refuses a row without the row it refers to while it is loaded', async () => {
    const name = await family();
    await expect(publish(name, [['1', '44', null]], { schema: columns })).rejects.toMatchObject({ code: 'ROW_REJECTED' });
  });

  test('stays as it is if rows of others would refer to nothing', async () => {
    const name = await family();
    const run = newRun();
    await expect(publish(name, [['1', '1', null]], { run, schema: columns })).rejects.toMatchObject({
      code: 'SQL_FAILED',
      message: expect.stringContaining(`${name}_child`),
    });
    expect(await rowsOf(name)).toHaveLength(2);
    expect(await rowsOf(`${name}_child`)).toHaveLength(2);
    const writer = await writerOf(name, { run });
    await writer.writer.discard!();
    await writer.close();
    expect(await beside(name)).toEqual([]);
  });

  test('has its triggers afterwards, also those that this user may not see', async () => {
    const name = await table('CREATE TABLE $ (id int)', 'CREATE TRIGGER $_up BEFORE INSERT ON $ FOR EACH ROW SET NEW.id = NEW.id + 100');
    const { user, password } = await newUser(`GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER ON ${database.name}.*`);
    await publish(name, [['1']], { username: user, password });
    expect(await rowsOf(name)).toEqual(sets(101));
    await database.sql(`INSERT INTO ${name} VALUES (2)`);
    expect(await rowsOf(name)).toEqual(sets(101, 102));
  });
});

describe('rows that are merged', () => {
  const create = () =>
    table('CREATE TABLE $ (id int PRIMARY KEY, n int, kept int DEFAULT 7)', 'INSERT INTO $ VALUES (1, 10, 11), (2, 20, 21)');
  const rows = [
    ['2', '22'],
    ['3', '33'],
  ];

  test.each([
    [
      'update',
      [
        ['1', '10', '11'],
        ['2', '22', '21'],
        ['3', '33', '7'],
      ],
    ],
    [
      'replace',
      [
        ['1', '10', '11'],
        ['2', '22', '7'],
        ['3', '33', '7'],
      ],
    ],
  ])('%s as its write mode does', async (writeMode, expected) => {
    const name = await create();
    await publish(name, rows, { schema: pairs, column: ['id', 'n'], writeMode });
    expect(await rowsOf(name)).toEqual(expected);
  });

  test('are refused as a whole if one of them is there already', async () => {
    const name = await create();
    await expect(publish(name, rows, { schema: pairs, column: ['id', 'n'], publish: 'atomic-append' })).rejects.toMatchObject({
      code: 'SQL_FAILED',
      message: expect.stringContaining('a key that is there already'),
    });
    expect(await rowsOf(name)).toHaveLength(2);
  });
});

test('preSql works on the table beside the target, postSql on the target', async () => {
  const name = await table('CREATE TABLE $ (id int)', 'INSERT INTO $ VALUES (1)');
  await publish(name, [['2']], { preSql: ['INSERT INTO @table VALUES (5)'], postSql: ['INSERT INTO @table VALUES (6)'] });
  expect(await rowsOf(name)).toEqual(sets(2, 5, 6));
});

test('refused rows that are loaded later are added to the target, and no statement is run', async () => {
  const name = await table('CREATE TABLE $ (id int)', 'INSERT INTO $ VALUES (1)');
  const sql = ['DROP TABLE @table'];
  await publish(name, [['2']], { mode: 'replay', preSql: sql, postSql: sql });
  expect(await rowsOf(name)).toEqual(sets(1, 2));
});

test('what dead runs have left goes after a week; what is younger, or only looks like it, stays', async () => {
  const name = await table('CREATE TABLE $ (id int)');
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  for (const daysAgo of [8, 6]) {
    const dead = await writerOf(name, { run: newRun(day(daysAgo)) });
    await dead.load(1, 1, [['1']]);
    await dead.close();
  }
  const lookalike = stagingName('new', newRun(day(20)), { schema: database.name, table: name });
  await database.sql(`CREATE TABLE ${lookalike} (id int) COMMENT 'mine'`);
  await publish(name, [['2']]);
  expect((await beside(name)).sort()).toEqual(['dray_new', 'dray_new', 'dray_old']);
  expect(await database.sql(`SHOW TABLES LIKE '${lookalike}'`)).toEqual([[lookalike]]);
});

test('a run whose loaded rows are gone cannot be resumed', async () => {
  const name = await table('CREATE TABLE $ (id int)', 'INSERT INTO $ VALUES (1)');
  const run = newRun();
  const writer = await writerOf(name, { run });
  await writer.load(1, 1, [['2']]);
  await writer.writer.discard!();
  await writer.close();
  const again = await writerOf(name, { run, mode: 'resume' });
  await expect(again.prepare()).rejects.toMatchObject({ code: 'RUN_NOT_RESUMABLE' });
  await again.close();
  expect(await rowsOf(name)).toEqual(sets(1));
});
