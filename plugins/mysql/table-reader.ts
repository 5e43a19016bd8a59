import type { Column, Json, PluginContext, Reader, Schema, Split } from 'dray/sdk';
import { Connections } from '../_sql/connections.ts';
import { rangeCondition } from '../_sql/key-range.ts';
import { isTable, type Part, partsOf, selectExpressions } from '../_sql/parts.ts';
import { splitKeys } from '../_sql/split-keys.ts';
import { condition } from '../_sql/table-names.ts';
import { columnTypes, findTable, tableColumns } from './catalog.ts';
import { connectFirst, hasWindowFunctions, quoteName, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { keyColumn, keyDialect, keyState, stateOf } from './key-columns.ts';
import { openKeySource } from './key-source.ts';
import type { MysqlReaderOptions } from './reader.ts';
import { rowSource, streamRows } from './row-stream.ts';
import { tableParts } from './table-parts.ts';
import { type CellForm, describeField, type ResultField } from './types.ts';

export function openReader(options: MysqlReaderOptions, context: PluginContext): Reader {
  const sessions = new Connections<Session>(
    (connection) => connectFirst(options.connection[connection]!.jdbcUrl, options, { role: 'reader', signal: context.signal }),
    (session) => session.close(),
  );
  const parts = partsOf(options.connection);
  const where = options.where === undefined ? undefined : condition(options.where);
  return {
    async schema() {
      const [first] = parts;
      const session = await sessions.get(first.connection);
      const { columns } = await describe(session, first, options);
      return { columns: first.table === undefined ? columns : await withCatalogTypes(session, first.table, columns) };
    },

    async split() {
      const splits: Split[] = [];
      for (const connection of new Set(parts.map((part) => part.connection))) {
        const session = await sessions.get(connection);
        const own = parts.filter((part) => part.connection === connection);
        splits.push(...(await tableParts(session, own.filter(isTable), { splitPk: options.splitPk, where }, context)));
        for (const part of own.filter((one) => !isTable(one))) splits.push(await queryPart(session, part, options, context));
      }
      return splits;
    },

    async openKey({ part, name }, key) {
      const { connection, table, query } = part as unknown as Part;
      const session = await sessions.get(connection);
      const place = { session, key, name, hasWindowFunctions: await hasWindowFunctions(session) };
      if (table === undefined) return openKeySource({ ...place, from: `(${query}) AS source`, where: undefined, columns: [] });
      const found = await findTable(session, table);
      return openKeySource({ ...place, from: found.sql, where, columns: await columnTypes(session, found, key.columns) });
    },

    async read(split, out) {
      const part = split.part as unknown as Part;
      const session = await sessions.get(part.connection);
      try {
        const { columns, forms, expressions } = await describe(session, part, options);
        const sql = selectOf(part, split, await fromOf(session, part), { expressions, columns, options });
        await streamRows(session, sql, out, { forms, source: await rowSource(session) });
      } catch (error) {
        throw serverFault(error, `read ${split.name}`);
      }
    },

    close: () => sessions.closeAll(),
  };
}

/** A query is cut only by a column of its result that the job file names. */
async function queryPart(session: Session, part: Part, options: MysqlReaderOptions, context: PluginContext): Promise<Split> {
  const split: Split = { name: 'querySql', part: part as unknown as Json };
  if (options.splitPk === undefined) return split;
  const { columns } = await describe(session, part, options);
  const known = columns.map(({ name, nativeType = '', isNullable }) => keyColumn(name, nativeType.replace(/[( ].*$/, ''), isNullable));
  return {
    ...split,
    keys: splitKeys({ table: 'query', columns: known, indexes: [], stateOf: keyState, lacksStatistics: false }, options.splitPk, context),
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

interface Selection {
  readonly expressions: readonly string[];
  readonly columns: readonly Column[];
  readonly options: MysqlReaderOptions;
}

function selectOf(part: Part, { range }: Split, from: string, { expressions, columns, options }: Selection): string {
  const select = expressions.map((expression, index) => rendered(expression, columns[index]!, options));
  const state = range === undefined ? undefined : stateOf(range);
  const conditions = [
    ...(part.table === undefined || options.where === undefined ? [] : [condition(options.where)]),
    ...(range === undefined ? [] : [rangeCondition(range, keyDialect(state!)) ?? 'TRUE']),
  ];
  // Left to itself the optimizer may read the whole table for each range. With a condition of the user's it may know a better index.
  const hint = state?.index === undefined || options.where !== undefined ? '' : ` FORCE INDEX (${quoteName(state.index)})`;
  return `SELECT ${select.join(', ')} FROM ${from}${hint}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** FLOAT prints only six digits (FLOAT(M,D) all that count); as a double it prints all. All else becomes canonical while it is read. */
function rendered(expression: string, { mantissaBits, scale, type }: Column, { zeroDate }: MysqlReaderOptions): string {
  if (mantissaBits === 24 && scale === undefined) return `(${expression}) + 0e0`;
  if (zeroDate === 'null' && (type === 'date' || type === 'timestamp' || type === 'timestamptz')) {
    return `CASE WHEN DAYOFMONTH(${expression}) = 0 OR MONTH(${expression}) = 0 THEN NULL ELSE ${expression} END`;
  }
  return expression;
}
