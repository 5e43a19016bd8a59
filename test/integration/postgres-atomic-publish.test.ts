import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Json } from '../../core/sdk/index.ts';
import { alikeTables, portraitOf, ties } from '../support/postgres-tables.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { idWordSchema, moveRows, newRun, postgresProcess } from '../support/staged-postgres.ts';
import { batchOf } from '../support/writer-attempts.ts';

const server = providedPostgres();
let database: TestDatabase;
const sql = (...statements: string[]) => database.sql(...statements);

beforeAll(async () => {
  await server.createDatabase('atomic_publish');
  database = postgresDatabase(server, 'atomic_publish');
  await sql('CREATE ROLE reader_of_all', 'CREATE ROLE owner_of_all');
});

let tables = 0;
/** A table of its own with the rows 1 and 2, `old`; `$` in statements stands for its name. */
async function newTable(columns = 'id int PRIMARY KEY, word varchar(10)', ...statements: string[]): Promise<string> {
  const name = `t${++tables}`;
  await sql(`CREATE TABLE ${name} (${columns})`, `INSERT INTO ${name} (id, word) VALUES (1, 'old'), (2, 'old')`);
  if (statements.length > 0) await sql(...statements.map((statement) => statement.replaceAll('$', name)));
  return name;
}

const rowsOf = (table: string) => sql(`SELECT id, word FROM ${table} ORDER BY id, word`);
const oidOf = async (table: string) => (await sql(`SELECT '${table}'::regclass::oid`))[0]![0];
const besides = async () => (await sql("SELECT relname FROM pg_class WHERE relname ~ '^dray_(new|old)_' AND relkind = 'r'")).flat();
const forget = async () => {
  for (const name of await besides()) await sql(`DROP TABLE IF EXISTS "${name}"`);
};

const old: Cell[][] = [
  ['1', 'old'],
  ['2', 'old'],
];
const fresh: Cell[][] = [
  ['2', 'new'],
  ['3', 'new'],
  ['4', 'new'],
];
const atomic = (options: object = {}) => ({ options: { publish: 'atomic', ...options } });

async function rollBack(table: string, run: string, published: Json): Promise<void> {
  const process = await postgresProcess(database, table, { run, ...atomic() });
  try {
    await process.writer.rollback!(published);
  } finally {
    await process.close();
  }
}

describe('an atomic publish', () => {
  test('takes the place of all rows, keeps the previous ones, and can be rolled back once', async () => {
    const [table, run] = [await newTable(), newRun()];
    const before = await oidOf(table);
    const { published } = await moveRows(database, table, { run, rows: fresh, ...atomic() });
    expect(await rowsOf(table)).toEqual(fresh);
    expect(await oidOf(table)).not.toBe(before);
    const { previous } = published as unknown as { previous: string };
    expect(previous).toContain(run.replaceAll('-', '_'));
    expect(await rowsOf(previous)).toEqual(old);
    await rollBack(table, run, published);
    expect(await rowsOf(table)).toEqual(old);
    expect(await oidOf(table)).toBe(before);
    await expect(rollBack(table, run, published)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
    expect(await besides()).toEqual([]);
  });

  test('shows nothing before it, and leaves nothing if it is discarded', async () => {
    const [table, run] = [await newTable(), newRun()];
    const process = await postgresProcess(database, table, { run, ...atomic() });
    await process.prepare();
    await process.load(1, 1, fresh);
    expect(await rowsOf(table)).toEqual(old);
    const open = await process.open(2, 1);
    await open.write(batchOf(idWordSchema, [['9', 'new']]));
    await process.writer.discard!();
    await expect(open.commit(null)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await process.close();
    expect([await rowsOf(table), await besides()]).toEqual([old, []]);
  });

  test('with keepPrevious false leaves no other table, and cannot be rolled back', async () => {
    const [table, run] = [await newTable(), newRun()];
    const { published } = await moveRows(database, table, { run, rows: fresh, ...atomic({ keepPrevious: false }) });
    expect([await rowsOf(table), published, await besides()]).toEqual([fresh, null, []]);
    await expect(rollBack(table, run, published)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
  });

  test('drops the rows that an earlier one kept, and staging of dead runs, but nothing that others made', async () => {
    const table = await newTable();
    const first = await moveRows(database, table, { run: newRun(), rows: fresh, ...atomic() });
    const [dead, alive] = ['20260101-000000-abcdef', newRun()];
    const begin = async (run: string) => {
      const process = await postgresProcess(database, table, { run, ...atomic() });
      await process.prepare();
      await process.close();
      return (await besides()).find((name) => name!.startsWith(`dray_new_${run.replaceAll('-', '_')}`))!;
    };
    const ofDead = await begin(dead);
    const lookalike = ofDead.replace('abcdef', 'fedcba');
    await sql(`CREATE TABLE "${lookalike}" (id int)`, `COMMENT ON TABLE "${lookalike}" IS 'mine'`);
    const ofAlive = await begin(alive);
    const second = await moveRows(database, table, { run: newRun(), rows: old, ...atomic() });
    const previousOf = (published: Json) => (published as unknown as { previous: string }).previous;
    expect(new Set(await besides())).toEqual(new Set([ofAlive, lookalike, previousOf(second.published)]));
    expect(await besides()).not.toContain(previousOf(first.published));
    await forget();
  });

  test('of no rows at all leaves an empty table', async () => {
    const table = await newTable();
    await moveRows(database, table, { run: newRun(), rows: [], ...atomic() });
    expect(await rowsOf(table)).toEqual([]);
    await forget();
  });
});

describe('a table that is exchanged has, before and after a rollback, the same', () => {
  const portrait = (table: string) => portraitOf(database, table);
  test.each(Object.keys(alikeTables))('%s', async (name) => {
    const [definition, ...statements] = alikeTables[name]!;
    const table = await newTable(definition, ...statements);
    const [before, oid, run] = [await portrait(table), await oidOf(table), newRun()];
    const { published } = await moveRows(database, table, { run, rows: fresh, ...atomic({ column: ['id', 'word'] }) });
    expect(await oidOf(table)).not.toBe(oid);
    expect(await portrait(table)).toEqual(before);
    const again = await moveRows(database, table, { run: newRun(), rows: old, ...atomic({ column: ['id', 'word'] }) });
    expect(await portrait(table)).toEqual(before);
    await expect(rollBack(table, run, published)).rejects.toMatchObject({ code: 'ROLLBACK_IMPOSSIBLE' });
    await rollBack(table, (again.published as unknown as { run: string }).run, again.published);
    expect(await portrait(table)).toEqual(before);
    expect(await rowsOf(table)).toEqual(fresh);
    await sql(`DROP TABLE ${table}`);
    expect(await besides()).toEqual([]);
  });

  test('counters that go on where they stood', async () => {
    const table = await newTable('id int GENERATED BY DEFAULT AS IDENTITY, word text, n serial');
    await sql(`INSERT INTO ${table} (word) VALUES ('a'), ('b'), ('c')`);
    const words = [['x'], ['y']];
    const schema = { columns: [{ name: 'word', type: 'string', isNullable: true }] } as const;
    await moveRows(database, table, { run: newRun(), schema, rows: words, ...atomic({ column: ['word'] }) });
    await sql(`INSERT INTO ${table} (word) VALUES ('z')`);
    expect(await sql(`SELECT id, word, n FROM ${table} ORDER BY id`)).toEqual([
      ['4', 'x', '6'],
      ['5', 'y', '7'],
      ['6', 'z', '8'],
    ]);
    await forget();
  });

  test('names as long as names can be', async () => {
    const name = `"Ä ${'ö'.repeat(29)}"`;
    await sql(`CREATE TABLE ${name} (id int PRIMARY KEY, word text)`, `INSERT INTO ${name} VALUES (1, 'old'), (2, 'old')`);
    const run = newRun();
    const { published } = await moveRows(database, name, { run, rows: fresh, ...atomic() });
    expect(await rowsOf(name)).toEqual(fresh);
    await rollBack(name, run, published);
    expect(await rowsOf(name)).toEqual(old);
  });
});

describe('a table that must stay the one it is', () => {
  test.each(Object.keys(ties))('because of %s has its rows replaced, and brought back, in place', async (name) => {
    const [table, run] = [await newTable(undefined, ...ties[name]!), newRun()];
    const oid = await oidOf(table);
    const { published } = await moveRows(database, table, { run, rows: fresh, ...atomic() });
    expect(await rowsOf(table)).toEqual(fresh);
    if (name === 'a foreign key of another') expect(await sql(`SELECT id FROM ${table}_child`)).toEqual([['2']]);
    if (name === 'a view') expect(await rowsOf(`${table}_v`)).toEqual(fresh);
    await rollBack(table, run, published);
    expect(await rowsOf(table)).toEqual(old);
    expect(await oidOf(table)).toBe(oid);
    expect(await besides()).toEqual([]);
  });

  test('stays whole, with all that was loaded beside it gone, when it refuses a row in the end', async () => {
    const table = await newTable();
    await sql(`CREATE TABLE ${table}_child (id int REFERENCES ${table})`, `INSERT INTO ${table}_child VALUES (1)`);
    const process = await postgresProcess(database, table, { run: newRun(), ...atomic() });
    await process.prepare();
    const commit = await process.load(1, 1, fresh);
    await expect(process.publish([commit])).rejects.toMatchObject({
      code: 'SQL_FAILED',
      message: expect.stringContaining('a foreign key'),
    });
    await process.writer.discard!();
    await process.close();
    expect([await rowsOf(table), await besides()]).toEqual([old, []]);
  });

  test('because it was tied, or changed, only after the run had begun', async () => {
    for (const statement of [
      'CREATE VIEW $_later AS SELECT * FROM $',
      'ALTER TABLE $ ADD extra int DEFAULT 5',
      'CREATE INDEX ON $ (word)',
    ]) {
      const table = await newTable();
      const [oid, process] = [
        await oidOf(table),
        await postgresProcess(database, table, { run: newRun(), ...atomic({ column: ['id', 'word'] }) }),
      ];
      await process.prepare();
      const commit = await process.load(1, 1, fresh);
      await sql(statement.replaceAll('$', table));
      await process.publish([commit]);
      await process.close();
      expect([await rowsOf(table), await oidOf(table)]).toEqual([fresh, oid]);
    }
    await forget();
  });
});

describe('in other modes', () => {
  test('atomic-append adds rows in one step', async () => {
    const [table, run] = [await newTable(), newRun()];
    const rows = fresh.slice(1);
    const { published } = await moveRows(database, table, { run, rows, options: { publish: 'atomic-append' } });
    expect(await rowsOf(table)).toEqual([...old, ...rows]);
    await rollBack(table, run, published);
    expect(await rowsOf(table)).toEqual(old);
  });

  test.each([
    ['update', 'kept'],
    ['replace', '0'],
  ])('%s merges rows in one step', async (writeMode, rest) => {
    const [table, run] = [await newTable("id int PRIMARY KEY, word text, rest text DEFAULT '0'"), newRun()];
    await sql(`UPDATE ${table} SET rest = 'kept'`);
    const { published } = await moveRows(database, table, { run, rows: fresh, ...atomic({ writeMode, column: ['id', 'word'] }) });
    expect(await sql(`SELECT * FROM ${table} ORDER BY id`)).toEqual([
      ['1', 'old', 'kept'],
      ['2', 'new', rest],
      ['3', 'new', '0'],
      ['4', 'new', '0'],
    ]);
    await rollBack(table, run, published);
    expect(await sql(`SELECT * FROM ${table} ORDER BY id`)).toEqual(old.map((row) => [...row, 'kept']));
  });

  test('replayed rows are added to the target, and neither preSql nor postSql runs', async () => {
    const table = await newTable();
    const options = { publish: 'atomic', preSql: ['TRUNCATE TABLE @table'], postSql: ['TRUNCATE TABLE @table'] };
    await moveRows(database, table, { run: newRun(), mode: 'replay', rows: fresh.slice(1), options });
    expect(await rowsOf(table)).toEqual([...old, ...fresh.slice(1)]);
  });

  test('preSql is about the table beside the target, postSql about the target', async () => {
    const table = await newTable();
    const options = {
      publish: 'atomic',
      preSql: ["INSERT INTO @table VALUES (9, 'pre')"],
      postSql: ["UPDATE @table SET word = 'post' WHERE id = 4"],
    };
    await moveRows(database, table, { run: newRun(), rows: fresh, options });
    expect(await rowsOf(table)).toEqual([...fresh.slice(0, 2), ['4', 'post'], ['9', 'pre']]);
    await forget();
  });
});

describe('who reads the target', () => {
  const two = (count: number, word: string): Cell[][] => Array.from({ length: count }, (_, index) => [String(index), word]);
  const ways: Record<string, string[]> = {
    exchanged: [],
    'changed in place': ['CREATE VIEW $_v AS SELECT * FROM $'],
  };
  test.each(Object.keys(ways))('of a table that is %s sees the old rows or the new ones, and no error', async (way) => {
    const table = await newTable('id int, word text', ...ways[way]!);
    await sql(`TRUNCATE ${table}`, `INSERT INTO ${table} SELECT i, '0' FROM generate_series(0, 499) i`);
    const seen = new Set<string>();
    let isOver = false;
    const watch = async (isolation: string, prepared: boolean) => {
      const client = new pg.Client(server.urlFor('atomic_publish'));
      await client.connect();
      try {
        while (!isOver) {
          await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
          // A snapshot that is older than its first look at the table.
          await client.query('SELECT count(*) FROM pg_class');
          await delay(Math.random() * 30);
          const text = `SELECT count(*)::int AS n, min(word) AS low, max(word) AS high FROM ${table}`;
          const { rows } = await client.query(prepared ? { name: `q${table}`, text } : text);
          seen.add(`${rows[0].n} ${rows[0].low === rows[0].high ? 'of one run' : 'mixed'}`);
          await client.query('COMMIT');
        }
      } finally {
        await client.end();
      }
    };
    const watchers = [
      watch('READ COMMITTED', false),
      watch('READ COMMITTED', true),
      watch('REPEATABLE READ', false),
      watch('REPEATABLE READ', true),
    ];
    try {
      for (let round = 1; round <= 6; round++) {
        const run = newRun();
        const { published } = await moveRows(database, table, {
          run,
          rows: two(500, String(round)),
          ...atomic({ keepPrevious: round % 2 === 0 }),
        });
        if (round === 4) await rollBack(table, run, published);
      }
    } finally {
      isOver = true;
    }
    await Promise.all(watchers);
    expect([...seen]).toEqual(['500 of one run']);
    await forget();
  });

  test('in a transaction that stays open makes the rows move in place, and goes on seeing what it saw', async () => {
    const table = await newTable();
    const client = new pg.Client(server.urlFor('atomic_publish'));
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await client.query('SELECT 1');
    const oid = await oidOf(table);
    await moveRows(database, table, { run: newRun(), rows: fresh, ...atomic() });
    expect((await client.query({ text: `SELECT id::text, word FROM ${table} ORDER BY id`, rowMode: 'array' })).rows).toEqual(old);
    await client.end();
    expect([await rowsOf(table), await oidOf(table)]).toEqual([fresh, oid]);
    await forget();
  });
});
