import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutOptions, openSource, type SplitSource } from '../../support/split-source.ts';
import { type ListenedDatabase, listenedDatabase } from '../../support/split-statements.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { distributions, randomNumbers } from './distributions.ts';
import { createKeyTable, insertKeys } from './key-tables.ts';
import { mysqlTypes, otherPostgresTypes, postgresCollations, postgresTypes } from './key-types.ts';

interface Statements {
  readonly planning: readonly string[];
  /** One for each range. */
  readonly reading: readonly string[];
}

/** What a reader really sends, to cut a table and to read its ranges. */
class Listener {
  readonly #listened: ListenedDatabase;
  readonly #sources = new Map<string, SplitSource>();

  constructor(listened: ListenedDatabase) {
    this.#listened = listened;
  }

  async statementsFor(table: string, cut: CutOptions): Promise<Statements> {
    const { database, statements } = this.#listened;
    const source = this.#sources.get(table) ?? (await openSource(database, table));
    this.#sources.set(table, source);
    statements.length = 0;
    const { splits } = await source.cut(cut);
    expect(splits.length).toBeGreaterThan(3);
    const planning = statements.splice(0);
    await source.readAll(splits);
    const reading = statements.flatMap(
      (sql) => /^COPY \((.*)\) TO STDOUT$/s.exec(sql)?.[1] ?? (/^SELECT .* WHERE \(.*\)$/s.test(sql) ? sql : []),
    );
    expect(reading).toHaveLength(splits.length);
    return { planning, reading };
  }

  async close(): Promise<void> {
    for (const source of this.#sources.values()) await source.close();
    this.#listened.close();
  }
}

describe('MariaDB', () => {
  let database: Database;
  let listener: Listener;

  beforeAll(async () => {
    database = await mysqlDatabase();
    await createKeyTable(database, 'typed', mysqlTypes);
    await insertKeys(database, 'typed', mysqlTypes, distributions['rows without a key'](randomNumbers(1)));
    await database.execute('CREATE TABLE several (a int, b varchar(20), c int, id int, PRIMARY KEY (a, b, c))');
    await database.execute("INSERT INTO several SELECT 7, concat('group ', seq % 3), seq, seq FROM seq_1_to_600");
    listener = new Listener(await listenedDatabase(database));
  });

  afterAll(async () => {
    await listener.close();
    await database.end();
  });

  /** Rows that the server looks at in its indexes and tables. */
  async function rowsTouched(sql: string): Promise<number> {
    await database.execute('FLUSH STATUS');
    await database.execute(sql);
    const counts = await database.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async function plansWithout(index: string, statements: readonly string[]): Promise<string[]> {
    const bad: string[] = [];
    for (const sql of statements) {
      // id, select_type, table, type, possible_keys, key, …, Extra
      for (const [, , table, type, , key, , , , extra = ''] of await database.query(`EXPLAIN ${sql}`)) {
        const isRange = key === index && /^(range|ref|ref_or_null|const|index)$/.test(type!);
        const isNothing = type === null && /Impossible|no matching row/.test(extra!);
        const isUnion = table?.startsWith('<union') ?? false;
        if (!isRange && !isNothing && !isUnion) bad.push(`${type} ${key} ${extra}: ${sql}`);
      }
    }
    return bad;
  }

  test.each(Object.keys(mysqlTypes))('a key of type %s is found and read by its index', async (name) => {
    const { planning, reading } = await listener.statementsFor('typed', { key: `k_${name}`, method: 'index dives' });
    const seeks = planning.filter((sql) => sql.startsWith('(SELECT'));
    expect(seeks.length).toBeGreaterThan(1);
    expect(await plansWithout(`i_typed_${name}`, [...seeks, ...reading])).toEqual([]);
  });

  test('the ranges of several columns touch each row once', async () => {
    const { reading } = await listener.statementsFor('several', { key: 'a,b,c', method: 'index dives' });
    expect(await plansWithout('PRIMARY', reading)).toEqual([]);
    let touched = 0;
    for (const sql of reading) touched += await rowsTouched(sql);
    expect(touched).toBeGreaterThanOrEqual(600);
    expect(touched).toBeLessThan(600 + 12 * reading.length);
  });
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Cond'?: string;
  readonly 'TID Cond'?: string;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

describe('PostgreSQL', () => {
  let database: Database;
  let listener: Listener;

  beforeAll(async () => {
    database = await postgresDatabase();
    for (const statement of postgresCollations) await database.execute(statement);
    const types = { ...postgresTypes, ...otherPostgresTypes };
    await createKeyTable(database, 'typed', types);
    await insertKeys(database, 'typed', types, distributions['rows without a key'](randomNumbers(1)));
    await database.execute('CREATE TABLE several (a int, b text, c int, id int, PRIMARY KEY (a, b, c))');
    await database.execute("INSERT INTO several SELECT 7, concat('group ', n % 3), n, n FROM generate_series(1, 600) n");
    await database.execute('CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY HASH (id)');
    for (const rest of [0, 1, 2]) {
      await database.execute(`CREATE TABLE parted${rest} PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER ${rest})`);
    }
    await database.execute('INSERT INTO parted SELECT generate_series(1, 900)');
    // These tables are so small that the server would rather read them from end to end.
    await database.execute('SET enable_seqscan = off');
    listener = new Listener(await listenedDatabase(database));
  });

  afterAll(async () => {
    await listener.close();
    await database.end();
  });

  /** Plans that do not restrict themselves to rows of the range, by a condition on these columns. */
  async function plansWithout(
    condition: 'Index Cond' | 'TID Cond',
    columns: readonly string[],
    reading: readonly string[],
  ): Promise<string[]> {
    const bad: string[] = [];
    for (const sql of reading) {
      const [[text] = []] = await database.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`);
      const [{ Plan: plan }] = JSON.parse(text!) as [{ Plan: PlanNode }];
      const isGood = (node: PlanNode): boolean =>
        (node['Rows Removed by Filter'] ?? 0) === 0 &&
        (node.Plans === undefined ? columns.every((column) => node[condition]?.includes(column)) : node.Plans.every(isGood));
      if (!isGood(plan)) bad.push(`${text} ${sql}`);
    }
    return bad;
  }

  test.each(Object.keys({ ...postgresTypes, ...otherPostgresTypes }))('a key of type %s is read by its index', async (name) => {
    const { reading } = await listener.statementsFor('typed', { key: `k_${name}`, method: 'sample' });
    expect(await plansWithout('Index Cond', [`k_${name}`], reading)).toEqual([]);
  });

  test('the ranges of several columns are read by all of them', async () => {
    const { reading } = await listener.statementsFor('several', { key: 'a,b,c', method: 'sample' });
    expect(await plansWithout('Index Cond', ['ROW(a, b, c)'], reading)).toEqual([]);
  });

  test('the ranges of a partitioned table are read by the index of every partition', async () => {
    const { reading } = await listener.statementsFor('parted', { key: 'id', method: 'sample' });
    expect(await plansWithout('Index Cond', ['id'], reading)).toEqual([]);
  });

  test('blocks are read as such', async () => {
    const { reading } = await listener.statementsFor('typed', { method: 'blocks' });
    expect(await plansWithout('TID Cond', ['ctid'], reading)).toEqual([]);
  });
});
