import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { BenchDatabase, Digest } from './bench-database.ts';
import { postgresDdl } from './fixtures/ddl.ts';
import { copySteps, loadIntoPostgres } from './fixtures/load.ts';
import { orders } from './fixtures/orders.ts';

export async function startBenchPostgres(): Promise<BenchDatabase> {
  const server = await startPostgres();
  for (const name of ['source', 'target']) await server.createDatabase(name);
  const withClient = async <T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: server.urlFor(database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  await withClient('target', (client) => client.query(postgresDdl(orders, 'orders')));
  return {
    kind: 'postgres',
    port: server.port,
    user: server.user,
    password: server.password,
    version: await withClient('target', async (client) => {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return `PostgreSQL ${rows[0]?.server_version}`;
    }),
    async load(table, rows, onProgress) {
      await withClient('source', (client) => client.query(postgresDdl(orders, table)));
      await loadIntoPostgres(server.urlFor('source'), table, copySteps(orders, rows, onProgress));
    },
    writeReadyFile: (table, path) =>
      withClient('source', (client) => pipeline(client.query(copyTo(`COPY ${table} TO STDOUT`)), createWriteStream(path))),
    emptyTarget: () =>
      withClient('target', async (client) => {
        await client.query('TRUNCATE orders');
        await client.query('CHECKPOINT');
      }),
    digest: (database, table) =>
      withClient(database, async (client) => {
        await client.query("SET TimeZone = 'UTC'");
        const { rows } = await client.query<Digest>(
          `SELECT count(*)::int AS rows, coalesce(sum(hashtextextended(o::text, 0)), 0)::text AS hash FROM ${table} AS o`,
        );
        return rows[0]!;
      }),
    stop: () => server.stop(),
  };
}
