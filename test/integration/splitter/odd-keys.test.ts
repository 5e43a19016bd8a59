import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CutOptions, lostOrTwice, openQuery, openSource } from '../../support/split-source.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { idsOf } from './key-tables.ts';

interface Shape {
  /** What is done before; the table is called `t`. `SOURCE` has a row `n` from 0 to 599. */
  readonly sql: readonly string[];
  readonly cut: CutOptions;
  /** Of the reader. */
  readonly options?: { readonly splitPk?: string; readonly where?: string };
  readonly query?: string;
}

const methods = { postgres: 'sample', mysql: 'index dives' } as const;

/** The same on both servers. */
function commonShapes(kind: Database['kind']): Record<string, Shape> {
  const method = methods[kind];
  const [text, stamp] = kind === 'postgres' ? ['text', 'timestamp'] : ['varchar(40)', 'datetime'];
  const quoted = (name: string) => (kind === 'postgres' ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll('`', '``')}\``);
  const odd = quoted('select "odd` na\'me');
  return {
    'several columns, of which the first is constant': {
      sql: ['CREATE TABLE t (tenant int, id int, PRIMARY KEY (tenant, id))', 'INSERT INTO t SELECT 7, n FROM SOURCE'],
      cut: { key: 'tenant,id', method },
    },
    'several columns, of which the first is the same in most rows': {
      sql: [
        `CREATE TABLE t (who ${text} NOT NULL, at ${stamp} NOT NULL, id int, PRIMARY KEY (who, at, id))`,
        "INSERT INTO t SELECT CASE WHEN n % 10 = 0 THEN concat('user ', n % 7) ELSE 'É' END, CASE WHEN n < 400 THEN '2020-01-01' ELSE '9999-12-31' END, n FROM SOURCE".replace(
          /('\d{4}-\d\d-\d\d')/g,
          kind === 'postgres' ? 'timestamp $1' : '$1',
        ),
      ],
      cut: { key: 'who,at,id', method },
    },
    'several columns, of which the first tells the rows apart': {
      sql: ['CREATE TABLE t (id int, kind int, PRIMARY KEY (id, kind))', 'INSERT INTO t SELECT n * n, n % 3 FROM SOURCE'],
      cut: { key: 'id,kind', method },
    },
    'columns that the job names': {
      sql: [
        `CREATE TABLE t (id int, a int NOT NULL, b int NOT NULL)`,
        'CREATE INDEX i ON t (a, b)',
        'INSERT INTO t SELECT n, n % 3, n FROM SOURCE',
      ],
      options: { splitPk: ' a , B' },
      cut: { key: 'a,b', method },
    },
    'a column that has no index': {
      sql: ['CREATE TABLE t (id int, a int)', 'INSERT INTO t SELECT n, CASE WHEN n % 5 > 0 THEN n % 100 END FROM SOURCE'],
      options: { splitPk: 'a' },
      cut: { key: 'a', method: kind === 'postgres' ? 'sample' : 'scan' },
    },
    'a column with a name that no one should give': {
      sql: [`CREATE TABLE t (id int, ${odd} int PRIMARY KEY)`, 'INSERT INTO t SELECT n, 3 * n FROM SOURCE'],
      cut: { method, key: 'select "odd` na\'me' },
    },
    'columns with short names': {
      sql: ['CREATE TABLE t (id int, n int, r int, v int, PRIMARY KEY (n, r, v))', 'INSERT INTO t SELECT n, n % 2, n, n FROM SOURCE'],
      cut: { key: 'n,r,v', method },
    },
    'an index that runs downwards': {
      sql: ['CREATE TABLE t (id int, a int)', 'CREATE INDEX i ON t (a DESC)', 'INSERT INTO t SELECT n, nullif(n, 5) FROM SOURCE'],
      cut: { key: 'a', method },
    },
    'a condition of the user': {
      sql: ['CREATE TABLE t (id int PRIMARY KEY, v int)', 'INSERT INTO t SELECT n, n % 7 FROM SOURCE'],
      options: { where: 'v = 3 OR v = 5' },
      cut: { key: 'id', method },
    },
    'a column of a view': {
      sql: [
        'CREATE TABLE stored (id int PRIMARY KEY)',
        'INSERT INTO stored SELECT n FROM SOURCE',
        'CREATE VIEW t AS SELECT id, id % 50 AS k FROM stored',
      ],
      options: { splitPk: 'k' },
      cut: { key: 'k', method: 'scan' },
    },
    'a column of a query': {
      sql: ['CREATE TABLE t (id int PRIMARY KEY, name varchar(20))', "INSERT INTO t SELECT n, concat('n', n % 90) FROM SOURCE"],
      query: 'SELECT id, name AS who FROM t WHERE id >= 0;',
      options: { splitPk: 'who' },
      cut: { method: 'scan' },
    },
  };
}

const mysqlShapes: Record<string, Shape> = {
  'the partitions of a table': {
    sql: ['CREATE TABLE t (id bigint PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 7', 'INSERT INTO t SELECT n * 1000 FROM SOURCE'],
    cut: { key: 'id', method: 'index dives' },
  },
  'a table of an engine without transactions': {
    sql: ['CREATE TABLE t (id int PRIMARY KEY, v int, KEY (v)) ENGINE=MyISAM', 'INSERT INTO t SELECT n, n % 60 FROM SOURCE'],
    cut: { key: 'v', method: 'index dives' },
  },
  'dates that do not exist': {
    sql: [
      'CREATE TABLE t (id int, a datetime, KEY (a))',
      "INSERT INTO t SELECT n, DATE_ADD('1000-01-01', INTERVAL n DAY) FROM SOURCE",
      "SET sql_mode = ''",
      "INSERT INTO t VALUES (-1, 0), (-2, '2020-00-00'), (-3, '2020-02-00'), (-4, '9999-12-31 23:59:59')",
    ],
    cut: { key: 'a', method: 'index dives' },
  },
  'an index on the beginning of a text': {
    sql: ['CREATE TABLE t (id int, a varchar(20), KEY (a(3)))', "INSERT INTO t SELECT n, concat('same ', n) FROM SOURCE"],
    options: { splitPk: 'a' },
    cut: { key: 'a', method: 'scan' },
  },
};

const special = (type: string, values: readonly string[]): Shape => ({
  sql: [
    `CREATE TABLE t (id int, a ${type})`,
    'CREATE INDEX i ON t (a)',
    `INSERT INTO t SELECT n, CASE WHEN n < 100 THEN (ARRAY[${values.join(', ')}]::${type}[])[1 + n % ${values.length}] ELSE n::text::${type} END FROM SOURCE`,
  ],
  cut: { key: 'a', method: 'sample' },
});

const postgresShapes: Record<string, Shape> = {
  'the partitions of a table': {
    sql: [
      'CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)',
      'CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100)',
      'CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (1000) PARTITION BY HASH (id)',
      ...[0, 1].map((rest) => `CREATE TABLE high${rest} PARTITION OF high FOR VALUES WITH (MODULUS 2, REMAINDER ${rest})`),
      'INSERT INTO t SELECT n FROM SOURCE',
      'ANALYZE t',
    ],
    cut: { key: 'id', method: 'histogram' },
  },
  'a table that others inherit from': {
    sql: [
      'CREATE TABLE t (id int PRIMARY KEY)',
      'CREATE TABLE child () INHERITS (t)',
      'INSERT INTO t SELECT n FROM SOURCE',
      'INSERT INTO child SELECT n + 600 FROM SOURCE',
    ],
    cut: { key: 'id', method: 'sample' },
  },
  'blocks of a table with gaps and moved rows': {
    sql: [
      'CREATE TABLE t (id int, v text)',
      "INSERT INTO t SELECT n, repeat('x', 300) FROM SOURCE",
      'DELETE FROM t WHERE id BETWEEN 100 AND 250',
      "UPDATE t SET v = repeat('y', 301) WHERE id % 3 = 0",
    ],
    cut: { method: 'blocks' },
  },
  'blocks under a condition of the user': {
    sql: ['CREATE TABLE t (id int, v text)', "INSERT INTO t SELECT n, repeat('x', 300) FROM SOURCE"],
    options: { where: 'id % 2 = 0 OR id < 10' },
    cut: { method: 'blocks' },
  },
  'a materialized view': {
    sql: ["CREATE MATERIALIZED VIEW t AS SELECT n AS id, repeat('x', 300) AS v FROM SOURCE"],
    cut: { method: 'blocks' },
  },
  'an enum': {
    sql: [
      `CREATE TYPE "my Enum" AS ENUM ('z', 'it''s', 'A', '\\', 'm')`,
      'CREATE TABLE t (id int, a "my Enum")',
      'CREATE INDEX i ON t (a)',
      `INSERT INTO t SELECT n, (enum_range(NULL::"my Enum"))[1 + n % 5] FROM SOURCE`,
      'ANALYZE t',
    ],
    cut: { key: 'a', method: 'sample' },
  },
  'a domain': {
    sql: [
      `CREATE DOMAIN code AS varchar(20) COLLATE "en-x-icu" CHECK (value <> '')`,
      'CREATE TABLE t (id int, a code)',
      'CREATE INDEX i ON t (a)',
      `INSERT INTO t SELECT n, CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' ELSE 'c' END || n FROM SOURCE`,
      'ANALYZE t',
    ],
    cut: { key: 'a', method: 'histogram' },
  },
  'an index that has another order than its column': {
    sql: [
      'CREATE TABLE t (id int, a text)',
      `CREATE INDEX i ON t (a COLLATE "en-x-icu")`,
      'INSERT INTO t SELECT n, chr(65 + n % 57) || n FROM SOURCE',
    ],
    options: { splitPk: 'a' },
    cut: { key: 'a', method: 'sample' },
  },
  'numbers that are none': special('numeric', ["'NaN'", "'Infinity'", "'-Infinity'", '-5']),
  'floating numbers that are none': special('float8', ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", '5e-324', '0.1']),
  'dates without end': {
    ...special('date', ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'"]),
    sql: special('date', ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'"]).sql.map((sql) =>
      sql.replace('n::text::date', "date '2000-01-01' + n"),
    ),
  },
};

describe.each([
  ['MariaDB', mysqlDatabase, { ...commonShapes('mysql'), ...mysqlShapes }, '(SELECT seq AS n FROM seq_0_to_599) AS source'],
  ['PostgreSQL', postgresDatabase, { ...commonShapes('postgres'), ...postgresShapes }, 'generate_series(0, 599) AS source(n)'],
] as const)('%s reads every row once, cut by', (_, open, shapes, series) => {
  let database: Database;

  beforeAll(async () => {
    database = await open();
  });

  afterAll(() => database.end());

  test.each(Object.entries(shapes))('%s', async (_name, { sql, cut, options, query }) => {
    await reset(database);
    for (const statement of sql) await database.execute(statement.replaceAll('SOURCE', series));
    const source = query === undefined ? await openSource(database, 't', options) : await openQuery(database, query, options);
    try {
      const { splits, parts } = await source.cut(cut);
      const [part] = parts;
      expect(part).toMatchObject({ method: cut.method, ...(cut.key === undefined ? {} : { key: cut.key.replaceAll(',', ', ') }) });
      expect(part!.splits).toBeGreaterThan(2);
      const ids = await idsOf(database, `t${options?.where === undefined ? '' : ` WHERE ${options.where}`}`);
      expect(ids.length).toBeGreaterThan(100);
      expect(lostOrTwice(ids, await source.readAll(splits))).toBeUndefined();
    } finally {
      await source.close();
    }
  });
});

/** Takes away what the test before has made. */
async function reset({ kind, execute, query }: Database): Promise<void> {
  if (kind === 'postgres') return execute('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const tables = await query('SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()');
  for (const [name, type] of tables) await execute(`DROP ${type === 'VIEW' ? 'VIEW' : 'TABLE'} ${name}`);
}
