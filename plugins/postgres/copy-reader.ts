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
import { Connections } from '../_sql/connections.ts';
import { rangeCondition } from '../_sql/key-range.ts';
import { isTable, type Part, partsOf, selectExpressions } from '../_sql/parts.ts';
import { condition } from '../_sql/table-names.ts';
import { findTable, tableColumns } from './catalog.ts';
import { type Client, connectFirst, disconnect, quoteName } from './connection.ts';
import { hasForeignEscape, withCanonicalEscapes } from './escapes.ts';
import { explained } from './explain.ts';
import { serverFault } from './faults.ts';
import { keyDialect, openKeySource, stateOf } from './key-source.ts';
import type { PostgresReaderOptions } from './reader.ts';
import { queryKeys, tableParts } from './table-parts.ts';
import { columnsOf } from './types.ts';

export function openReader(options: PostgresReaderOptions, context: PluginContext): Reader {
  const connect = (connection: number) => connectFirst(options.connection[connection]!.jdbcUrl, options, context.signal);
  const clients = new Connections<Client>(connect, disconnect);
  /** Each holds a transaction open, in whose snapshot tasks can read. */
  const snapshots = new Connections<Snapshot>(
    async (connection) => exportSnapshot(await connect(connection)),
    ({ client }) => disconnect(client),
  );
  const where = options.where === undefined ? undefined : condition(options.where);
  const parts = partsOf(options.connection);
  return {
    async schema() {
      const [first] = parts;
      const client = await clients.get(first.connection);
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
      const { splitPk } = options;
      for (const connection of new Set(parts.map((part) => part.connection))) {
        const client = await clients.get(connection);
        const own = parts.filter((part) => part.connection === connection);
        splits.push(...(await tableParts(client, own.filter(isTable), { splitPk, where }, context)));
        for (const part of own.filter((one) => !isTable(one))) splits.push(await queryPart(client, part, splitPk, context));
      }
      return splits;
    },

    async openKey({ part, name, estimatedRows = 0 }, key) {
      const { connection, table, query } = part as unknown as Part;
      const client = await clients.get(connection);
      const snapshot = async () => (await snapshots.get(connection)).id;
      const place = { client, key, name, estimatedRows, snapshot };
      if (table === undefined) return openKeySource({ ...place, from: `(${query}) AS source`, table: undefined, where: undefined });
      const found = await findTable(client, table);
      return openKeySource({ ...place, from: found.sql, table: found, where });
    },

    async read(split, out, signal) {
      const part = split.part as unknown as Part;
      const client = await clients.get(part.connection);
      try {
        const select = await selectOf(client, part, split, options, out.schema);
        await inSnapshot(client, split.range === undefined ? undefined : stateOf(split.range).snapshot, () =>
          copyOut(client, select, out, signal),
        );
      } catch (error) {
        throw serverFault(error, `read ${split.name}`);
      }
    },

    async close() {
      await Promise.all([clients.closeAll(), snapshots.closeAll()]);
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

/** A query is cut only by a column of its result that the job file names. */
async function queryPart(client: Client, part: Part, splitPk: string | undefined, context: PluginContext): Promise<Split> {
  const split: Split = { name: 'querySql', part: part as unknown as Json };
  const from = `(${part.query}) AS source`;
  const { rows, width } = await explained(client, `SELECT * FROM ${from}`).catch((error: unknown) => {
    throw serverFault(error, 'ask for the plan of querySql');
  });
  const sized = { ...split, estimatedRows: rows, estimatedBytes: rows * width };
  if (splitPk === undefined) return sized;
  return { ...sized, keys: await queryKeys(client, from, splitPk, context) };
}

interface Snapshot {
  readonly id: string;
  readonly client: Client;
}

/** Begins a transaction whose snapshot others can read in as long as it is open (pg_export_snapshot). */
async function exportSnapshot(client: Client): Promise<Snapshot> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  return { id: rows[0]!.id, client };
}

async function inSnapshot(client: Client, snapshot: string | undefined, read: () => Promise<void>): Promise<void> {
  if (snapshot === undefined) return read();
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`);
  await read();
  await client.query('COMMIT');
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
    ...(range === undefined ? [] : [rangeCondition(range, keyDialect(stateOf(range))) ?? 'true']),
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
