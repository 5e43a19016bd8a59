import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutOptions, lostOrTwice, openSource, type SplitSource } from '../../support/split-source.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { idsOf } from './key-tables.ts';

interface Server {
  readonly name: string;
  readonly open: () => Promise<Database>;
  /** Rows `n` from `low` up to `high`. */
  readonly series: (low: number, high: number) => string;
  readonly methods: readonly (CutOptions['method'] & string)[];
}

const servers: Server[] = [
  {
    name: 'MariaDB',
    open: mysqlDatabase,
    series: (low, high) => `(SELECT seq AS n FROM seq_${low}_to_${high}) AS source`,
    methods: ['index dives', 'keyset walk', 'scan'],
  },
  {
    name: 'PostgreSQL',
    open: postgresDatabase,
    series: (low, high) => `generate_series(${low}, ${high}) AS source(n)`,
    methods: ['sample', 'histogram', 'blocks', 'scan'],
  },
];

/** IDs that are in the answer more than once. */
function twice(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

describe.each(servers)('$name', ({ open, series, methods }) => {
  let database: Database;

  beforeAll(async () => {
    database = await open();
  });

  afterAll(() => database.end());

  /** Rows whose key is ten times their number, made from scratch. */
  async function makeTable(...more: string[]): Promise<void> {
    for (const sql of [
      'DROP TABLE IF EXISTS t',
      'CREATE TABLE t (id bigint PRIMARY KEY, v varchar(400))',
      `INSERT INTO t SELECT n * 10, repeat('x', 200) FROM ${series(100, 999)}`,
      ...(database.kind === 'postgres' ? ['ALTER TABLE t SET (autovacuum_enabled = off)'] : []),
      ...more,
    ]) {
      await database.execute(sql);
    }
  }

  async function withSource<T>(use: (source: SplitSource) => Promise<T>): Promise<T> {
    const source = await openSource(database, 't');
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  }

  const analyzeTable = () => (database.kind === 'postgres' ? 'ANALYZE t' : 'ANALYZE TABLE t');

  test.each(methods)(
    'rows that come while a table cut by %s is read are read once or not at all, those that were there once',
    async (method) => {
      await makeTable(...(method === 'histogram' || database.kind === 'mysql' ? [analyzeTable()] : []));
      await withSource(async (source) => {
        const before = await idsOf(database, 't');
        const { splits, parts } = await source.cut({ method, pieces: 6, ...(method === 'blocks' ? {} : { key: 'id' }) });
        expect(parts[0]).toMatchObject({ method });
        expect(parts[0]!.splits).toBeGreaterThan(3);
        const read: string[] = [];
        const behind: string[] = [];
        for (const [index, split] of splits.entries()) {
          const [below, above] = [index + 1, 20_000 + index];
          const between = before.filter((_, row) => row % 150 === index).map((id) => Number(id) + 1 + index);
          behind.push(String(above));
          await database.execute(`INSERT INTO t VALUES ${[below, above, ...between].map((id) => `(${id}, 'new')`).join(', ')}`);
          await database.execute(`UPDATE t SET v = concat(v, 'longer') WHERE id % 7 = ${index % 7}`);
          read.push(...(await source.read(split)));
        }
        expect(
          lostOrTwice(
            before,
            read.filter((id) => before.includes(id)),
          ),
        ).toBeUndefined();
        expect(twice(read)).toEqual([]);
        // What has come behind the largest key is read at the end; blocks are read as they were when the plan was made.
        if (method === 'blocks') expect(read.filter((id) => behind.includes(id))).toEqual([]);
        else if (method !== 'scan') expect(read.filter((id) => behind.includes(id)).sort()).toEqual(behind.toSorted());
      });
    },
  );

  test('rows that come where the statistics remember rows that are gone are read once', async () => {
    await makeTable(analyzeTable(), 'DELETE FROM t WHERE id >= 6000');
    await withSource(async (source) => {
      const { splits } = await source.cut({ key: 'id', pieces: 8 });
      expect(splits.length).toBeGreaterThan(3);
      await database.execute(`INSERT INTO t SELECT n * 10 + 1, 'new' FROM ${series(500, 1100)}`);
      expect(lostOrTwice(await idsOf(database, 't'), await source.readAll(splits))).toBeUndefined();
    });
  });
});
