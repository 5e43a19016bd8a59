import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { rangeCondition } from '../../plugins/_sql/key-range.ts';
import { keyDialect } from '../../plugins/mysql/key-columns.ts';
import { startMariadb } from '../../test/support/mariadb-server.ts';
import type { Distribution, SqlForms } from './distributions.ts';
import { cacheBytes, insertsOf, keyColumn, payload, type SplitDatabase } from './split-database.ts';

/** Pages of a table while it is filled: with keys that come at random, each row would else read a page and write another. */
const loadingBytesPerRow = 300;

const forms: SqlForms = {
  hash32: (x) => `CAST(CONV(LEFT(MD5(${x}), 8), 16, 10) AS UNSIGNED)`,
  uuid: (x) => [9, 13, 17, 21].reduceRight((text, at) => `INSERT(${text}, ${at}, 0, '-')`, `MD5(${x})`),
  quotient: (x, y) => `(${x} DIV ${y})`,
  floor: (x) => `CAST(FLOOR(${x}) AS UNSIGNED)`,
  double: (x) => `CAST(${x} AS DOUBLE)`,
};

const columnTypes: Record<Distribution['kind'], string> = { integer: 'BIGINT', 'uuid text': 'CHAR(36)' };

export async function startSplitMysql(rows: number): Promise<SplitDatabase> {
  const loadingBytes = Math.max(cacheBytes, Math.ceil((rows * loadingBytesPerRow) / cacheBytes) * cacheBytes);
  const server = await startMariadb({
    settings: [`--innodb-buffer-pool-size=${loadingBytes}`, '--innodb-log-file-size=1G', '--innodb-flush-log-at-trx-commit=0'],
  });
  await server.createDatabase('source');
  const connection = await mysql.createConnection({ uri: server.urlFor('source'), charset: 'utf8mb4' });
  connection.on('error', () => undefined);
  const run = (sql: string) => connection.query(sql);
  const firstRow = async (sql: string): Promise<Record<string, unknown>> => {
    const [found] = await connection.query<mysql.RowDataPacket[]>(sql);
    return found[0] ?? {};
  };
  const giveCache = async (bytes: number): Promise<void> => {
    await run(`SET GLOBAL innodb_buffer_pool_size = ${bytes}`);
    while (Number((await firstRow('SELECT @@innodb_buffer_pool_size AS bytes')).bytes) !== bytes) await delay(100);
  };
  const ddl = (table: string, kind: Distribution['kind']) =>
    `CREATE TABLE ${table} (${keyColumn} ${columnTypes[kind]} NOT NULL PRIMARY KEY, payload VARCHAR(100) NOT NULL)
     ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`;
  return {
    kind: 'mysql',
    port: server.port,
    user: server.user,
    password: server.password,
    version: `MariaDB ${String((await firstRow('SELECT version() AS version')).version).replace(/-.*/, '')}`,
    async createTable(table, distribution, count, onProgress) {
      await giveCache(loadingBytes);
      await run(ddl(table, distribution.kind));
      const order = distribution.arrival === 'sorted' ? ' ORDER BY 1' : '';
      for (const { from, to } of insertsOf(distribution, count)) {
        await run(
          `INSERT INTO ${table} SELECT ${distribution.key(forms, count)}, ${payload(distribution)} FROM seq_${from}_to_${to}${order}`,
        );
        onProgress(to);
      }
      await run(`ANALYZE TABLE ${table}`);
      // Writes its pages, so that the server has nothing left to do while it is asked for a plan.
      await run(`FLUSH TABLES ${table} FOR EXPORT`);
      await run('UNLOCK TABLES');
      await giveCache(cacheBytes);
    },
    async createSmallTables(tables, count) {
      for (const table of tables) {
        await run(ddl(table, 'integer'));
        await run(`INSERT INTO ${table} SELECT seq, ${payload({ kind: 'integer' })} FROM seq_1_to_${count}`);
      }
    },
    async count(table, kind, range) {
      const dialect = keyDialect({ forms: [kind === 'integer' ? 'number' : 'text'] });
      const condition = range === null ? undefined : rangeCondition(range, dialect);
      const { n } = await firstRow(`SELECT COUNT(*) AS n FROM ${table} FORCE INDEX (PRIMARY) WHERE ${condition ?? 'TRUE'}`);
      return Number(n);
    },
    async bounds(table) {
      const { min, max } = await firstRow(
        `SELECT CAST(MIN(${keyColumn}) AS CHAR) AS min, CAST(MAX(${keyColumn}) AS CHAR) AS max FROM ${table}`,
      );
      return { min: String(min), max: String(max) };
    },
    refusesPoint: () => undefined,
    async dropTable(table) {
      await run(`DROP TABLE IF EXISTS ${table}`);
    },
    async stop() {
      // The server first: a connection that is destroyed leaves its statement pending for ever.
      await server.stop();
      connection.destroy();
    },
  };
}
