import mysql from 'mysql2/promise';
import { startMariadb } from '../test/support/mariadb-server.ts';
import type { BenchDatabase } from './bench-database.ts';
import { mysqlDdl } from './fixtures/ddl.ts';
import { copySteps, loadIntoMysql } from './fixtures/load.ts';
import { orders } from './fixtures/orders.ts';

/** QUOTE tells NULL from 'NULL', and cells from their neighbours. */
const cells = `CONCAT_WS(',', ${orders.columns.map(({ name }) => `QUOTE(${name})`).join(', ')})`;
/** 60 bits: CONV gives no more than 64, and a sum of decimals does not overflow. */
const rowHash = `CAST(CONV(LEFT(MD5(${cells}), 15), 16, 10) AS DECIMAL(20))`;

export async function startBenchMysql(): Promise<BenchDatabase> {
  // With settings, if only none, it is a private server even where the tests borrow one.
  const server = await startMariadb({ settings: [] });
  for (const name of ['source', 'target']) await server.createDatabase(name);
  const withConnection = async <T>(database: string, work: (connection: mysql.Connection) => Promise<T>): Promise<T> => {
    const connection = await mysql.createConnection({ uri: server.urlFor(database), charset: 'utf8mb4' });
    connection.on('error', () => undefined);
    try {
      await connection.query("SET time_zone = '+00:00'");
      return await work(connection);
    } finally {
      await connection.end();
    }
  };
  const firstRow = async (connection: mysql.Connection, sql: string): Promise<Record<string, unknown>> => {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
    return rows[0] ?? {};
  };
  await withConnection('target', (connection) => connection.query(mysqlDdl(orders, 'orders')));
  return {
    kind: 'mysql',
    port: server.port,
    user: server.user,
    password: server.password,
    version: await withConnection('target', async (connection) => {
      const { version } = await firstRow(connection, 'SELECT version() AS version');
      return `MariaDB ${String(version).replace(/-.*/, '')}`;
    }),
    async load(table, rows, onProgress) {
      await withConnection('source', (connection) => connection.query(mysqlDdl(orders, table)));
      await loadIntoMysql(server.urlFor('source'), table, orders, copySteps(orders, rows, onProgress));
    },
    async writeReadyFile(table, path) {
      // What `mysqldump --tab` does: bytes as they are stored, so that LOAD DATA has nothing to convert.
      await withConnection('source', (connection) =>
        connection.query(`SELECT * FROM ${table} ORDER BY id INTO OUTFILE ${mysql.escape(path)}`),
      );
    },
    async emptyTarget() {
      await withConnection('target', (connection) => connection.query('TRUNCATE orders'));
    },
    digest: (database, table) =>
      withConnection(database, async (connection) => {
        const { n, hash } = await firstRow(
          connection,
          `SELECT COUNT(*) AS n, CAST(COALESCE(SUM(${rowHash}), 0) AS CHAR) AS hash FROM ${table}`,
        );
        return { rows: Number(n), hash: String(hash) };
      }),
    stop: () => server.stop(),
  };
}
