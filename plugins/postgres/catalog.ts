import { type Column, DrayError } from 'dray/sdk';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';
import { columnsOf } from './types.ts';

/** A table as its own server names it. */
export interface Table {
  readonly oid: number;
  /** Quoted and qualified where needed, for SQL. */
  readonly sql: string;
  /** -1 if never analyzed. */
  readonly estimatedRows: number;
  readonly bytes: number;
}

/** Finds a table by the name in the job file: as SQL reads it (folded to lower case), else exactly as written. */
export async function findTable(client: Client, name: string): Promise<Table> {
  const exact = name.split('.').map(quoteName).join('.');
  const { rows } = await client
    .query<Table>(
      `SELECT c.oid::int8::text::int8::int AS oid, format('%I.%I', n.nspname, c.relname) AS sql,
         c.reltuples::float8 AS "estimatedRows", pg_table_size(c.oid)::float8 AS bytes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.oid = coalesce(to_regclass($1), to_regclass($2)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
      [name, exact],
    )
    .catch((error: unknown) => {
      // A name that is no SQL name, as `my-table`, makes to_regclass itself fail; as written it may be right.
      if (/syntax|invalid name/.test((error as Error).message) && name !== exact) return client.query<Table>(findExactly, [exact]);
      throw serverFault(error, `look for the table ${name}`);
    });
  const [table] = rows;
  if (table === undefined) throw new DrayError('TABLE_MISSING', `there is no table "${name}" in the database ${client.database ?? ''}`);
  return table;
}

const findExactly = `SELECT c.oid::int8::int AS oid, format('%I.%I', n.nspname, c.relname) AS sql,
  c.reltuples::float8 AS "estimatedRows", pg_table_size(c.oid)::float8 AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`;

export interface TableColumn extends Column {
  /** Place in the primary key, from 1; 0 if it is not in it. */
  readonly keyPlace: number;
  /** Computed by the server: cannot be written. */
  readonly isGenerated: boolean;
}

/** The table's columns in their order. */
export async function tableColumns(client: Client, table: Table): Promise<TableColumn[]> {
  const { rows } = await client.query<{
    name: string;
    oid: number;
    typmod: number;
    notnull: boolean;
    generated: boolean;
    place: number | null;
  }>(
    `SELECT a.attname AS name, a.atttypid::int8::int AS oid, a.atttypmod AS typmod, a.attnotnull AS notnull,
       a.attgenerated <> '' AS generated, array_position(i.indkey::int2[], a.attnum) AS place
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table.oid],
  );
  const columns = await columnsOf(
    client,
    rows.map(({ name, oid, typmod, notnull }) => ({ name, oid, typmod, isNullable: !notnull })),
  );
  // indkey is an int2vector, whose first element has the number 0.
  return columns.map((column, index) => ({
    ...column,
    isGenerated: rows[index]!.generated,
    keyPlace: rows[index]!.place === null ? 0 : rows[index]!.place! + 1,
  }));
}
