import { createReadStream } from 'node:fs';
import pg from 'pg';
import { postgresDdl } from '../plugins/fixture/ddl.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { BenchDatabase, Digest } from './bench-database.ts';
import { loadIntoPostgres } from './fixtures/load.ts';
import { tableOf } from './freight.ts';

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
  return {
    kind: 'postgres',
    port: server.port,
    user: server.user,
    password: server.password,
    version: await withClient('target', async (client) => {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return `PostgreSQL ${rows[0]?.server_version}`;
    }),
    async load(freight, file, signal) {
      const ddl = postgresDdl(freight.fixture, tableOf(freight));
      for (const name of ['source', 'target']) await withClient(name, (client) => client.query(ddl));
      await loadIntoPostgres(server.urlFor('source'), tableOf(freight), createReadStream(file, { highWaterMark: 1 << 20, signal }));
    },
    // What the table was loaded from is what COPY would print.
    readyFile: async (_freight, copyFile) => copyFile,
    emptyTarget: (table) =>
      withClient('target', async (client) => {
        await client.query(`TRUNCATE ${table}`);
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
    execute: (database, statements) => withClient(database, async (client) => void (await client.query(statements.join(';\n')))),
    stop: () => server.stop(),
  };
}
