import type { Json, PluginContext, Split } from 'dray/sdk';
import { nameOf, type Part } from '../_sql/parts.ts';
import { type KeyColumn, type KeyFacts, type KeyIndex, splitKeys } from '../_sql/split-keys.ts';
import { findTables, oneOf, type Table } from './catalog.ts';
import { quoteName, quoteText, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { keyColumn, keyState } from './key-columns.ts';
import type { MysqlReaderOptions } from './reader.ts';

/** Up to so many tables are looked at one by one where their statistics are in doubt. */
const maxDoubted = 64;
/** Statistics that say fewer rows than this are put to the test: a table of which they know nothing looks like an empty one. */
const testedRows = 20_000;
/** Bytes of a row beside its columns (record header, transaction id, roll pointer). */
const rowOverhead = 20;
/** Bytes of a value whose length is not known beforehand. */
const assumedTextBytes = 24;

interface CatalogRow {
  readonly table: string;
  readonly columns: (KeyColumn & { readonly bytes: number })[];
  readonly indexes: Map<string, { isUnique: boolean; columns: string[] }>;
}

/** What metadata tells of the tables of one connection, in the order of `parts`: three statements per database, however many tables. */
export async function tableParts(
  session: Session,
  parts: readonly (Part & { readonly table: string })[],
  { splitPk, where }: { splitPk: MysqlReaderOptions['splitPk']; where: string | undefined },
  context: PluginContext,
): Promise<Split[]> {
  const tables = await findTables(
    session,
    parts.map(({ table }) => table),
  );
  const catalog = await readCatalog(session, tables);
  const splits: Split[] = [];
  for (const [index, part] of parts.entries()) {
    const table = tables[index]!;
    const row = catalog.get(`${table.database}.${table.name}`)!;
    const isMissed = parts.length <= maxDoubted && (await missesRows(session, table, row));
    const keys = splitKeys(keyFacts(table, row, isMissed), splitPk, context);
    const sizes = isMissed || table.estimatedRows === undefined ? {} : sizesOf(table, row);
    const isFiltered = where !== undefined && parts.length <= maxDoubted;
    splits.push({
      name: nameOf(part),
      part: part as unknown as Json,
      ...(isFiltered ? await filtered(session, table, sizes, where) : sizes),
      ...(where === undefined ? {} : { isFiltered: true as const }),
      keys,
      ...(table.engine === null ? {} : { refresh: `ANALYZE TABLE ${table.sql}` }),
      ...(isMissed
        ? { notes: [`the statistics of ${nameOf(part)} miss most of its rows; ANALYZE TABLE ${table.sql} brings them up to date`] }
        : {}),
    });
  }
  return splits;
}

async function readCatalog(session: Session, tables: readonly Table[]): Promise<Map<string, CatalogRow>> {
  const catalog = new Map<string, CatalogRow>();
  for (const { database, name } of tables) catalog.set(`${database}.${name}`, { table: name, columns: [], indexes: new Map() });
  for (const database of new Set(tables.map((table) => table.database))) {
    const names = oneOf(tables.filter((table) => table.database === database).map(({ name }) => name));
    const inSchema = `TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME ${names}`;
    const columns = await session.query(
      `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, IS_NULLABLE, NUMERIC_PRECISION, CHARACTER_OCTET_LENGTH
       FROM information_schema.COLUMNS WHERE ${inSchema} ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    );
    for (const [table, name, type, nullable, precision, length] of columns as (string | null)[][]) {
      const bytes = typicalBytes(type!, Number(precision ?? 0), length === null || length === undefined ? undefined : Number(length));
      catalog.get(`${database}.${table}`)?.columns.push({ ...keyColumn(name!, type!, nullable === 'YES'), bytes });
    }
    const indexed = await session.query(
      `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART IS NULL AND INDEX_TYPE = 'BTREE' AND COLUMN_NAME IS NOT NULL
       FROM information_schema.STATISTICS WHERE ${inSchema} ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    );
    for (const [table, index, nonUnique, column, isWhole] of indexed as (string | null)[][]) {
      const indexes = catalog.get(`${database}.${table}`)?.indexes;
      const known = indexes?.get(index!) ?? { isUnique: nonUnique === '0', columns: [] };
      // An index on the beginning of a value, or on an expression, has an order of its own: a column that does not exist.
      known.columns.push(isWhole === '1' ? column! : '');
      indexes?.set(index!, known);
    }
  }
  return catalog;
}

/** InnoDB keeps the rows in the order of the primary key, else of the first unique key without NULLs. */
function keyFacts({ engine, name }: Table, { columns, indexes }: CatalogRow, lacksStatistics: boolean): KeyFacts {
  const isNotNull = (column: string) => columns.some((one) => one.name === column && !one.isNullable);
  const all = [...indexes].map(([index, { isUnique, columns: inIndex }]) => ({
    name: index,
    isPrimary: index === 'PRIMARY',
    isUnique,
    columns: inIndex,
  }));
  const clustered = all.find(({ isPrimary }) => isPrimary) ?? all.find((one) => one.isUnique && one.columns.every(isNotNull));
  const ordered = all.map((index): KeyIndex => (engine === 'InnoDB' ? { ...index, order: index === clustered ? 1 : 0 } : index));
  return { table: `table ${name}`, columns, indexes: ordered, stateOf: keyState, lacksStatistics };
}

/**
 * Rows and bytes. The number of rows is counted on by every change, the number of bytes only when statistics are made: right after a load it
 * still is that of an empty table.
 */
function sizesOf({ estimatedRows = 0, bytes = 0 }: Table, { columns }: CatalogRow): Pick<Split, 'estimatedRows' | 'estimatedBytes'> {
  const typical = estimatedRows * columns.reduce((sum, column) => sum + column.bytes, rowOverhead);
  return { estimatedRows, estimatedBytes: bytes < typical / 2 ? typical : bytes };
}

function typicalBytes(type: string, precision: number, maxLength: number | undefined): number {
  if (maxLength !== undefined) return Math.min(maxLength, assumedTextBytes);
  const fixed: Record<string, number> = { tinyint: 1, smallint: 2, mediumint: 3, int: 4, bigint: 8, float: 4, double: 8, date: 3, year: 1 };
  return fixed[type] ?? (type === 'decimal' ? precision / 2 : 8);
}

/** True if a table that looks small is not: one row that lies behind all that it is said to have. Reads at most so many entries of an index. */
async function missesRows(session: Session, { engine, sql, estimatedRows }: Table, { indexes }: CatalogRow): Promise<boolean> {
  if (engine === null || estimatedRows === undefined || estimatedRows >= testedRows || !indexes.has('PRIMARY')) return false;
  const expected = Math.max(1000, estimatedRows * 4);
  const beyond = await session.query(
    `SELECT 1 FROM ${sql} FORCE INDEX (PRIMARY) ORDER BY ${primaryOrder(indexes)} LIMIT 1 OFFSET ${expected}`,
  );
  return beyond.length > 0;
}

function primaryOrder(indexes: CatalogRow['indexes']): string {
  return (
    indexes
      .get('PRIMARY')!
      .columns.filter((name) => name !== '')
      .map(quoteName)
      .join(', ') || '1'
  );
}

/** What the optimizer thinks that the user's condition leaves over. */
async function filtered(
  session: Session,
  { sql }: Table,
  { estimatedRows, estimatedBytes }: Pick<Split, 'estimatedRows' | 'estimatedBytes'>,
  where: string,
): Promise<Pick<Split, 'estimatedRows' | 'estimatedBytes'>> {
  if (estimatedRows === undefined || estimatedBytes === undefined || estimatedRows === 0) return {};
  const [plan] = await session.records(`EXPLAIN SELECT 1 FROM ${sql} WHERE ${where}`).catch((error: unknown) => {
    throw serverFault(error, `ask for the plan of reading ${sql}`);
  });
  const share = Math.min(1, (Number(plan?.rows ?? 0) / estimatedRows) * (Number(plan?.filtered ?? 100) / 100));
  return { estimatedRows: Math.round(estimatedRows * share), estimatedBytes: Math.round(estimatedBytes * share) };
}
