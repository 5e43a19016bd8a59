import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runDray, writeJob } from '../../support/run-dray.ts';
import { allRows, createDatabase, makeShards, type ShardSource } from '../../support/shard-source.ts';
import type { TestDatabase } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const kinds = ['mysql', 'postgres'] as const;
const sources: Record<TestDatabase['kind'], ShardSource> = {} as never;
const targets: Record<TestDatabase['kind'], TestDatabase> = {} as never;
const screen = { name: 'streamwriter', parameter: { fieldDelimiter: '|', nullFormat: 'NULL' } };

beforeAll(async () => {
  for (const kind of kinds) {
    sources[kind] = await makeShards(kind, 'policies', 2);
    targets[kind] = await createDatabase(kind, 'policies_target');
  }
});

interface Given {
  readonly table?: string;
  readonly options?: object;
  readonly writer?: object;
  readonly setting?: object;
}

function jobFor(kind: TestDatabase['kind'], { table = 'orders_[0-2]', options = {}, writer = screen, setting = {} }: Given): string {
  const { reader, urlOf, prefix } = sources[kind];
  const content = [{ reader: reader([{ jdbcUrl: urlOf(''), database: `/^${prefix}\\d\\d$/`, table }], options), writer }];
  return writeJob(tempFolder(), { job: { setting: { speed: { channel: 2 }, ...setting }, content } });
}

const linesOf = (stdout: string) => stdout.trimEnd().split('\n').sort();

describe.each(kinds)('%s: what is missing', (kind) => {
  test('is an error that names it', async () => {
    const { exitCode, stderr } = await runDray(['run', jobFor(kind, { table: 'orders_[0-3]' })]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('TABLE_MISSING');
    expect(stderr).toContain(`there is no table "${sources[kind].prefix}00.orders_3" at 127.0.0.1`);
    expect(stderr).toContain('nor 1 other');
  });

  test('is an error for a regular expression that matches nothing', async () => {
    const { exitCode, stderr } = await runDray(['run', jobFor(kind, { table: '/^nothing/' })]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('table that matches /^nothing/');
  });

  test('is left out by policy, and reported', async () => {
    const { reader, urlOf, prefix } = sources[kind];
    const connection = [{ jdbcUrl: urlOf(`${prefix}[00-02]`), table: 'orders_[0-3]' }];
    const content = [{ reader: reader(connection, { shards: { missing: 'skip' } }), writer: screen }];
    const { exitCode, stdout, stderr } = await runDray(['run', writeJob(tempFolder(), { job: { content } })]);
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)).toEqual(allRows(2));
    expect(stderr).toContain('3 of the source left out');
    expect(stderr).toContain(`database "${prefix}02"`);
    expect(stderr).toContain(`table "${prefix}01.orders_3"`);
  });

  test('is an error where nothing is left', async () => {
    const { exitCode, stderr } = await runDray(['run', jobFor(kind, { table: 'nothing_[0-3]', options: { shards: { missing: 'skip' } } })]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('nothing is left to read');
  });
});

describe.each(kinds)('%s: columns that differ', (kind) => {
  beforeEach(async () => {
    const time = kind === 'postgres' ? 'timestamptz' : 'timestamp';
    const { databases } = sources[kind];
    for (const { sql } of databases) await sql('DROP TABLE IF EXISTS odd_0', 'DROP TABLE IF EXISTS odd_1');
    await databases[0]!.sql(
      `CREATE TABLE odd_0 (id int PRIMARY KEY, note varchar(9), early boolean, seen ${time} NULL)`,
      "INSERT INTO odd_0 VALUES (1, 'one', true, '2026-11-21 00:00:00')",
      'CREATE TABLE odd_1 (note varchar(30), id int PRIMARY KEY)',
      "INSERT INTO odd_1 VALUES ('two', 2)",
    );
    await databases[1]!.sql(
      'CREATE TABLE odd_0 (id bigint PRIMARY KEY, note varchar(9), later date)',
      "INSERT INTO odd_0 VALUES (30000000000, 'three', '2026-11-22')",
    );
  });

  const given = (columns: string, more: object = {}) => ({
    table: '/^odd/',
    options: { ...more, shards: { columns } },
  });

  test('are an error that names the table and the column', async () => {
    const { exitCode, stderr } = await runDray(['check', jobFor(kind, given('fail'))]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('SHARDS_DIFFER');
    expect(stderr).toContain(`${sources[kind].prefix}00.odd_1 has no column early, which ${sources[kind].prefix}00.odd_0 has`);
  });

  test('do not matter if "column" names what all have, in whatever order they have it', async () => {
    const { exitCode, stdout, stderr } = await runDray(['run', jobFor(kind, given('fail', { column: ['note', 'id'] }))]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(linesOf(stdout)).toEqual(['one|1', 'three|30000000000', 'two|2']);
  });

  test('are left out with "common"', async () => {
    const { exitCode, stdout, stderr } = await runDray(['run', jobFor(kind, given('common'))]);
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)).toEqual(['1|one', '2|two', '30000000000|three']);
    expect(stderr).toContain('not all tables have early, seen, later: not read');
  });

  test('are NULL where they are not with "fill-null"', async () => {
    const { exitCode, stdout, stderr } = await runDray(['run', jobFor(kind, given('fill-null'))]);
    expect(exitCode).toBe(0);
    const isTrue = kind === 'postgres' ? 'true' : '1';
    expect(linesOf(stdout)).toEqual([
      `1|one|${isTrue}|2026-11-21 00:00:00+00|NULL`,
      '2|two|NULL|NULL|NULL',
      '30000000000|three|NULL|NULL|2026-11-22',
    ]);
    expect(stderr).toContain('1 of 3 tables have later: it is NULL in the others');
  });

  test('of another type are an error whatever the policy', async () => {
    await sources[kind].databases[1]!.sql('DROP TABLE odd_0', 'CREATE TABLE odd_0 (id varchar(9) PRIMARY KEY, note varchar(9))');
    const { exitCode, stderr } = await runDray(['check', jobFor(kind, given('fill-null'))]);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/the column id of \S+01\.odd_0 is .*varying\(9\)|varchar\(9\), and int.* in \S+00\.odd_0/);
  });

  test('values that only a wider one of them can have are compared with the target', async () => {
    const { databases } = sources[kind];
    const target = targets[kind];
    for (const { sql } of databases) await sql('DROP TABLE IF EXISTS amounts');
    await databases[0]!.sql('CREATE TABLE amounts (id int PRIMARY KEY, v decimal(6,2))', 'INSERT INTO amounts VALUES (1, 1.25)');
    await databases[1]!.sql(
      'CREATE TABLE amounts (id int PRIMARY KEY, v decimal(8,4))',
      'INSERT INTO amounts VALUES (2, 1.2345), (3, 7.5)',
    );
    await target.sql('DROP TABLE IF EXISTS amounts', 'CREATE TABLE amounts (id int, v decimal(6,2))');
    const writer = {
      name: kind === 'postgres' ? 'postgresqlwriter' : 'mysqlwriter',
      parameter: { username: target.user, password: target.password, connection: [{ jdbcUrl: target.jdbcUrl, table: ['amounts'] }] },
    };
    const path = jobFor(kind, { table: 'amounts', writer, setting: { errorLimit: { record: 1 } } });
    const { exitCode, stderr, report } = await runDray(['run', path, '--json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(report?.rows).toMatchObject({ read: 3, written: 2, dirty: 1 });
    expect(await target.sql('SELECT id FROM amounts ORDER BY id')).toEqual([['1'], ['3']]);
    // The dirty record says of which physical table it is.
    expect(stderr).toContain(`${sources[kind].prefix}01.amounts`);
  });
});

describe.each(kinds)('%s: keys that collide', (kind) => {
  const writerOf = (table: string) => {
    const { user: username, password, jdbcUrl } = targets[kind];
    return {
      name: kind === 'postgres' ? 'postgresqlwriter' : 'mysqlwriter',
      parameter: { username, password, connection: [{ jdbcUrl, table: [table] }] },
    };
  };

  test('are found in overlapping ranges before anything is loaded', async () => {
    await targets[kind].sql('DROP TABLE IF EXISTS orders', 'CREATE TABLE orders (id int, note varchar(20))');
    const path = jobFor(kind, { options: { shards: { collisions: 'fail' } }, writer: writerOf('orders') });
    const clean = await runDray(['run', path]);
    expect({ exitCode: clean.exitCode, stderr: clean.stderr }).toMatchObject({ exitCode: 0 });
    expect(clean.stderr).toContain('the ranges of the keys of 6 tables overlap');
    const rows = await targets[kind].sql("SELECT CONCAT(id, '|', note) FROM orders");
    expect(rows.map(([row]) => row!).sort()).toEqual(allRows(2));
    const { sql } = sources[kind].databases[1]!;
    await sql("INSERT INTO orders_1 VALUES (220, 'twice')");
    await targets[kind].sql('DELETE FROM orders');
    const { exitCode, stderr } = await runDray(['run', path]);
    await sql("DELETE FROM orders_1 WHERE note = 'twice'");
    expect(exitCode).toBe(3);
    expect(stderr).toContain('SHARDS_COLLIDE');
    expect(stderr).toMatch(/00\.orders_2 and \S+01\.orders_1 have rows with the same primary key \(id\)/);
    expect(await targets[kind].sql('SELECT * FROM orders')).toEqual([]);
  });

  test('cannot be, where ranges of keys lie apart: no key is read', async () => {
    for (const [index, { sql }] of sources[kind].databases.entries()) {
      await sql(
        'DROP TABLE IF EXISTS apart',
        'CREATE TABLE apart (id bigint PRIMARY KEY)',
        `INSERT INTO apart VALUES (${index * 10 - 5}), (${index * 10})`,
      );
    }
    const { exitCode, stdout, stderr } = await runDray([
      'run',
      jobFor(kind, { table: 'apart', options: { shards: { collisions: 'fail' } } }),
    ]);
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)).toEqual(['-5', '0', '10', '5']);
    expect(stderr).not.toContain('overlap');
  });

  test('cannot be compared where there is no whole number', async () => {
    for (const { sql } of sources[kind].databases)
      await sql('DROP TABLE IF EXISTS words', 'CREATE TABLE words (id varchar(9) PRIMARY KEY)');
    const { exitCode, stderr } = await runDray(['check', jobFor(kind, { table: 'words', options: { shards: { collisions: 'fail' } } })]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('compares primary keys of one whole number');
  });

  test('are kept apart by the columns that add-shard delivers', async () => {
    for (const { sql } of sources[kind].databases) {
      await sql(
        'DROP TABLE IF EXISTS same',
        'CREATE TABLE same (id int PRIMARY KEY, note varchar(9))',
        "INSERT INTO same VALUES (1, 'a'), (2, 'b')",
      );
    }
    await targets[kind].sql(
      'DROP TABLE IF EXISTS same',
      'CREATE TABLE same (id int, note varchar(9), _shard varchar(90), _table varchar(60), PRIMARY KEY (id, _shard, _table))',
    );
    const path = jobFor(kind, { table: 'same', options: { shards: { collisions: 'add-shard' } }, writer: writerOf('same') });
    const { exitCode, stderr } = await runDray(['run', path]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const rows = await targets[kind].sql('SELECT id, note, count(*), count(DISTINCT _shard) FROM same GROUP BY id, note ORDER BY id');
    expect(rows).toEqual([
      ['1', 'a', '2', '2'],
      ['2', 'b', '2', '2'],
    ]);
  });
});
