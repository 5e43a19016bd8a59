import { type Column, DrayError } from 'dray/sdk';
import { quoteName, quoteText, type Session, splitTableName } from './connection.ts';
import { serverFault } from './faults.ts';
import { keyColumn } from './key-columns.ts';
import type { KeyColumnType } from './key-source.ts';
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
  const [table] = await findTables(session, [name]);
  return table!;
}

/** Finds tables by their names in a job file, in that order. @throws DrayError TABLE_MISSING */
export async function findTables(session: Session, names: readonly string[]): Promise<Table[]> {
  return (await lookForTables(session, names)).map((table, index) => {
    if (table !== undefined) return table;
    const wanted = splitTableName(names[index]!, session.database);
    throw new DrayError('TABLE_MISSING', `there is no table "${wanted.table}" in the database ${wanted.database}`);
  });
}

/** The same where some may be missing, with one statement per database. */
export async function lookForTables(session: Session, names: readonly string[]): Promise<(Table | undefined)[]> {
  const wanted = names.map((name) => splitTableName(name, session.database));
  const found = new Map<string, Table>();
  for (const database of new Set(wanted.map((one) => one.database))) {
    const tables = wanted.filter((one) => one.database === database).map(({ table }) => table);
    const rows = await session
      .query(
        `SELECT t.TABLE_NAME, t.ENGINE, t.TABLE_ROWS, t.DATA_LENGTH, e.SAVEPOINTS FROM information_schema.TABLES t
         LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
         WHERE t.TABLE_SCHEMA = ${quoteText(database)} AND t.TABLE_NAME ${oneOf(tables)}`,
      )
      .catch((error: unknown) => {
        throw serverFault(error, `look for the table ${tables[0]}`);
      });
    for (const row of rows as (string | null)[][]) found.set(`${database}.${row[0]}`, tableOf(database, row));
  }
  // Where the server does not tell upper from lower case, it still writes the name as the table was made.
  const inAnyCase = new Map([...found].map(([name, table]) => [name.toLowerCase(), table]));
  return wanted.map(({ database, table }) => found.get(`${database}.${table}`) ?? inAnyCase.get(`${database}.${table}`.toLowerCase()));
}

function tableOf(database: string, [name, engine, rows, bytes, savepoints]: readonly (string | null | undefined)[]): Table {
  const numberOf = (text: string | null | undefined) => (text === null || text === undefined ? undefined : Number(text));
  return {
    database,
    name: name!,
    sql: `${quoteName(database)}.${quoteName(name!)}`,
    estimatedRows: numberOf(rows),
    bytes: numberOf(bytes),
    engine: engine ?? null,
    isTransactional: (engine ?? null) === null || savepoints === 'YES',
  };
}

/** `= 'a'` or `IN ('a', 'b')`; of one table information_schema opens just that. */
export function oneOf(names: readonly string[]): string {
  const texts = [...new Set(names)].map(quoteText);
  return texts.length === 1 ? `= ${texts[0]}` : `IN (${texts.join(', ')})`;
}

export interface TableColumn extends Column {
  /** Computed by the server: cannot be written. */
  readonly isGenerated: boolean;
}

/** The table's columns in their order. */
export async function tableColumns(session: Session, table: Pick<Table, 'database' | 'name'>): Promise<TableColumn[]> {
  const [columns = []] = await columnsOfTables(session, [table]);
  return columns;
}

/** The same of many tables, with one statement per database. */
export async function columnsOfTables(session: Session, tables: readonly Pick<Table, 'database' | 'name'>[]): Promise<TableColumn[][]> {
  const found = new Map<string, TableColumn[]>();
  for (const { database, name } of tables) found.set(`${database}.${name}`, []);
  for (const database of new Set(tables.map((table) => table.database))) {
    const names = oneOf(tables.filter((table) => table.database === database).map(({ name }) => name));
    const rows = await session.query(
      `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.CHARACTER_MAXIMUM_LENGTH, c.NUMERIC_PRECISION,
         c.NUMERIC_SCALE, c.DATETIME_PRECISION, c.EXTRA, VERSION() LIKE '%MariaDB%'
       FROM information_schema.COLUMNS c
       WHERE c.TABLE_SCHEMA = ${quoteText(database)} AND c.TABLE_NAME ${names} ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
    );
    for (const [table, ...row] of rows as (string | null)[][]) found.get(`${database}.${table}`)?.push(columnOf(row));
  }
  return tables.map(({ database, name }) => found.get(`${database}.${name}`)!);
}

function columnOf(row: readonly (string | null)[]): TableColumn {
  const [name, dataType, columnType, nullable, length, precision, scale, fraction, extra, isMariadb] = row;
  const numberOf = (text: string | null | undefined) => (text === null || text === undefined ? undefined : Number(text));
  return {
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
  };
}

/** Whether a unique index is kept by hashes, in a hidden column that the server computes (MariaDB: of whole texts and blobs). */
export async function hasHashIndex(session: Session, { database, name }: Pick<Table, 'database' | 'name'>): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME = ${quoteText(name)} AND INDEX_TYPE = 'HASH' LIMIT 1`,
  );
  return rows.length > 0;
}

/** Kind, character set and collation of columns of a key, in their order. */
export async function columnTypes(session: Session, table: Table, names: readonly string[]): Promise<KeyColumnType[]> {
  const rows = await session.query(
    `SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = ${quoteText(table.database)} AND TABLE_NAME = ${quoteText(table.name)}`,
  );
  return names.map((name) => {
    const [, type = '', charset, collation] = (rows as (string | null)[][]).find(([column]) => column === name) ?? [];
    return { kind: keyColumn(name, type!, false).kind ?? 'other', charset: charset ?? undefined, collation: collation ?? undefined };
  });
}
