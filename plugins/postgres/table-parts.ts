import type { Column, Json, KeyKind, LogicalType, PluginContext, Split, SplitKey } from 'dray/sdk';
import { nameOf, type Part } from '../_sql/parts.ts';
import { type KeyColumn, type KeyIndex, splitKeys } from '../_sql/split-keys.ts';
import { findTables, type Table, tableColumns } from './catalog.ts';
import type { Client } from './connection.ts';
import { explained } from './explain.ts';
import { serverFault } from './faults.ts';
import type { KeyState } from './key-source.ts';
import { namedTable, ofNamed } from './statistics.ts';
import { columnsOf } from './types.ts';

/** Tables, partitioned ones, and materialized views: what has blocks. */
const stored = new Set(['r', 'p', 'm']);
/** Of more tables than this, keys are looked up only where a table is big enough to be cut, and rows are not asked of the planner. */
const lookedAtAlways = 64;
const bigBytes = 4 << 20;
const assumedRowBytes = 100;

interface CatalogKeyColumn extends KeyColumn {
  readonly cast: string;
  /** Of pg_stats; null if the column was never looked at. */
  readonly correlation: number | null;
}

const kinds: Partial<Record<LogicalType, KeyKind>> = {
  integer: 'integer',
  decimal: 'decimal',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  string: 'string',
  bytes: 'bytes',
};

interface PartsOptions {
  readonly splitPk: string | undefined;
  readonly where: string | undefined;
  /** Of all tables, however many. */
  readonly needsKeys: boolean;
  /** undefined: there is one table. */
  readonly shardOf: ((part: Part, table: Table) => string) | undefined;
}

/** What metadata tells of the tables of one connection: their sizes, and the keys by which they can be cut. */
export async function tableParts(
  client: Client,
  parts: readonly (Part & { readonly table: string })[],
  { splitPk, where, needsKeys, shardOf }: PartsOptions,
  context: PluginContext,
): Promise<Split[]> {
  const tables = await findTables(
    client,
    parts.map(({ table }) => table),
  );
  const isMany = parts.length > lookedAtAlways && !needsKeys;
  const splits: Split[] = [];
  for (const [index, part] of parts.entries()) {
    const table = tables[index]!;
    const isLookedAt = !isMany || table.bytes >= bigBytes || !stored.has(table.kind);
    splits.push({
      name: nameOf(part),
      part: part as unknown as Json,
      ...(shardOf === undefined ? {} : { shard: shardOf(part, table) }),
      ...(isLookedAt || table.estimatedRows >= 0 ? await sizesOf(client, table, where) : roughSizes(table)),
      ...(where === undefined ? {} : { isFiltered: true as const }),
      ...(isLookedAt ? { keys: await tableKeys(client, nameOf(part), table, splitPk, context) } : {}),
      refresh: `ANALYZE ${table.sql}`,
    });
  }
  return splits;
}

async function tableKeys(
  client: Client,
  name: string,
  table: Table,
  splitPk: string | undefined,
  context: PluginContext,
): Promise<SplitKey[]> {
  const columns = await keyColumns(client, table);
  const indexes = (await keyIndexes(client, table)).map((index): KeyIndex => {
    const correlation = columns.find((column) => column.name === index.columns[0])?.correlation ?? null;
    return { ...index, ...(correlation === null ? {} : { order: Math.abs(correlation) }) };
  });
  const lacksStatistics = table.estimatedRows < 0 || columns.every(({ correlation }) => correlation === null);
  const keys = splitKeys({ table: `table ${name}`, columns, indexes, stateOf: castsOf, lacksStatistics }, splitPk, context);
  return table.hasBlockRanges ? [...keys, blockKey] : keys;
}

/** The place of a row in the table's file. Two ranges of it are exact together only within one snapshot: an updated row moves. */
const blockKey: SplitKey = {
  columns: ['ctid'],
  kind: 'blocks',
  origin: 'storage',
  isNullable: false,
  isIndexed: true,
  order: 1,
  state: { casts: ['tid'] } satisfies KeyState,
};

async function keyColumns(client: Client, table: Table): Promise<CatalogKeyColumn[]> {
  const columns = await tableColumns(client, table);
  const { rows } = await client.query<{ cast: string; correlation: number | null }>(
    `WITH ${namedTable('$1')}
     SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1) AS cast, s.correlation::float8 AS correlation
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_stats s ON ${ofNamed} AND s.attname = a.attname
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table.oid],
  );
  return columns.map((column, index) => keyColumn(column, rows[index]!.cast, rows[index]!.correlation));
}

/** Indexes that hold every row, sorted as the columns themselves compare. */
async function keyIndexes(client: Client, { oid }: Table): Promise<KeyIndex[]> {
  const { rows } = await client.query<KeyIndex>(
    `SELECT x.relname AS name, i.indisprimary AS "isPrimary", i.indisunique AS "isUnique", k.columns
     FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree', LATERAL (
       SELECT array_agg(a.attname::text ORDER BY u.n) AS columns, bool_and(o.opcdefault AND u.coll IN (0, a.attcollation)) AS is_plain
       FROM unnest(i.indkey::int2[], i.indcollation::oid[], i.indclass::oid[]) WITH ORDINALITY AS u(attnum, coll, class, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum JOIN pg_opclass o ON o.oid = u.class WHERE u.n <= i.indnkeyatts
     ) k WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.is_plain ORDER BY x.relname`,
    [oid],
  );
  return rows;
}

/** Rows as counted by the last ANALYZE, in proportion to how the table has grown since; else as the planner thinks. */
async function sizesOf(client: Client, table: Table, where: string | undefined): Promise<Pick<Split, 'estimatedRows' | 'estimatedBytes'>> {
  const { kind, estimatedRows: stated, blocks, statedBlocks, bytes, sql } = table;
  const isStored = stored.has(kind);
  const isCounted = isStored && stated > 0 && statedBlocks > 0 && where === undefined;
  if (isCounted) return { estimatedRows: Math.round((stated * blocks) / statedBlocks), estimatedBytes: bytes };
  if (isStored && blocks === 0) return { estimatedRows: 0, estimatedBytes: 0 };
  // It was empty when it was last analyzed, and the planner goes by that even if its blocks are in use again.
  if (isStored && stated === 0 && where === undefined) return roughSizes(table);
  try {
    const all = await explained(client, `SELECT * FROM ${sql}`);
    const read = where === undefined ? all : await explained(client, `SELECT * FROM ${sql} WHERE ${where}`);
    const inAll = isStored ? bytes : all.rows * all.width;
    return { estimatedRows: read.rows, estimatedBytes: Math.round(all.rows === 0 ? 0 : (inAll * read.rows) / all.rows) };
  } catch (error) {
    throw serverFault(error, `ask for the plan of reading ${sql}`);
  }
}

function roughSizes({ bytes }: Table): Pick<Split, 'estimatedRows' | 'estimatedBytes'> {
  return { estimatedRows: Math.round(bytes / assumedRowBytes), estimatedBytes: bytes };
}

/** The key that the job file names in a query; nothing is known of it but its type. */
export async function queryKeys(client: Client, from: string, splitPk: string, context: PluginContext): Promise<SplitKey[]> {
  const { fields } = await client.query(`SELECT * FROM ${from} LIMIT 0`);
  const described = await columnsOf(
    client,
    fields.map(({ name, dataTypeID, dataTypeModifier }) => ({ name, oid: dataTypeID, typmod: dataTypeModifier, isNullable: true })),
  );
  const { rows } = await client.query<{ cast: string }>(
    `SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1) AS cast
     FROM unnest($1::int8[]) WITH ORDINALITY AS u(oid, n) JOIN pg_type t ON t.oid = u.oid::oid ORDER BY n`,
    [fields.map(({ dataTypeID }) => dataTypeID)],
  );
  const columns = described.map((column, index): CatalogKeyColumn => keyColumn(column, rows[index]!.cast, null));
  return splitKeys({ table: 'query', columns, indexes: [], stateOf: castsOf, lacksStatistics: false }, splitPk, context);
}

function keyColumn({ name, type, nativeType = type, isNullable }: Column, cast: string, correlation: number | null): CatalogKeyColumn {
  const kind = nativeType === 'uuid' ? 'uuid' : type === 'json' ? undefined : (kinds[type] ?? 'other');
  return { name, kind, isNullable, nativeType, cast, correlation };
}

function castsOf(columns: readonly KeyColumn[]): Json {
  return { casts: columns.map((column) => (column as CatalogKeyColumn).cast) };
}
