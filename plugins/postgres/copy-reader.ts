import { type Column, DrayError, type Json, type PluginContext, type Reader, type Schema, type Split } from 'dray/sdk';
import { Connections } from '../_sql/connections.ts';
import { rangeCondition } from '../_sql/key-range.ts';
import { isTable, type Part, partsOf, selectExpressions } from '../_sql/parts.ts';
import { type PlannedPlace, plannedExpressions, requirePlanned, requireTable, schemaChanged } from '../_sql/planned-columns.ts';
import { condition } from '../_sql/table-names.ts';
import { findTable, type Table, tableColumns } from './catalog.ts';
import { type Client, connectReader, disconnect, quoteName } from './connection.ts';
import { copyOut } from './copy-out.ts';
import { explained } from './explain.ts';
import { serverFault } from './faults.ts';
import { healthQuestions, serversOf } from './health.ts';
import { keyDialect, openKeySource, stateOf } from './key-source.ts';
import { isSessionAlive } from './liveness.ts';
import type { PostgresReaderOptions } from './reader.ts';
import { columnsOfFields, resultColumns, resultFields } from './result-columns.ts';
import {
  beginRead,
  type ExportedSnapshot,
  exportSnapshot,
  isStillThere,
  openSnapshotOf,
  type SnapshotRef,
  type SnapshotToken,
} from './snapshot.ts';
import { queryKeys, tableParts } from './table-parts.ts';

/** A table or a query, as SQL reads it. */
interface Source {
  /** What stands behind FROM. */
  readonly from: string;
  /** undefined: a query. */
  readonly table: Table | undefined;
  /** Of the table. */
  readonly columns: readonly Column[];
}

export function openReader(options: PostgresReaderOptions, context: PluginContext): Reader {
  const parts = partsOf(options.connection);
  const where = options.where === undefined ? undefined : condition(options.where);
  const servers = serversOf(options);
  const health = healthQuestions(servers, options, context);
  const connect = async (connection: number, dropped: AbortSignal) => {
    const client = await connectReader(options.connection[connection]!.jdbcUrl, options, AbortSignal.any([context.signal, dropped]));
    servers.answered(connection, client);
    return client;
  };
  const clients = new Connections<Client>(connect, disconnect);
  /** Each holds a transaction open, in whose snapshot tasks can read. */
  const snapshots = new Connections<ExportedSnapshot>(
    async (connection, dropped) => {
      const tables = parts.filter((part) => part.connection === connection).filter(isTable);
      return exportSnapshot(
        await connect(connection, dropped),
        tables.map(({ table }) => table),
      );
    },
    ({ client }) => disconnect(client),
  );
  const sources = new Map<string, Source>();
  const verified = new Set<string>();
  let joined: SnapshotToken = {};
  /** The session of the `read` that is pending, if it is open by now. */
  let reading: Client | 'connecting' | undefined;

  /** Looked up once: whether it still is what was planned is seen when it is read. */
  async function sourceOf(client: Client, { connection, table, query }: Part): Promise<Source> {
    if (table === undefined) return { from: `(${query}) AS source`, table, columns: [] };
    const key = `${connection} ${table}`;
    const known = sources.get(key);
    if (known !== undefined) return known;
    const found = await findTable(client, table);
    const source = { from: found.sql, table: found, columns: await tableColumns(client, found) };
    sources.set(key, source);
    return source;
  }

  async function readPart(client: Client, split: Split, columns: readonly Column[], copy: (select: string) => Promise<void>) {
    const part = split.part as unknown as Part;
    const { range } = split;
    const source = await requireTable(part.table ?? '', sourceOf(client, part));
    const names =
      source.table === undefined
        ? columns.map(({ name }) => quoteName(name))
        : plannedExpressions(options.column, columns, source.columns, quoteName);
    const snapshot = joined[part.connection] ?? (range === undefined ? undefined : stateOf(range).snapshot);
    await beginRead(client, snapshot);
    await requireAsPlanned(client, { names, source, part, isFirst: isSame(part, parts[0]), verified }, columns, snapshot);
    await copy(selectOf(split, { names, columns, from: source.from, where: source.table === undefined ? undefined : where }));
    await client.query('COMMIT');
  }

  return {
    async schema() {
      const [first] = parts;
      const client = await clients.get(first.connection);
      const { from, table, columns } = await sourceOf(client, first);
      const names = table === undefined ? ['*'] : selectExpressions(options.column, columns, quoteName);
      return { columns: await resultColumns(client, `SELECT ${names.join(', ')} FROM ${from} LIMIT 0`, first.table ?? 'querySql') };
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
      const place = { client, key, name, estimatedRows, snapshot: () => snapshots.get(connection) };
      if (table === undefined) return openKeySource({ ...place, from: `(${query}) AS source`, table: undefined, where: undefined });
      const found = await findTable(client, table);
      return openKeySource({ ...place, from: found.sql, table: found, where });
    },

    async openSnapshot({ splits }) {
      const read = splits.flatMap((split) => split.members ?? [split]).map(({ part }) => (part as unknown as Part).connection);
      const opened = new Map<number, ExportedSnapshot>();
      for (const connection of new Set(read)) opened.set(connection, await snapshots.get(connection));
      return openSnapshotOf(opened);
    },

    async joinSnapshot(token) {
      joined = token as unknown as SnapshotToken;
    },

    async read(split, out, signal) {
      signal.throwIfAborted();
      const { connection } = split.part as unknown as Part;
      // A reader that is kept goes on with another session, in the same snapshot.
      const drop = () => clients.drop(connection, signal.reason);
      signal.addEventListener('abort', drop, { once: true });
      reading = 'connecting';
      try {
        const client = await clients.get(connection);
        reading = client;
        await readPart(client, split, out.schema.columns, (select) => copyOut(client, select, out, signal));
      } catch (error) {
        clients.drop(connection, error);
        throw serverFault(error, `read ${split.name}`);
      } finally {
        reading = undefined;
        signal.removeEventListener('abort', drop);
      }
    },

    // A connection that is not there after ten seconds does not come any more.
    isAlive: async () => reading !== 'connecting' && (reading === undefined || (await isSessionAlive(reading))),

    resource: (split) => servers.of(split === undefined ? parts[0].connection : (split.part as unknown as Part).connection),

    health: (resource, signal) => health.ask(resource, signal),

    async close() {
      await Promise.all([clients.closeAll(), snapshots.closeAll(), health.close()]);
    },
  };
}

function isSame(one: Part, other: Part): boolean {
  return one.connection === other.connection && one.table === other.table && one.query === other.query;
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

interface Looked {
  readonly names: readonly string[];
  readonly source: Source;
  readonly part: Part;
  /** It is the one by which was planned. */
  readonly isFirst: boolean;
  /** Parts and fields that were found to be as planned. */
  readonly verified: Set<string>;
}

/** In the transaction that then reads: from now on nobody can change the table until its end. */
async function requireAsPlanned(
  client: Client,
  { names, source, part, isFirst, verified }: Looked,
  planned: readonly Column[],
  snapshot: SnapshotRef | undefined,
): Promise<void> {
  const name = part.table === undefined ? 'querySql' : `table ${part.table}`;
  const place: PlannedPlace = { name, isPlanned: isFirst };
  const fields = await resultFields(client, `SELECT ${names.join(', ')} FROM ${source.from} LIMIT 0`, name).catch((error: unknown) => {
    if (!(error instanceof DrayError) || (error.code !== 'COLUMN_MISSING' && error.code !== 'TABLE_MISSING')) throw error;
    throw schemaChanged(place, (error.cause as Error).message, error);
  });
  // Most tasks of a reader find the same again.
  const found = JSON.stringify([part, fields]);
  if (!verified.has(found)) requirePlanned(planned, await columnsOfFields(client, fields), place);
  verified.add(found);
  if (snapshot === undefined || source.table === undefined) return;
  if (await isStillThere(client, snapshot, part.table!, source.table)) return;
  throw schemaChanged(
    { name, isPlanned: true },
    'it was written anew (TRUNCATE, ALTER TABLE, VACUUM FULL), and the snapshot does not see its rows any more',
  );
}

interface Selection {
  readonly names: readonly string[];
  readonly columns: Schema['columns'];
  readonly from: string;
  readonly where: string | undefined;
}

/** The SELECT of a split. Booleans are cast, because COPY prints them `t` and `f`; every other type prints its canonical text. */
function selectOf({ range }: Split, { names, columns, from, where }: Selection): string {
  const select = names.map((name, index) => (columns[index]?.type === 'boolean' ? `(${name})::text` : name));
  const conditions = [
    ...(where === undefined ? [] : [where]),
    ...(range === undefined ? [] : [rangeCondition(range, keyDialect(stateOf(range))) ?? 'true']),
  ];
  return `SELECT ${select.join(', ')} FROM ${from}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}
