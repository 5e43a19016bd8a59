import { once } from 'node:events';
import {
  DrayError,
  type Json,
  LF,
  type PluginContext,
  type Reader,
  RecordBatch,
  type RecordOutput,
  type Schema,
  type Split,
} from 'dray/sdk';
import { to as copyTo } from 'pg-copy-streams';
import { rangeCondition } from '../_sql/key-range.ts';
import { type Part, partsOf, selectExpressions, splitColumn } from '../_sql/parts.ts';
import { condition } from '../_sql/table-names.ts';
import { findTable, keyBounds, type Table, tableColumns } from './catalog.ts';
import { type Client, connectFirst, disconnect, quoteName } from './connection.ts';
import { hasForeignEscape, withCanonicalEscapes } from './escapes.ts';
import { serverFault } from './faults.ts';
import type { PostgresReaderOptions } from './reader.ts';
import { columnsOf } from './types.ts';

export function openReader(options: PostgresReaderOptions, context: PluginContext): Reader {
  const clients = new Map<number, Client>();
  const clientOf = async (connection: number): Promise<Client> => {
    const open = clients.get(connection);
    if (open !== undefined) return open;
    const client = await connectFirst(options.connection[connection]!.jdbcUrl, options, context.signal);
    clients.set(connection, client);
    return client;
  };
  const parts = partsOf(options.connection);
  return {
    async schema() {
      const [first] = parts;
      const client = await clientOf(first.connection);
      const from = await sourceOf(client, first);
      const names = first.table === undefined ? ['*'] : await expressions(client, options.column, first.table);
      const result = await client
        .query({ text: `SELECT ${names.join(', ')} FROM ${from} LIMIT 0`, rowMode: 'array' })
        .catch((error: unknown) => {
          throw serverFault(error, `read the columns of ${first.table ?? 'querySql'}`);
        });
      const notNull = await notNullColumns(client, result.fields);
      const columns = await columnsOf(
        client,
        result.fields.map((field, index) => ({
          name: field.name,
          oid: field.dataTypeID,
          typmod: field.dataTypeModifier,
          isNullable: !notNull.has(index),
        })),
      );
      return { columns };
    },

    async split() {
      const splits: Split[] = [];
      for (const part of parts) splits.push(await splitOf(await clientOf(part.connection), part, options, context));
      return splits;
    },

    async read(split, out, signal) {
      const part = split.part as unknown as Part;
      const client = await clientOf(part.connection);
      try {
        await copyOut(client, await selectOf(client, part, split, options, out.schema), out, signal);
      } catch (error) {
        throw serverFault(error, `read ${split.name}`);
      }
    },

    async close() {
      await Promise.all([...clients.values()].map(disconnect));
    },
  };
}

/** What stands behind FROM. */
async function sourceOf(client: Client, part: Part): Promise<string> {
  return part.table === undefined ? `(${part.query}) AS source` : (await findTable(client, part.table)).sql;
}

async function expressions(client: Client, wanted: readonly string[], tableName: string): Promise<string[]> {
  return selectExpressions(wanted, await tableColumns(client, await findTable(client, tableName)), quoteName);
}

/** Indexes of result columns that are plain table columns declared NOT NULL. */
async function notNullColumns(client: Client, fields: readonly { tableID: number; columnID: number }[]): Promise<Set<number>> {
  const { rows } = await client.query<{ place: number }>(
    `SELECT f.place::int AS place FROM unnest($1::int8[], $2::int2[]) WITH ORDINALITY AS f(relation, number, place)
     JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.number WHERE a.attnotnull AND a.attnum > 0`,
    [fields.map(({ tableID }) => tableID), fields.map(({ columnID }) => columnID)],
  );
  return new Set(rows.map(({ place }) => place - 1));
}

async function splitOf(client: Client, part: Part, options: PostgresReaderOptions, context: PluginContext): Promise<Split> {
  const json = part as unknown as Json;
  if (part.table === undefined) return { name: 'querySql', part: json };
  const table = await findTable(client, part.table);
  const column = splitColumn(await tableColumns(client, table), options.splitPk, part.table, context);
  const where = options.where === undefined ? undefined : condition(options.where);
  const key = column === undefined ? undefined : await keyBounds(client, table, column, where);
  return { name: part.table, part: json, ...sizesOf(table), ...(key === undefined ? {} : { key }) };
}

function sizesOf({ estimatedRows, bytes }: Table): Pick<Split, 'estimatedRows' | 'estimatedBytes'> {
  return estimatedRows < 0 ? {} : { estimatedRows, estimatedBytes: bytes };
}

/** The SELECT of a split. Booleans are cast, because COPY prints them `t` and `f`; every other type prints its canonical text. */
async function selectOf(
  client: Client,
  part: Part,
  { range }: Split,
  options: PostgresReaderOptions,
  { columns }: Schema,
): Promise<string> {
  const from = await sourceOf(client, part);
  const names =
    part.table === undefined ? columns.map(({ name }) => quoteName(name)) : await expressions(client, options.column, part.table);
  const select = names.map((name, index) => (columns[index]?.type === 'boolean' ? `(${name})::text` : name));
  const conditions = [
    ...(part.table === undefined || options.where === undefined ? [] : [condition(options.where)]),
    ...(range === undefined ? [] : [rangeCondition(range, quoteName(range.column)) ?? 'true']),
  ];
  return `SELECT ${select.join(', ')} FROM ${from}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** Passes the bytes of COPY through, in batches of whole rows. */
async function copyOut(client: Client, select: string, out: RecordOutput, signal: AbortSignal): Promise<void> {
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT`, { highWaterMark: 256 * 1024 }));
  const { builder } = out;
  const canHoldEscapes = out.schema.columns.some(({ type }) => type === 'string' || type === 'json');
  const send = async () => {
    const batch = builder.take();
    if (batch === undefined) return;
    const isForeign = canHoldEscapes && hasForeignEscape(batch.bytes);
    await out.send(isForeign ? new RecordBatch(batch.schema, withCanonicalEscapes(batch.bytes), batch.rowCount) : batch);
  };
  /** Start of a row whose end has not come yet; joined only once, for a row may be a gigabyte. */
  let rest: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    const lastEnd = chunk.lastIndexOf(LF) + 1;
    if (lastEnd === 0) {
      rest.push(chunk);
      continue;
    }
    builder.reserve(rest.reduce((sum, { length }) => sum + length, lastEnd));
    let end = builder.position;
    for (const part of rest) end += part.copy(builder.buffer, end);
    end += chunk.copy(builder.buffer, end, 0, lastEnd);
    let rows = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) rows++;
    builder.advance(end, rows);
    rest = lastEnd === chunk.length ? [] : [Buffer.from(chunk.subarray(lastEnd))];
    if (builder.isFull) await send();
  }
  if (rest.length > 0) throw new DrayError('CONNECTION_LOST', 'the server ended its COPY in the middle of a row');
  await send();
  if (!stream.readableEnded) await once(stream, 'end');
}
