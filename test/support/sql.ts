import mysql from 'mysql2/promise';
import pg from 'pg';

export type Cells = (string | null)[];

/** A database of a test, and statements run in it from the side. */
export interface TestDatabase {
  readonly kind: 'postgres' | 'mysql';
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly jdbcUrl: string;
  /** Runs statements one after the other; rows of the last one, as texts. */
  sql(...statements: string[]): Promise<Cells[]>;
}

type Access = { readonly host: string; readonly port: number; readonly user: string; readonly password: string };

/** The options of dray's reader or writer that say where a database is. */
export function connectionTo({ user, password, jdbcUrl }: TestDatabase, ...tables: string[]) {
  return { username: user, password, connection: [{ jdbcUrl: [jdbcUrl], table: tables }] };
}

/** A reader of a table, `*` or the columns named. */
export function readerOf(database: TestDatabase, table: string, options: object = {}) {
  return {
    name: database.kind === 'postgres' ? 'postgresqlreader' : 'mysqlreader',
    parameter: { ...connectionTo(database, table), ...options },
  };
}

/** A writer of a table. */
export function writerOf(database: TestDatabase, table: string, options: object = {}) {
  return {
    name: database.kind === 'postgres' ? 'postgresqlwriter' : 'mysqlwriter',
    parameter: { ...connectionTo(database, table), ...options },
  };
}

export function postgresDatabase(access: Access, name: string): TestDatabase {
  const { host, port, user, password } = access;
  return {
    kind: 'postgres',
    ...{ host, port, user, password, name },
    jdbcUrl: `jdbc:postgresql://${host}:${port}/${name}`,
    async sql(...statements) {
      const client = new pg.Client({
        host,
        port,
        user,
        password,
        database: name,
        application_name: 'test',
        types: { getTypeParser: () => String },
      });
      // The query reports it, too.
      client.on('error', () => undefined);
      await client.connect();
      try {
        let rows: Cells[] = [];
        for (const text of statements) rows = (await client.query<Cells>({ text, rowMode: 'array' })).rows;
        return rows;
      } finally {
        await client.end();
      }
    },
  };
}

export function mysqlDatabase(access: Access, name: string): TestDatabase {
  const { host, port, user, password } = access;
  return {
    kind: 'mysql',
    ...{ host, port, user, password, name },
    jdbcUrl: `jdbc:mysql://${host}:${port}/${name}`,
    async sql(...statements) {
      const connection = await mysql.createConnection({ host, port, user, password, database: name, charset: 'utf8mb4' });
      try {
        let rows: Cells[] = [];
        for (const sql of statements) {
          const [result] = await connection.query({ sql, rowsAsArray: true, typeCast: (field) => field.string() });
          rows = Array.isArray(result) ? (result as unknown as Cells[]) : [];
        }
        return rows;
      } finally {
        await connection.end();
      }
    },
  };
}
