import { DrayError, type SplitKey } from 'dray/sdk';
import type { KeyedColumn } from '../_sql/parts.ts';
import { quoteName, quoteText, type Session, splitTableName } from './connection.ts';
import { serverFault } from './faults.ts';
import { describeCatalogColumn } from './types.ts';

/** A table as its own server names it. */
export interface Table {
  readonly database: string;
  readonly name: string;
  /** Quoted, for SQL. */
  readonly sql: string;
  /** InnoDB's own estimate; undefined for views. */
  readonly estimatedRows: number | undefined;
  readonly bytes: number | undefined;
  /** Null for views. */
  readonly engine: string | null;
  /** False where a batch cannot be rolled back (MyISAM, Aria, MEMORY). */
  readonly isTransactional: boolean;
}

export async function findTable(session: Session, name: string): Promise<Table> {
  const { database, table } = splitTableName(name, session.database);
  const [row] = await session
    .query(
      `SELECT t.TABLE_NAME, t.ENGINE, t.TABLE_ROWS, t.DATA_LENGTH, e.SAVEPOINTS FROM information_schema.TABLES t
       LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
       WHERE t.TABLE_SCHEMA = ${quoteText(database)} AND t.TABLE_NAME = ${quoteText(table)}`,
    )
    .catch((error: unknown) => {
      throw serverFault(error, `look for the table ${name}`);
    });
  if (row === undefined) throw new DrayError('TABLE_MISSING', `there is no table "${table}" in the database ${database}`);
  const [found, engine, rows, bytes, savepoints] = row as [string, string | null, string | null, string | null, string | null];
  return {
    database,
    name: found,
    sql: `${quoteName(database)}.${quoteName(found)}`,
    estimatedRows: rows === null ? undefined : Number(rows),
    bytes: bytes === null ? undefined : Number(bytes),
    engine,
    isTransactional: engine === null || savepoints === 'YES',
  };
}

export interface TableColumn extends KeyedColumn {
  /** Computed by the server: cannot be written. */
  readonly isGenerated: boolean;
}

/** The table's columns in their order. */
export async function tableColumns(session: Session, table: Table): Promise<TableColumn[]> {
  const rows = await session.query(
    `SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.CHARACTER_MAXIMUM_LENGTH, c.NUMERIC_PRECISION, c.NUMERIC_SCALE,
       c.DATETIME_PRECISION, c.EXTRA, k.ORDINAL_POSITION, VERSION() LIKE '%MariaDB%'
     FROM information_schema.COLUMNS c LEFT JOIN information_schema.KEY_COLUMN_USAGE k
       ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY'
     WHERE c.TABLE_SCHEMA = ${quoteText(table.database)} AND c.TABLE_NAME = ${quoteText(table.name)} ORDER BY c.ORDINAL_POSITION`,
  );
  const numberOf = (text: string | null | undefined) => (text === null || text === undefined ? undefined : Number(text));
  return (rows as (string | null)[][]).map(
    ([name, dataType, columnType, nullable, length, precision, scale, fraction, extra, place, isMariadb]) => ({
      ...describeCatalogColumn({
        name: name!,
        dataType: dataType!.toLowerCase(),
        columnType: columnType!,
        isNullable: nullable === 'YES',
        length: numberOf(length),
        precision: numberOf(precision),
        scale: numberOf(scale),
        fractionDigits: numberOf(fraction),
        extra: extra ?? '',
        isMariadb: isMariadb === '1',
      }),
      isGenerated: /GENERATED/i.test(extra ?? '') && !/DEFAULT_GENERATED/i.test(extra ?? ''),
      keyPlace: numberOf(place) ?? 0,
    }),
  );
}

/** Smallest and largest value of an integer column; undefined if no row has one. */
export async function keyBounds(
  session: Session,
  table: Table,
  column: TableColumn,
  where: string | undefined,
): Promise<SplitKey | undefined> {
  const name = quoteName(column.name);
  const [row] = await session
    .query(`SELECT MIN(${name}), MAX(${name}) FROM ${table.sql}${where === undefined ? '' : ` WHERE ${where}`}`)
    .catch((error: unknown) => {
      throw serverFault(error, `read the range of ${column.name} in ${table.sql}`);
    });
  const [min = null, max = null] = (row ?? []) as (string | null)[];
  if (min === null || max === null) return undefined;
  // Digits of a ZEROFILL column come with their zeros.
  return { column: column.name, min: String(BigInt(min)), max: String(BigInt(max)), isNullable: column.isNullable };
}
