import { type Column, DrayError } from 'dray/sdk';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';
import { columnsOf } from './types.ts';

/** A table as its own server names it, and what the catalog tells of its size. */
export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Quoted and qualified where needed, for SQL. */
  readonly sql: string;
  /** pg_class.relkind */
  readonly kind: 'r' | 'p' | 'v' | 'm' | 'f';
  /** When it was last analyzed; -1 if it never was. Of a partitioned table, of all its partitions. */
  readonly estimatedRows: number;
  readonly bytes: number;
  /** Now, and when it was last analyzed. */
  readonly blocks: number;
  readonly statedBlocks: number;
  /** Rows changed since it was last analyzed. */
  readonly changedRows: number;
  /** True if ranges of ctid are read as such (Tid Range Scan, version 14). */
  readonly hasBlockRanges: boolean;
}

/** A table by the name in the job file. */
export async function findTable(client: Client, name: string): Promise<Table> {
  const [table] = await findTables(client, [name]);
  return table!;
}

const sqlName = /^(?:"(?:[^"]|"")+"|[^\s."]+)(?:\.(?:"(?:[^"]|"")+"|[^\s."]+))?$/;

/**
 * Finds tables by their names in the job file, in that order: as SQL reads a name (folded to lower case), else exactly as written.
 * @throws DrayError TABLE_MISSING
 */
export async function findTables(client: Client, names: readonly string[]): Promise<Table[]> {
  return (await lookForTables(client, names)).map((table, index) => {
    if (table !== undefined) return table;
    throw new DrayError('TABLE_MISSING', `there is no table "${names[index]}" in the database ${client.database ?? ''}`);
  });
}

/** The same where some may be missing. One statement, however many they are. */
export async function lookForTables(client: Client, names: readonly string[]): Promise<(Table | undefined)[]> {
  const exact = names.map((name) => name.split('.').map(quoteName).join('.'));
  const { rows } = await client
    .query<Omit<Table, 'oid'> & { oid: number | null }>(
      `SELECT c.oid::int8::int AS oid, n.nspname AS schema, c.relname AS name, CASE WHEN n.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) END AS sql, c.relkind AS kind,
         CASE WHEN c.relkind = 'p' THEN s.rows ELSE c.reltuples END::float8 AS "estimatedRows",
         s.bytes::float8 AS bytes, s.blocks::float8 AS blocks, s.stated::float8 AS "statedBlocks", s.changed::float8 AS "changedRows",
         c.relkind IN ('r', 'm') AND NOT c.relhassubclass AND a.amname = 'heap' AND current_setting('server_version_num')::int >= 140000
           AS "hasBlockRanges"
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(name, exact, place)
       LEFT JOIN pg_class c ON c.oid = coalesce(to_regclass(wanted.name), to_regclass(wanted.exact)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_am a ON a.oid = c.relam
       LEFT JOIN LATERAL (
         SELECT sum(nullif(l.reltuples, -1)) AS rows, coalesce(sum(pg_table_size(l.oid)), 0) AS bytes, coalesce(sum(l.relpages), 0) AS stated,
           coalesce(sum(pg_relation_size(l.oid)), 0) / current_setting('block_size')::int AS blocks,
           coalesce(sum(pg_stat_get_mod_since_analyze(l.oid)), 0) AS changed
         FROM (SELECT c.oid AS id WHERE c.relkind IN ('r', 'm')
               UNION ALL SELECT relid FROM pg_partition_tree(CASE c.relkind WHEN 'p' THEN c.oid END) WHERE isleaf) part
         JOIN pg_class l ON l.oid = part.id AND l.relkind IN ('r', 'm')
       ) s ON true ORDER BY wanted.place`,
      [names.map((name) => (sqlName.test(name) ? name : null)), exact],
    )
    .catch((error: unknown) => {
      throw serverFault(error, `look for the table ${names[0]}`);
    });
  return rows.map(({ oid, ...table }) => (oid === null ? undefined : { oid, ...table, estimatedRows: table.estimatedRows ?? -1 }));
}

export interface TableColumn extends Column {
  /** Place in the primary key, from 1; 0 if it is not in it. */
  readonly keyPlace: number;
  /** Computed by the server: cannot be written. */
  readonly isGenerated: boolean;
}

/** The table's columns in their order. */
export async function tableColumns(client: Client, table: Table): Promise<TableColumn[]> {
  const [columns = []] = await columnsOfTables(client, [table]);
  return columns;
}

/** The same of many tables, in two statements. */
export async function columnsOfTables(client: Client, tables: readonly Table[]): Promise<TableColumn[][]> {
  const { rows } = await client.query<{
    relation: number;
    name: string;
    oid: number;
    typmod: number;
    notnull: boolean;
    generated: boolean;
    place: number | null;
  }>(
    `SELECT a.attrelid::int8::int AS relation, a.attname AS name, a.atttypid::int8::int AS oid, a.atttypmod AS typmod, a.attnotnull AS notnull,
       a.attgenerated <> '' AS generated, array_position(i.indkey::int2[], a.attnum) AS place
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`,
    [tables.map(({ oid }) => oid)],
  );
  const columns = await columnsOf(
    client,
    rows.map(({ name, oid, typmod, notnull }) => ({ name, oid, typmod, isNullable: !notnull })),
  );
  // indkey is an int2vector, whose first element has the number 0.
  const found = new Map<number, TableColumn[]>();
  for (const { oid } of tables) found.set(oid, []);
  for (const [index, column] of columns.entries()) {
    const { relation, generated, place } = rows[index]!;
    found.get(relation)!.push({ ...column, isGenerated: generated, keyPlace: place === null ? 0 : place + 1 });
  }
  return tables.map(({ oid }) => found.get(oid)!);
}
