import type { Column } from 'dray/sdk';
import { nameOf, type Part } from '../_sql/parts.ts';
import { type PlannedPlace, requirePlanned, schemaChanged } from '../_sql/planned-columns.ts';
import { withOwn } from '../_sql/shard-columns.ts';
import type { TableColumn } from './catalog.ts';
import { quoteName, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { type CellForm, describeField, type ResultField } from './types.ts';

/** A table or a query, as SQL reads it. */
export interface Source {
  /** What stands behind FROM. */
  readonly from: string;
  /** Of the table; of a query none. */
  readonly columns: readonly TableColumn[];
}

export interface Described {
  readonly columns: readonly Column[];
  readonly forms: readonly CellForm[];
  /** SQL of each column. */
  readonly expressions: readonly string[];
}

/** Columns of a table or query, as the server describes the result. `expressions`: SQL of the columns; of a query `*`. */
export async function describe(session: Session, part: Part, source: Source, expressions: readonly string[]): Promise<Described> {
  const fields = await fieldsOf(session, source.from, expressions).catch((error: unknown) => {
    throw serverFault(error, `read the columns of ${nameOf(part)}`);
  });
  return describedBy(fields, part, source.columns, expressions);
}

export interface PlannedRead {
  readonly part: Part;
  /** What stands behind FROM. */
  readonly from: string;
  readonly expressions: readonly string[];
  readonly planned: readonly Column[];
  /** By place: columns that the reader makes itself are as they were planned. */
  readonly own: readonly boolean[];
  /** Looks into the catalog. */
  readonly tableColumns: () => Promise<readonly TableColumn[]>;
}

/** What a read of each part has found to be as planned; most tasks of a reader find the same again, and need not look into the catalog. */
export type Verified = Map<string, { readonly fields: string; readonly described: Described }>;

/**
 * `describe` for a read, in the transaction that then reads: from now on nobody can change the table until its end.
 * @throws DrayError SCHEMA_CHANGED
 */
export async function describeAsPlanned(session: Session, read: PlannedRead, verified: Verified): Promise<Described> {
  const { part, from, expressions, planned, own } = read;
  const place: PlannedPlace = { name: part.table === undefined ? nameOf(part) : `table ${nameOf(part)}`, isPlanned: part.isFirst === true };
  const found = await fieldsOf(session, from, expressions).catch((error: unknown) => {
    const fault = serverFault(error, `read the columns of ${nameOf(part)}`);
    if (fault.code !== 'COLUMN_MISSING' && fault.code !== 'TABLE_MISSING') throw fault;
    throw schemaChanged(place, (error as Error).message, fault);
  });
  const key = JSON.stringify(part);
  const fields = JSON.stringify(found);
  const known = verified.get(key);
  if (known?.fields === fields) return known.described;
  const asRead = describedBy(found, part, await read.tableColumns(), expressions);
  const described = { ...asRead, columns: withOwn(asRead.columns, planned, own) };
  requirePlanned(planned, described.columns, place);
  verified.set(key, { fields, described });
  return described;
}

function describedBy(
  fields: readonly ResultField[],
  { table }: Part,
  known: readonly TableColumn[],
  expressions: readonly string[],
): Described {
  const described = fields.map(describeField);
  return {
    columns: described.map((one) => withCatalogType(one.column, known)),
    forms: described.map((one) => one.form),
    expressions: table === undefined ? fields.map(({ name }) => quoteName(name)) : expressions,
  };
}

async function fieldsOf(session: Session, from: string, expressions: readonly string[]): Promise<ResultField[]> {
  const fields = await resultFields(session, `SELECT ${expressions.join(', ')} FROM ${from} LIMIT 0`);
  return fields.map(({ name, columnType, flags, characterSet, columnLength, decimals }) => {
    return { name, columnType, flags, characterSet, columnLength, decimals };
  });
}

function resultFields({ connection }: Session, sql: string): Promise<ResultField[]> {
  return new Promise((resolve, reject) => {
    connection.query({ sql, rowsAsArray: true }, (error, _rows, fields) => {
      if (error === null) resolve(fields as unknown as ResultField[]);
      else reject(error);
    });
  });
}

/** A result does not say the values of an enum or the name of a type like uuid; the catalog does, for columns of the table. */
function withCatalogType(column: Column, known: readonly Column[]): Column {
  const match = known.find(({ name, type }) => name === column.name && type === column.type);
  // An expression may have the name of a column: bits are told from other texts by their form.
  return match?.nativeType === undefined || isBit(match) !== isBit(column) ? column : { ...column, nativeType: match.nativeType };
}

function isBit({ nativeType = '' }: Column): boolean {
  return nativeType.startsWith('bit');
}
