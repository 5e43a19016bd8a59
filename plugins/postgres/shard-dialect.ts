import type { Connections } from '../_sql/connections.ts';
import type { Part } from '../_sql/parts.ts';
import { sessionOf } from '../_sql/parts.ts';
import type { Servers } from '../_sql/servers.ts';
import type { ListedTable, ShardDialect } from '../_sql/shards.ts';
import { columnsOfTables, lookForTables, type Table } from './catalog.ts';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';

/** Database that a server is asked in which ones it has. */
export const entrance = 'postgres';
/** Sessions that a reader keeps open for later: each database takes one of its own. */
export const mostOpen = 8;

/** Tables that hold rows, with those they are partitions (or heirs) of: reading these reads them, too. */
const tablesSql = `WITH RECURSIVE up AS (
    SELECT inhrelid AS id, inhparent AS above FROM pg_inherits
    UNION SELECT up.id, i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.above
  ), above AS (
    SELECT up.id, array_agg(concat(n.nspname, '.', c.relname)) AS names
    FROM up JOIN pg_class c ON c.oid = up.above JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY up.id
  )
  SELECT n.nspname AS schema, c.relname AS table, pg_table_is_visible(c.oid) AS "isDefault", coalesce(a.names, '{}') AS within
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN above a ON a.id = c.oid
  WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** Each database is read in sessions of its own; schemas of one are not. */
export function postgresShards(clients: Connections<Client>, servers: Servers): ShardDialect<Table> {
  const lists = new Map<string, Promise<ListedTable[]>>();

  async function asked<R extends object>(session: string, doing: string, sql: string): Promise<R[]> {
    const client = await clients.get(session);
    try {
      return (await client.query<R>(sql)).rows;
    } catch (error) {
      throw serverFault(error, doing);
    }
  }

  return {
    serverOf: (connection) => servers.nameOf(connection),
    databaseOf: (connection) => servers.databaseOf(connection),

    async listDatabases(connection) {
      const sql = 'SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate';
      const rows = await asked<{ name: string }>(sessionOf({ connection }), 'list the databases', sql);
      return rows.map(({ name }) => name);
    },

    listTables(connection, database) {
      const session = sessionOf(placed(connection, database));
      const known = lists.get(session) ?? asked<ListedTable>(session, 'list the tables', tablesSql);
      lists.set(session, known);
      return known;
    },

    partOf(connection, database, table) {
      const place = placed(connection, database);
      const before = database === undefined ? '' : `${database}.`;
      if (typeof table === 'string') return { ...place, table, ...(database === undefined ? {} : { name: `${before}${table}` }) };
      const name = `${before}${table.isDefault ? '' : `${table.schema}.`}${table.table}`;
      return { ...place, table: `${quoteName(table.schema)}.${quoteName(table.table)}`, name };
    },

    findTables: async (session, names) => lookForTables(await clients.get(session), names),

    columnsOf: async (session, tables) => columnsOfTables(await clients.get(session), tables),

    release: (session) => clients.closeBeyond(mostOpen, session),

    identityOf: ({ sql }) => sql,
  };
}

function placed(connection: number, database: string | undefined): Part {
  return database === undefined ? { connection } : { connection, database };
}
