import type { Database } from '../types/databases.ts';
import type { KeyType } from './key-types.ts';

/** Rows of one INSERT. */
const rowsPerStatement = 1000;

/** A table of rows numbered by `id`, with a column and an index for each type. */
export async function createKeyTable(
  database: Database,
  name: string,
  types: Readonly<Record<string, Pick<KeyType, 'type'>>>,
): Promise<void> {
  const columns = Object.entries(types).map(([column, { type }]) => `k_${column} ${type} NULL`);
  await database.execute(`CREATE TABLE ${name} (id int NOT NULL, ${columns.join(', ')})`);
  if (database.kind === 'postgres') await database.execute(`ALTER TABLE ${name} SET (autovacuum_enabled = off)`);
  for (const column of Object.keys(types)) await database.execute(`CREATE INDEX i_${name}_${column} ON ${name} (k_${column})`);
}

/** A row per number, which every column then has in its own way. */
export async function insertKeys(
  database: Database,
  name: string,
  types: Readonly<Record<string, KeyType>>,
  numbers: readonly (bigint | undefined)[],
): Promise<void> {
  const rows = numbers.map((number, id) => {
    const keys = Object.values(types).map(({ literal }) => (number === undefined ? 'NULL' : literal(number)));
    return `(${id}, ${keys.join(', ')})`;
  });
  await insertRows(database, name, rows);
}

export async function insertRows(database: Database, name: string, rows: readonly string[]): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsPerStatement) {
    await database.execute(`INSERT INTO ${name} VALUES ${rows.slice(at, at + rowsPerStatement).join(', ')}`);
  }
}

export async function analyze({ kind, execute }: Database, name: string): Promise<void> {
  if (kind === 'mysql') return execute(`ANALYZE TABLE ${name}`);
  // What has been inserted is counted a second later otherwise, and then looks as if it had changed since.
  await execute('SELECT pg_stat_force_next_flush()');
  await execute(`ANALYZE ${name}`);
}

/** What is there, asked of the server directly. */
export async function idsOf({ query }: Database, name: string): Promise<string[]> {
  return (await query(`SELECT id FROM ${name}`)).map(([id]) => id!);
}

/**
 * Ranges that must come out at least when a key is cut into four. Values are as many as the key's type tells apart, and a value that many
 * rows have cannot be cut.
 */
export async function leastRanges({ query }: Database, name: string, column: string): Promise<number> {
  const [row] = await query(
    `SELECT count(*), max(n), sum(n) FROM (SELECT count(*) AS n FROM ${name} WHERE ${column} IS NOT NULL GROUP BY ${column}) AS counted`,
  );
  const [values, most, rows] = row!.map(Number) as [number, number, number];
  return values >= 64 && most <= rows / 16 ? 3 : 1;
}
