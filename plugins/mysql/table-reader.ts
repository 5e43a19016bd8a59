import type { Column, Json, PluginContext, Reader, Schema, Split } from 'dray/sdk';
import { rangeCondition } from '../_sql/key-range.ts';
import { type Part, partsOf, selectExpressions, splitColumn } from '../_sql/parts.ts';
import { condition } from '../_sql/table-names.ts';
import { findTable, keyBounds, tableColumns } from './catalog.ts';
import { connectFirst, quoteName, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import type { MysqlReaderOptions } from './reader.ts';
import { rowSource, streamRows } from './row-stream.ts';
import { type CellForm, describeField, type ResultField } from './types.ts';

export function openReader(options: MysqlReaderOptions, context: PluginContext): Reader {
  const sessions = new Map<number, Session>();
  const sessionOf = async (connection: number): Promise<Session> => {
    const open = sessions.get(connection);
    if (open !== undefined) return open;
    const session = await connectFirst(options.connection[connection]!.jdbcUrl, options, { role: 'reader', signal: context.signal });
    sessions.set(connection, session);
    return session;
  };
  const parts = partsOf(options.connection);
  return {
    async schema() {
      const [first] = parts;
      const session = await sessionOf(first.connection);
      const { columns } = await describe(session, first, options);
      return { columns: first.table === undefined ? columns : await withCatalogTypes(session, first.table, columns) };
    },

    async split() {
      const splits: Split[] = [];
      for (const part of parts) splits.push(await splitOf(await sessionOf(part.connection), part, options, context));
      return splits;
    },

    async read(split, out) {
      const part = split.part as unknown as Part;
      const session = await sessionOf(part.connection);
      try {
        const { columns, forms, expressions } = await describe(session, part, options);
        const sql = selectOf(part, split, await fromOf(session, part), { expressions, columns, options });
        await streamRows(session, sql, out, { forms, source: await rowSource(session) });
      } catch (error) {
        throw serverFault(error, `read ${split.name}`);
      }
    },

    async close() {
      await Promise.all([...sessions.values()].map((session) => session.close()));
    },
  };
}

interface Described extends Schema {
  readonly forms: readonly CellForm[];
  /** SQL of each column. */
  readonly expressions: readonly string[];
}

/** Columns of a table or query, as the server describes the result. */
async function describe(session: Session, part: Part, { column }: MysqlReaderOptions): Promise<Described> {
  const from = await fromOf(session, part);
  const wanted =
    part.table === undefined
      ? ['*']
      : selectExpressions(column, await tableColumns(session, await findTable(session, part.table)), quoteName);
  const fields = await resultFields(session, `SELECT ${wanted.join(', ')} FROM ${from} LIMIT 0`).catch((error: unknown) => {
    throw serverFault(error, `read the columns of ${part.table ?? 'querySql'}`);
  });
  const described = fields.map(describeField);
  return {
    columns: described.map((one) => one.column),
    forms: described.map((one) => one.form),
    expressions: part.table === undefined ? fields.map(({ name }) => quoteName(name)) : wanted,
  };
}

async function fromOf(session: Session, { table, query }: Part): Promise<string> {
  return table === undefined ? `(${query}) AS source` : (await findTable(session, table)).sql;
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
async function withCatalogTypes(session: Session, tableName: string, columns: readonly Column[]): Promise<Column[]> {
  const known = await tableColumns(session, await findTable(session, tableName));
  return columns.map((column) => {
    const match = known.find(({ name, type }) => name === column.name && type === column.type);
    return match?.nativeType === undefined ? column : { ...column, nativeType: match.nativeType };
  });
}

async function splitOf(session: Session, part: Part, options: MysqlReaderOptions, context: PluginContext): Promise<Split> {
  const json = part as unknown as Json;
  if (part.table === undefined) return { name: 'querySql', part: json };
  const table = await findTable(session, part.table);
  const column = splitColumn(await tableColumns(session, table), options.splitPk, part.table, context);
  const where = options.where === undefined ? undefined : condition(options.where);
  const key = column === undefined ? undefined : await keyBounds(session, table, column, where);
  return {
    name: part.table,
    part: json,
    ...(table.estimatedRows === undefined ? {} : { estimatedRows: table.estimatedRows }),
    ...(table.bytes === undefined ? {} : { estimatedBytes: table.bytes }),
    ...(key === undefined ? {} : { key }),
  };
}

interface Selection {
  readonly expressions: readonly string[];
  readonly columns: readonly Column[];
  readonly options: MysqlReaderOptions;
}

function selectOf(part: Part, { range }: Split, from: string, { expressions, columns, options }: Selection): string {
  const select = expressions.map((expression, index) => rendered(expression, columns[index]!, options));
  const conditions = [
    ...(part.table === undefined || options.where === undefined ? [] : [condition(options.where)]),
    ...(range === undefined ? [] : [rangeCondition(range, quoteName(range.column)) ?? 'TRUE']),
  ];
  return `SELECT ${select.join(', ')} FROM ${from}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** FLOAT prints only six digits (FLOAT(M,D) all that count); as a double it prints all. All else becomes canonical while it is read. */
function rendered(expression: string, { mantissaBits, scale, type }: Column, { zeroDate }: MysqlReaderOptions): string {
  if (mantissaBits === 24 && scale === undefined) return `(${expression}) + 0e0`;
  if (zeroDate === 'null' && (type === 'date' || type === 'timestamp' || type === 'timestamptz')) {
    return `CASE WHEN DAYOFMONTH(${expression}) = 0 OR MONTH(${expression}) = 0 THEN NULL ELSE ${expression} END`;
  }
  return expression;
}
