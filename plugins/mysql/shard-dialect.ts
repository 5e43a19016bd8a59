import type { Connections } from '../_sql/connections.ts';
import type { Servers } from '../_sql/servers.ts';
import type { ListedTable, ShardDialect } from '../_sql/shards.ts';
import { columnsOfTables, lookForTables, type Table } from './catalog.ts';
import { quoteName, type Session, splitTableName } from './connection.ts';
import { serverFault } from './faults.ts';

/** Database that everybody may enter. */
export const entrance = 'information_schema';

/** All databases of a server are read in one session: the name of a table says in which one it is. */
export function mysqlShards(sessions: Connections<Session>, servers: Servers): ShardDialect<Table> {
  const lists = new Map<number, Promise<string[][]>>();

  async function asked<R>(doing: string, ask: () => Promise<R>): Promise<R> {
    try {
      return await ask();
    } catch (error) {
      throw serverFault(error, doing);
    }
  }

  /** All tables of a server, without views, which would show rows twice; asked for once. */
  function listed(connection: number): Promise<string[][]> {
    const known =
      lists.get(connection) ??
      asked('list the tables', async () => {
        const session = await sessions.get(String(connection));
        return session.query(
          "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        );
      });
    lists.set(connection, known);
    return known;
  }

  return {
    serverOf: (connection) => servers.nameOf(connection),
    databaseOf: (connection) => servers.databaseOf(connection),

    listDatabases: (connection) =>
      asked('list the databases', async () => {
        const session = await sessions.get(String(connection));
        const rows = await session.query('SELECT SCHEMA_NAME FROM information_schema.SCHEMATA');
        return rows.map(([name]) => name!);
      }),

    async listTables(connection, database) {
      const own = database ?? (await sessions.get(String(connection))).database;
      return (await listed(connection)).map(([schema, table]) => ({ schema: schema!, table: table!, isDefault: schema === own }));
    },

    partOf(connection, database, table) {
      if (typeof table === 'string') {
        if (database === undefined) return { connection, table };
        const found = splitTableName(table, database);
        return qualified(connection, { schema: found.database, table: found.table });
      }
      return qualified(connection, table);
    },

    findTables: (session, names) => asked('look for the tables', async () => lookForTables(await sessions.get(session), names)),

    columnsOf: (session, tables) =>
      asked('look at the columns of the source', async () => columnsOfTables(await sessions.get(session), tables)),

    identityOf: ({ sql }) => sql,
  };
}

function qualified(connection: number, { schema, table }: Pick<ListedTable, 'schema' | 'table'>) {
  return { connection, table: `${quoteName(schema)}.${quoteName(table)}`, name: `${schema}.${table}` };
}
