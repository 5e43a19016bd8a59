import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { runDray, writeJob } from '../../support/run-dray.ts';
import { allRows, createDatabase, makeShards, type ShardSource } from '../../support/shard-source.ts';
import type { TestDatabase } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const kinds = ['mysql', 'postgres'] as const;
const sources: Record<TestDatabase['kind'], ShardSource> = {} as never;

beforeAll(async () => {
  for (const kind of kinds) sources[kind] = await makeShards(kind, 'patterns');
});

const writer = { name: 'streamwriter', parameter: { fieldDelimiter: '|' } };

function jobOf(reader: object): string {
  return writeJob(tempFolder(), { job: { setting: { speed: { channel: 2 } }, content: [{ reader, writer }] } });
}

/** What a job delivers, as sorted lines; it must not say anything but its progress. */
async function rowsOf(reader: object): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runDray(['run', jobOf(reader)]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout.trimEnd().split('\n').sort();
}

describe.each(kinds)('%s: many tables are one', (kind) => {
  test.each<[string, (source: ShardSource) => object]>([
    ['databases as a range in the address', ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(`${prefix}[00-03]`), table: ['orders_[0-2]'] })],
    ['ranges with braces', ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(`${prefix}{00..03}`), table: 'orders_{0..1}, orders_2' })],
    [
      'databases beside the address',
      ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(''), database: [`${prefix}[00-03]`], table: ['orders_[0-2]'] }),
    ],
    ['a regular expression for tables', ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(`${prefix}[00-03]`), table: ['/^orders_\\d+$/'] })],
    [
      'regular expressions for both',
      ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(`${prefix}00`), database: `/^${prefix}\\d{2}$/`, table: '/^ORDERS_\\d{1,2}$/i' }),
    ],
    [
      'a table that is named and matched is read once',
      ({ urlOf, prefix }) => ({ jdbcUrl: urlOf(`${prefix}[00-03]`), table: ['orders_1', '/^orders/'] }),
    ],
    [
      'queries of each database',
      ({ urlOf, prefix }) => ({
        jdbcUrl: urlOf(`${prefix}[00-03]`),
        querySql: ['SELECT id, note FROM orders_0', 'SELECT id, note FROM orders_1 UNION ALL SELECT id, note FROM orders_2'],
      }),
    ],
  ])('%s', async (_, connectionOf) => {
    const source = sources[kind];
    expect(await rowsOf(source.reader([connectionOf(source)]))).toEqual(allRows(4));
  });

  test('of each pattern element the first address that answers is read', async () => {
    const source = sources[kind];
    const { urlOf, prefix, databases } = source;
    const dead = urlOf(`${prefix}[00-03]`).replace(/:\d+\//, `:${await freePort()}/`);
    const connection = [{ jdbcUrl: [dead, urlOf(`${prefix}[00-03]`)], table: 'orders_[0-2]' }];
    expect(await rowsOf(source.reader(connection))).toEqual(allRows(4));
    // _shard is what the job names first, whoever answers.
    const named = await rowsOf(source.reader(connection, { column: ['_shard'] }));
    const host = /\/\/([^/]+)\//.exec(dead)![1]!;
    const schema = kind === 'postgres' ? '/public' : '';
    expect([...new Set(named)]).toEqual(databases.map(({ name }) => `${host}/${name}${schema}`));
  });

  test('of patterns that stand for different numbers of addresses it says so', async () => {
    const { reader, urlOf, prefix } = sources[kind];
    const connection = [{ jdbcUrl: [urlOf(`${prefix}[00-03]`), urlOf(`${prefix}[00-02]`)], table: 'orders_0' }];
    const { exitCode, stderr } = await runDray(['check', jobOf(reader(connection))]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('the patterns in "jdbcUrl" of connection[0] stand for 4 and 3 addresses');
  });

  test('plan and check count tables and shards, and small tables are packed', async () => {
    const { reader, urlOf, prefix } = sources[kind];
    const path = jobOf(reader([{ jdbcUrl: urlOf(`${prefix}[00-03]`), table: '/^orders_/' }]));
    const plan = await runDray(['plan', path]);
    expect(plan.stderr).toBe('');
    expect(plan.stdout).toContain('from 12 tables in 4 shards');
    const { contents } = JSON.parse((await runDray(['plan', path, '--json'])).stdout) as {
      contents: { shards: number; tables: object[]; splits: object[] }[];
    };
    expect(contents[0]).toMatchObject({ shards: 4 });
    expect(contents[0]!.tables).toHaveLength(12);
    expect(contents[0]!.splits.length).toBeLessThan(12);
    expect((await runDray(['check', path])).stdout).toContain('from 12 tables in 4 shards');
  });

  test('_shard and _table say where each row comes from', async () => {
    const { reader, urlOf, prefix, databases } = sources[kind];
    const rows = await rowsOf(
      reader([{ jdbcUrl: urlOf(`${prefix}[00-03]`), table: 'orders_[0-2]' }], { column: ['_table', 'id', 'note', '_shard'] }),
    );
    const { host, port } = databases[0]!;
    const schema = kind === 'postgres' ? '/public' : '';
    const expected = allRows(4).map((row) => {
      const [, database, table] = /note (\d) (\d)/.exec(row)!;
      return `orders_${table}|${row}|${host}:${port}/${prefix}0${database}${schema}`;
    });
    expect(rows).toEqual(expected.sort());
  });

  test('_table works for one table, too', async () => {
    const { reader, databases } = sources[kind];
    const rows = await rowsOf(reader([{ jdbcUrl: databases[0]!.jdbcUrl, table: 'orders_0' }], { column: ['_table', 'id'] }));
    expect(rows).toEqual(['orders_0|0', 'orders_0|100', 'orders_0|200']);
  });
});

test('PostgreSQL: schemas are matched, and partitions are read with their table only', async () => {
  const database = await createDatabase('postgres', 'schemas');
  for (const schema of ['s0', 's1', 's10', 'other']) {
    await database.sql(
      `CREATE SCHEMA ${schema}`,
      `CREATE TABLE ${schema}.orders (id int, origin text) PARTITION BY RANGE (id)`,
      `CREATE TABLE ${schema}.orders_low PARTITION OF ${schema}.orders FOR VALUES FROM (0) TO (5)`,
      `CREATE TABLE ${schema}.orders_high PARTITION OF ${schema}.orders FOR VALUES FROM (5) TO (10)`,
      `INSERT INTO ${schema}.orders SELECT n, '${schema}' FROM generate_series(0, 9) n`,
    );
  }
  const { user: username, password, jdbcUrl } = database;
  const readerOf = (table: string) => ({ name: 'postgresqlreader', parameter: { username, password, connection: [{ jdbcUrl, table }] } });
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  const rows = (...schemas: string[]) => schemas.flatMap((schema) => numbers.map((n) => `${n}|${schema}`)).sort();
  expect(await rowsOf(readerOf('/^s\\d+$/./^orders/'))).toEqual(rows('s0', 's1', 's10'));
  expect(await rowsOf(readerOf('/^s\\d+$/.orders'))).toEqual(rows('s0', 's1', 's10'));
  expect(await rowsOf(readerOf('s[0-1].orders'))).toEqual(rows('s0', 's1'));
  expect(await rowsOf(readerOf('s0./_low$/'))).toEqual(rows('s0').filter((row) => row < '5'));
});
