import pg from 'pg';
import { type KeyDialect, rangeCondition } from '../../plugins/_sql/key-range.ts';
import { keyDialect } from '../../plugins/postgres/key-source.ts';
import { startPostgres } from '../../test/support/postgres-server.ts';
import type { Distribution, SqlForms } from './distributions.ts';
import { cacheBytes, insertsOf, keyColumn, payload, type SplitDatabase } from './split-database.ts';

const settings = {
  shared_buffers: `${cacheBytes >> 20}MB`,
  maintenance_work_mem: '512MB',
  work_mem: '256MB',
  // Tables are vacuumed and analyzed once, at a known time.
  autovacuum: 'off',
  max_wal_size: '4GB',
};

const forms: SqlForms = {
  hash32: (x) => `('x' || left(md5((${x})::text), 8))::bit(32)::bigint`,
  uuid: (x) => `md5((${x})::text)::uuid::text`,
  quotient: (x, y) => `(${x} / ${y})`,
  floor: (x) => `floor(${x})::bigint`,
  double: (x) => `CAST(${x} AS double precision)`,
};

const columnTypes: Record<Distribution['kind'], string> = { integer: 'bigint', 'uuid text': 'text' };

export async function startSplitPostgres(): Promise<SplitDatabase> {
  const server = await startPostgres({ settings });
  await server.createDatabase('source');
  const client = new pg.Client({ connectionString: server.urlFor('source') });
  client.on('error', () => undefined);
  await client.connect();
  const run = (sql: string) => client.query(sql);
  const firstRow = async <T extends object>(sql: string): Promise<T> => (await client.query<T>(sql)).rows[0]!;
  const ddl = (table: string, kind: Distribution['kind']) =>
    `CREATE UNLOGGED TABLE ${table} (${keyColumn} ${columnTypes[kind]} NOT NULL, payload text NOT NULL)`;
  return {
    kind: 'postgres',
    port: server.port,
    user: server.user,
    password: server.password,
    version: `PostgreSQL ${(await firstRow<{ server_version: string }>('SHOW server_version')).server_version}`,
    async createTable(table, distribution, count, onProgress) {
      await run(ddl(table, distribution.kind));
      const order = distribution.arrival === 'sorted' ? ' ORDER BY 1' : '';
      for (const { from, to } of insertsOf(distribution, count)) {
        await run(
          `INSERT INTO ${table} SELECT ${distribution.key(forms, count)}, ${payload(distribution)}
           FROM generate_series(${from}::bigint, ${to}::bigint) AS numbers(seq)${order}`,
        );
        onProgress(to);
      }
      await run(`ALTER TABLE ${table} ADD PRIMARY KEY (${keyColumn})`);
      // A session tells of its changes only once a second: told after ANALYZE, they look as if they came after it.
      await run('SELECT pg_stat_force_next_flush()');
      await run(`VACUUM (ANALYZE) ${table}`);
      await run('CHECKPOINT');
    },
    async createSmallTables(tables, count) {
      for (const table of tables) {
        await run(ddl(table, 'integer'));
        await run(
          `INSERT INTO ${table} SELECT seq, ${payload({ kind: 'integer' })} FROM generate_series(1, ${count}) AS numbers(seq);
           ALTER TABLE ${table} ADD PRIMARY KEY (${keyColumn})`,
        );
      }
      await run('ANALYZE');
    },
    async count(table, kind, range) {
      const condition = range === null ? undefined : rangeCondition(range, dialectOf(kind, range.columns));
      return Number((await firstRow<{ n: string }>(`SELECT count(*) AS n FROM ${table} WHERE ${condition ?? 'true'}`)).n);
    },
    bounds: (table) => firstRow(`SELECT min(${keyColumn})::text AS min, max(${keyColumn})::text AS max FROM ${table}`),
    refusesPoint(point) {
      if (point.includes('\0')) return 'a NUL, which no text of PostgreSQL can have';
      return point.includes("'") ? 'an apostrophe, which DataX does not double for PostgreSQL' : undefined;
    },
    async dropTable(table) {
      await run(`DROP TABLE IF EXISTS ${table}`);
    },
    async stop() {
      // The server first: a client ends politely only after its query.
      await server.stop();
      await client.end();
    },
  };
}

function dialectOf(kind: Distribution['kind'], columns: readonly string[]): KeyDialect {
  const dialect = keyDialect({ casts: [columns[0] === 'ctid' ? 'tid' : columnTypes[kind]] });
  // No key of ours has a character before '-', so that what stands behind a NUL decides nothing.
  return { ...dialect, literal: (value, index) => dialect.literal(value.replace(/\0.*$/s, ''), index) };
}
