import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutOptions, openSource } from '../../support/split-source.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { measured } from './evenness.ts';
import { idsOf } from './key-tables.ts';

/** How a table is cut that no one but its statistics calls small. */
async function cutOf(database: Database, table: string, options?: CutOptions) {
  const source = await openSource(database, table);
  try {
    const plan = await (options === undefined ? source.plan() : source.cut(options));
    const [part] = plan.parts;
    const { largest, fault } = await measured(source, plan, await idsOf(database, table));
    return { method: part!.method, splits: part!.splits, rows: part!.estimatedRows, notes: part!.notes.join('; '), largest, fault };
  } finally {
    await source.close();
  }
}

function expectEven(cut: { readonly splits: number; readonly largest: number; readonly fault: string | undefined }): void {
  expect(cut.fault).toBeUndefined();
  expect(cut.splits).toBeGreaterThan(3);
  expect(cut.largest).toBeLessThan(2);
}

describe('MariaDB', () => {
  let database: Database;

  beforeAll(async () => {
    database = await mysqlDatabase();
  });

  afterAll(() => database.end());

  test('a table whose statistics are those of an empty one is cut by a walk through its index, and one is told', async () => {
    await database.execute('CREATE TABLE unknown_size (id bigint PRIMARY KEY, v int) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0');
    await database.execute('ANALYZE TABLE unknown_size');
    await database.execute('INSERT INTO unknown_size SELECT IF(seq < 70000, seq, seq * 1000000), 1 FROM seq_1_to_100000');
    await database.execute(
      "UPDATE mysql.innodb_table_stats SET n_rows = 0 WHERE database_name = DATABASE() AND table_name = 'unknown_size'",
    );
    // Makes the server forget what it has counted since.
    await database.execute('RENAME TABLE unknown_size TO aside, aside TO unknown_size');
    const [[known] = []] = await database.query(
      "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'unknown_size'",
    );
    expect(Number(known)).toBeLessThan(1000);
    const cut = await cutOf(database, 'unknown_size');
    expect(cut).toMatchObject({ method: 'keyset walk', notes: expect.stringMatching(/ANALYZE TABLE .*unknown_size/) as string });
    expect(cut.rows).toBeGreaterThan(90_000);
    expectEven(cut);
  });

  test('a table that has grown tenfold since its statistics were made is cut evenly', async () => {
    await database.execute(
      'CREATE TABLE grown (id bigint PRIMARY KEY, v varchar(90)) ENGINE=InnoDB STATS_PERSISTENT=1 STATS_AUTO_RECALC=0',
    );
    await database.execute("INSERT INTO grown SELECT seq, repeat('x', 80) FROM seq_1_to_10000");
    await database.execute('ANALYZE TABLE grown');
    await database.execute("INSERT INTO grown SELECT 1000000000000 + seq * seq, repeat('x', 80) FROM seq_1_to_90000");
    const cut = await cutOf(database, 'grown', { pieces: 8 });
    expect(cut.method).toBe('index dives');
    expectEven(cut);
  });
});

describe('PostgreSQL', () => {
  let database: Database;

  beforeAll(async () => {
    database = await postgresDatabase();
  });

  afterAll(() => database.end());

  async function tableOf(name: string, ...more: string[]): Promise<void> {
    await database.execute(`CREATE TABLE ${name} (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = off)`);
    for (const sql of more) await database.execute(sql);
    // Counts of changes reach the others only a second later otherwise.
    await database.execute('SELECT pg_stat_force_next_flush()');
  }

  test('a table that was never analyzed is cut by its blocks, and one is told', async () => {
    await tableOf('unknown_values', "INSERT INTO unknown_values SELECT n::bigint * n, repeat('x', 80) FROM generate_series(1, 100000) n");
    const cut = await cutOf(database, 'unknown_values');
    expect(cut).toMatchObject({
      method: 'blocks',
      notes: expect.stringMatching(/never been analyzed; ANALYZE .*unknown_values/) as string,
    });
    expectEven(cut);
  });

  test('a table that has grown tenfold since it was analyzed is cut by a sample, and one is told', async () => {
    await tableOf(
      'grown',
      "INSERT INTO grown SELECT n, repeat('x', 80) FROM generate_series(1, 10000) n",
      'ANALYZE grown',
      "INSERT INTO grown SELECT 1000000000000 + n::bigint * n, repeat('x', 80) FROM generate_series(1, 90000) n",
    );
    const cut = await cutOf(database, 'grown');
    expect(cut).toMatchObject({ method: 'sample', notes: expect.stringMatching(/out of date; ANALYZE .*grown/) as string });
    expectEven(cut);
  });

  test('a table that has not grown, but whose rows are others than those analyzed, is cut evenly', async () => {
    await tableOf(
      'replaced',
      "INSERT INTO replaced SELECT n, repeat('x', 80) FROM generate_series(1, 100000) n",
      'ANALYZE replaced',
      'DELETE FROM replaced',
      'VACUUM (TRUNCATE off) replaced',
      "INSERT INTO replaced SELECT 900000 + n * 7, repeat('y', 150) FROM generate_series(1, 100000) n",
    );
    const cut = await cutOf(database, 'replaced');
    expect(cut.method).toBe('sample');
    expectEven(cut);
  });
});
