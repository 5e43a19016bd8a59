import { providedMariadb, providedPostgres } from './provided-servers.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from './sql.ts';

/** Several databases of one server with several tables each: one logical table of orders. */
export interface ShardSource {
  readonly kind: TestDatabase['kind'];
  readonly databases: readonly TestDatabase[];
  /** What the names of the databases begin with; two digits follow. */
  readonly prefix: string;
  /** Address of the server with something as its database. */
  urlOf(database: string): string;
  /** A reader with a `connection` and other options. */
  reader(connection: readonly object[], options?: object): { readonly name: string; readonly parameter: object };
}

const tables = ['orders_0', 'orders_1', 'orders_2'];

/** How many rows a table of a database has: no two have the same number. */
export function rowsIn(database: number, table: number): number {
  return 3 + database * tables.length + table;
}

/** All rows of so many databases as `id|note`, sorted; ids of different tables are different ones. */
export function allRows(databases: number): string[] {
  const rows: string[] = [];
  for (let database = 0; database < databases; database++) {
    for (const table of tables.keys()) {
      for (let n = 0; n < rowsIn(database, table); n++) rows.push(rowOf(database, table, n).join('|'));
    }
  }
  return rows.sort();
}

function rowOf(database: number, table: number, n: number): [number, string] {
  return [database + 10 * table + 100 * n, `note ${database} ${table} ${n}`];
}

/** Makes them, in a server that tests share. */
export async function makeShards(kind: TestDatabase['kind'], name: string, count = 4): Promise<ShardSource> {
  const databases: TestDatabase[] = [];
  for (let database = 0; database < count; database++) {
    const made = await createDatabase(kind, `${name}_${String(database).padStart(2, '0')}`);
    databases.push(made);
    await made.sql(
      ...tables.flatMap((table, index) => [
        `CREATE TABLE ${table} (id int PRIMARY KEY, note varchar(20))`,
        `INSERT INTO ${table} VALUES ${Array.from({ length: rowsIn(database, index) }, (_, n) => rowOf(database, index, n))
          .map(([id, note]) => `(${id}, '${note}')`)
          .join(', ')}`,
      ]),
    );
  }
  const [first] = databases;
  const { user, password, jdbcUrl } = first!;
  return {
    kind,
    databases,
    prefix: first!.name.slice(0, -2),
    urlOf: (database) => jdbcUrl.replace(/[^/]*$/, database),
    reader: (connection, options = {}) => ({
      name: kind === 'postgres' ? 'postgresqlreader' : 'mysqlreader',
      parameter: { username: user, password, connection, ...options },
    }),
  };
}

export async function createDatabase(kind: TestDatabase['kind'], name: string): Promise<TestDatabase> {
  if (kind === 'mysql') {
    const mariadb = providedMariadb();
    return mysqlDatabase(mariadb, await mariadb.createDatabase(name));
  }
  const postgres = providedPostgres();
  await postgres.createDatabase(name);
  return postgresDatabase(postgres, name);
}
