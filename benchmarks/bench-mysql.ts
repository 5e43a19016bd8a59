import { createReadStream } from 'node:fs';
import mysql from 'mysql2/promise';
import { mysqlDdl } from '../plugins/fixture/ddl.ts';
import type { Fixture } from '../plugins/fixture/fixture.ts';
import { startMariadb } from '../test/support/mariadb-server.ts';
import type { BenchDatabase } from './bench-database.ts';
import { loadIntoMysql } from './fixtures/load.ts';
import { tableOf } from './freight.ts';

/** 60 bits of a row: CONV gives no more than 64, and a sum of decimals does not overflow. QUOTE tells NULL from 'NULL', and cells from their neighbours. */
function rowHash({ columns }: Fixture): string {
  const cells = `CONCAT_WS(',', ${columns.map(({ name }) => `QUOTE(${name})`).join(', ')})`;
  return `CAST(CONV(LEFT(MD5(${cells}), 15), 16, 10) AS DECIMAL(20))`;
}

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
  return {
    kind: 'mysql',
    port: server.port,
    user: server.user,
    password: server.password,
    version: await withConnection('target', async (connection) => {
      const { version } = await firstRow(connection, 'SELECT version() AS version');
      return `MariaDB ${String(version).replace(/-.*/, '')}`;
    }),
    async load(freight, file, signal) {
      const ddl = mysqlDdl(freight.fixture, tableOf(freight));
      for (const name of ['source', 'target']) await withConnection(name, (connection) => connection.query(ddl));
      const rows = createReadStream(file, { highWaterMark: 1 << 20, signal });
      await loadIntoMysql(server.urlFor('source'), tableOf(freight), freight.fixture, rows);
    },
    async readyFile(freight, _copyFile, path) {
      // What `mysqldump --tab` does: bytes as they are stored, so that LOAD DATA has nothing to convert.
      await withConnection('source', (connection) =>
        connection.query(`SELECT * FROM ${tableOf(freight)} ORDER BY id INTO OUTFILE ${mysql.escape(path)}`),
      );
      return path;
    },
    async emptyTarget(table) {
      await withConnection('target', (connection) => connection.query(`TRUNCATE ${table}`));
    },
    digest: (database, table, { fixture }) =>
      withConnection(database, async (connection) => {
        const { n, hash } = await firstRow(
          connection,
          `SELECT COUNT(*) AS n, CAST(COALESCE(SUM(${rowHash(fixture)}), 0) AS CHAR) AS hash FROM ${table}`,
        );
        return { rows: Number(n), hash: String(hash) };
      }),
    execute: (database, statements) =>
      withConnection(database, async (connection) => {
        for (const statement of statements) await connection.query(statement);
      }),
    stop: () => server.stop(),
  };
}
