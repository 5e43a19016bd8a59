import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { providedMariadb, providedPostgres } from '../../support/provided-servers.ts';
import { type CaseRow, columnOf, type Shown, type TypeCase } from './type-case.ts';

/** A database of one kind, used directly and by jobs. */
export interface Database {
  readonly kind: 'postgres' | 'mysql';
  /** For "connection" of a job, without the table. */
  readonly login: { readonly username: string; readonly password: string; readonly jdbcUrl: string };
  execute(sql: string, parameters?: readonly unknown[]): Promise<void>;
  /** Rows as the server's own texts. */
  query(sql: string): Promise<(string | null)[][]>;
  end(): Promise<void>;
}

export async function postgresDatabase(): Promise<Database> {
  const server = providedPostgres();
  const name = `types_${randomBytes(4).toString('hex')}`;
  await server.createDatabase(name);
  const client = new pg.Client({ connectionString: server.urlFor(name) });
  await client.connect();
  await client.query("SET TimeZone = 'UTC'");
  return {
    kind: 'postgres',
    login: { username: server.user, password: server.password, jdbcUrl: `jdbc:postgresql://${server.host}:${server.port}/${name}` },
    execute: async (sql, parameters) => void (await client.query(sql, parameters === undefined ? undefined : [...parameters])),
    query: async (text) =>
      (await client.query<(string | null)[]>({ text, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } })).rows,
    end: () => client.end(),
  };
}

/** Any date can be put into a source, 0000-00-00 and 2020-02-31 too; all else that does not fit is an error. */
const lenientDates = "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES'";

export async function mysqlDatabase(): Promise<Database> {
  const server = providedMariadb();
  const name = await server.createDatabase(`types_${randomBytes(4).toString('hex')}`);
  const connection = await mysql.createConnection({ uri: server.urlFor(name), charset: 'utf8mb4' });
  await connection.query(lenientDates);
  return {
    kind: 'mysql',
    login: { username: server.user, password: server.password, jdbcUrl: `jdbc:mysql://${server.host}:${server.port}/${name}` },
    execute: async (sql) => void (await connection.query(sql)),
    query: async (sql) => {
      const [rows] = await connection.query<mysql.RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() });
      return rows as unknown as (string | null)[][];
    },
    end: () => connection.end(),
  };
}

/** A table with one column per case, of the case's own type or of the one on the other server. */
export async function createTable(
  database: Database,
  name: string,
  cases: readonly TypeCase[],
  side: 'native' | 'elsewhere',
): Promise<void> {
  const columns = cases.map((one, index) => `${columnOf(index)} ${one[side]} NULL`);
  await database.execute(`CREATE TABLE ${name} (id int PRIMARY KEY, ${columns.join(', ')})`);
}

export async function insertRows(database: Database, name: string, rows: readonly CaseRow[]): Promise<void> {
  for (const { id, cells } of rows) await database.execute(`INSERT INTO ${name} VALUES (${id}, ${cells.join(', ')})`);
}

/** What a table holds, in its server's words: bytes and texts of MySQL as hex, so that no character set comes between. */
export async function shownRows(database: Database, name: string, cases: readonly TypeCase[], where = 'true'): Promise<Shown[]> {
  const texts = cases.map(({ native }, index) =>
    database.kind === 'postgres' ? `${columnOf(index)}::text` : shownByMysql(native, columnOf(index)),
  );
  const rows = await database.query(`SELECT id, ${texts.join(', ')} FROM ${name} WHERE ${where} ORDER BY id`);
  return rows.map(([id, ...cells]) => ({ id: Number(id), cells }));
}

function shownByMysql(native: string, column: string): string {
  if (/^(float|double)(?!\()/.test(native)) return `CAST(${column} + 0e0 AS CHAR)`;
  if (/^((tiny|small|medium|big)?int|float|double|decimal|bool|year|date|time|uuid|inet)/.test(native)) return `CAST(${column} AS CHAR)`;
  return `HEX(${column})`;
}
