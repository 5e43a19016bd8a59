import { type Column, DrayError, type Json, type PluginContext, type Reader, type RecordOutput, type Schema, type Split } from 'dray/sdk';
import { Connections } from '../_sql/connections.ts';
import { ExpectedParts, type TablePart } from '../_sql/expected-parts.ts';
import { FirstRows, leftOutKeys } from '../_sql/first-rows.ts';
import { withDatabase } from '../_sql/jdbc-url.ts';
import { rangeCondition } from '../_sql/key-range.ts';
import { isTable, nameOf, type Part, partsIn, placeOfSession, sessionOf } from '../_sql/parts.ts';
import { placesOf } from '../_sql/places.ts';
import { type PlannedPlace, requirePlanned, requireTable, schemaChanged } from '../_sql/planned-columns.ts';
import { type OwnValues, plannedBy, withOwn } from '../_sql/shard-columns.ts';
import { requireDistinctKeys } from '../_sql/shard-keys.ts';
import { ShardedSource } from '../_sql/sharded-source.ts';
import { sideBySide } from '../_sql/side-by-side.ts';
import { condition } from '../_sql/table-names.ts';
import { binaryFormOf, hasCommonForms } from './binary-forms.ts';
import { columnsOfTables, findTable, lookForTables, type Table, tableColumns } from './catalog.ts';
import { type Client, connectReader, disconnect, quoteName, quoteText } from './connection.ts';
import { copyOut } from './copy-out.ts';
import { explained } from './explain.ts';
import { serverFault } from './faults.ts';
import { healthQuestions, serversOf } from './health.ts';
import { keyDialect, openKeySource, stateOf } from './key-source.ts';
import { isSessionAlive } from './liveness.ts';
import type { PostgresReaderOptions } from './reader.ts';
import { columnsOfFields, resultColumns, resultFields } from './result-columns.ts';
import { entrance, mostOpen, postgresShards } from './shard-dialect.ts';
import { keysOf } from './shard-keys.ts';
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

const keyOf = (part: TablePart) => `${sessionOf(part)} ${part.table}`;

/** Databases that are asked side by side. */
const mostSessions = 4;

export function openReader(options: PostgresReaderOptions, context: PluginContext): Reader {
  const places = placesOf(options.connection, entrance);
  const where = options.where === undefined ? undefined : condition(options.where);
  const servers = serversOf({ ...options, connection: places });
  const health = healthQuestions(servers, options, context);
  const connect = async (key: string, dropped: AbortSignal) => {
    const { connection, database } = placeOfSession(key);
    const { jdbcUrl } = places[connection]!;
    const urls = database === undefined ? jdbcUrl : jdbcUrl.map((url) => withDatabase(url, database));
    const client = await connectReader(urls, options, AbortSignal.any([context.signal, dropped]));
    servers.answered(connection, client);
    return client;
  };
  const clients = new Connections<Client>(connect, disconnect);
  const logical = new ShardedSource(places, postgresShards(clients, servers), { quoteName, quoteText }, options, context.warn);
  /** Parts that are read, by session. */
  const parts = new Map<string, Part[]>();
  const know = (all: readonly Part[]) => {
    for (const part of all) parts.set(sessionOf(part), [...(parts.get(sessionOf(part)) ?? []), part]);
  };
  /** Each holds a transaction open, in whose snapshot tasks can read. */
  const snapshots = new Connections<ExportedSnapshot>(
    async (key, dropped) => {
      const tables = (parts.get(key) ?? []).filter(isTable).map(({ table }) => table);
      return exportSnapshot(await connect(key, dropped), tables);
    },
    ({ client }) => disconnect(client),
  );
  const firstRead = places.findIndex(({ tables, queries }) => tables.length + queries.length > 0);
  const sources = new Map<string, Source>();
  const expected = new ExpectedParts();
  const verified = new Set<string>();
  let joined: SnapshotToken = {};
  /** Known once the run is planned, where rows of later tables are left out. */
  let firstRows: FirstRows | undefined;
  /** The session of the `read` that is pending, if it is open by now. */
  let reading: Client | 'connecting' | undefined;

  /** Looked up once: whether it still is what was planned is seen when it is read. */
  async function sourceOf(client: Client, part: Part): Promise<Source> {
    const { table, query } = part;
    if (table === undefined) return { from: `(${query}) AS source`, table, columns: [] };
    const key = keyOf({ ...part, table });
    const known = sources.get(key);
    if (known !== undefined) return known;
    // What one of them says (a right that is missing, say) is told when that one is read.
    await lookUpAll(client, expected.with(part)).catch(() => undefined);
    return sources.get(key) ?? (await lookUp(client, key, table));
  }

  async function lookUp(client: Client, key: string, name: string): Promise<Source> {
    const table = await findTable(client, name);
    const source = { from: table.sql, table, columns: await tableColumns(client, table) };
    sources.set(key, source);
    return source;
  }

  /** Three statements instead of three for each. One that is missing is told of when it is read. */
  async function lookUpAll(client: Client, all: readonly TablePart[]): Promise<void> {
    if (all.length === 0) return;
    const names = all.map(({ table }) => table);
    const tables = await lookForTables(client, names);
    const found = tables.filter((table) => table !== undefined);
    const columns = await columnsOfTables(client, found);
    for (const [index, part] of all.entries()) {
      const table = tables[index];
      if (table !== undefined) sources.set(keyOf(part), { from: table.sql, table, columns: columns[found.indexOf(table)]! });
    }
  }

  /** What the reader itself says of the rows of a part. */
  function valuesOf({ connection, database = servers.databaseOf(connection), lacks = [] }: Part, { schema, name }: Table): OwnValues {
    return { shard: `${servers.nameOf(connection)}/${database}/${schema}`, table: name, lacks };
  }

  async function readPart(client: Client, split: Split, out: RecordOutput, signal: AbortSignal) {
    const { columns } = out.schema;
    const isBinary = out.forms !== undefined;
    if (isBinary && !hasCommonForms(client)) throw new DrayError('NOT_STRAIGHT', `times of ${split.name} are no integers`);
    const part = split.part as unknown as Part;
    const { range } = split;
    const source = await requireTable(nameOf(part), sourceOf(client, part));
    const { expressions: names, own } =
      source.table === undefined
        ? { expressions: columns.map(({ name }) => quoteName(name)), own: [] }
        : logical.planned(columns, source.columns, valuesOf(part, source.table));
    const snapshot = joined[sessionOf(part)] ?? (range === undefined ? undefined : stateOf(range).snapshot);
    await beginRead(client, snapshot);
    await requireAsPlanned(client, { names, own, source, part, verified }, columns, snapshot);
    const select = selectOf(split, { names, columns, isBinary, from: source.from, where: source.table === undefined ? undefined : where });
    await copyOut(client, select, out, signal);
    await client.query('COMMIT');
  }

  return {
    async schema(planned) {
      const { parts: all, shared } = await logical.known(planned);
      const [part] = all;
      const client = await clients.get(sessionOf(part));
      const { from, table, columns } = await sourceOf(client, part);
      const what = nameOf(part);
      if (table === undefined) return { columns: await resultColumns(client, `SELECT * FROM ${from} LIMIT 0`, what) };
      const { expressions, names, own } = logical.selected(shared, columns, valuesOf(part, table));
      const described = await resultColumns(client, `SELECT ${expressions.join(', ')} FROM ${from} LIMIT 0`, what);
      return { columns: plannedBy(described, names, own, shared) };
    },

    async split() {
      const known = await logical.known();
      know(known.parts);
      const { collisions } = options.shards;
      const facts = {
        splitPk: options.splitPk,
        where,
        needsKeys: collisions === 'fail' || collisions === 'keep-first',
        shardOf: logical.isSharded ? (part: Part, table: Table) => valuesOf(part, table).shard : undefined,
      };
      const perSession = await sideBySide([...parts], mostSessions, async ([key, own]) => {
        const client = await clients.get(key);
        const splits = await tableParts(client, own.filter(isTable), facts, context);
        for (const part of own.filter((one) => !isTable(one))) splits.push(await queryPart(client, part, options.splitPk, context));
        await clients.closeBeyond(mostOpen, key);
        return splits;
      });
      const splits = perSession.flat();
      if (!logical.isSharded) return splits;
      const keys = (split: Split) => keysOf(split, clients, where);
      if (collisions === 'fail') await requireDistinctKeys(splits, keys, context.warn);
      if (collisions === 'keep-first') firstRows = await FirstRows.find(splits, keys, context.warn);
      return splits.map((split) => firstRows?.cuttable(split) ?? split);
    },

    deliversForms: ({ columns }, { layout, forms }) =>
      layout === 'binary' && logical.isOne && columns.every((column, index) => binaryFormOf(column) === forms[index]),

    leftOut: (split) => firstRows?.leftOut(split),

    async openKey({ part, name, estimatedRows = 0 }, key) {
      const { table, query } = part as unknown as Part;
      const session = sessionOf(part as unknown as Part);
      await clients.keep(mostOpen);
      const client = await clients.get(session);
      const place = { client, key, name, estimatedRows, snapshot: () => snapshots.get(session) };
      if (table === undefined) return openKeySource({ ...place, from: `(${query}) AS source`, table: undefined, where: undefined });
      const found = await findTable(client, table);
      return openKeySource({ ...place, from: found.sql, table: found, where });
    },

    async openSnapshot({ splits }) {
      const read = partsIn(splits);
      if (parts.size === 0) know(read);
      const opened = new Map<string, ExportedSnapshot>();
      for (const key of new Set(read.map(sessionOf))) opened.set(key, await snapshots.get(key));
      return openSnapshotOf(opened);
    },

    async joinSnapshot(token) {
      joined = token as unknown as SnapshotToken;
    },

    expect: (splits) => expected.expect(splits, (part) => sources.has(keyOf(part))),

    async read(split, out, signal) {
      signal.throwIfAborted();
      const key = sessionOf(split.part as unknown as Part);
      // A reader that is kept goes on with another session, in the same snapshot.
      const drop = () => clients.drop(key, signal.reason);
      signal.addEventListener('abort', drop, { once: true });
      reading = 'connecting';
      try {
        await clients.keep(mostOpen);
        const client = await clients.get(key);
        reading = client;
        await readPart(client, split, out, signal);
      } catch (error) {
        clients.drop(key, error);
        throw serverFault(error, `read ${split.name}`);
      } finally {
        reading = undefined;
        signal.removeEventListener('abort', drop);
      }
    },

    // A connection that is not there after ten seconds does not come any more.
    isAlive: async () => reading !== 'connecting' && (reading === undefined || (await isSessionAlive(reading))),

    resource: (split) => servers.of(split === undefined ? firstRead : (split.part as unknown as Part).connection),

    health: (resource, signal) => health.ask(resource, signal),

    async close() {
      await Promise.all([clients.closeAll(), snapshots.closeAll(), health.close()]);
    },
  };
}

/** A query is cut only by a column of its result that the job file names. */
async function queryPart(client: Client, part: Part, splitPk: string | undefined, context: PluginContext): Promise<Split> {
  const split: Split = { name: nameOf(part), part: part as unknown as Json };
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
  /** By place: columns that the reader makes itself are as they were planned. */
  readonly own: readonly boolean[];
  /** Parts and fields that were found to be as planned. */
  readonly verified: Set<string>;
}

/** In the transaction that then reads: from now on nobody can change the table until its end. */
async function requireAsPlanned(
  client: Client,
  { names, own, source, part, verified }: Looked,
  planned: readonly Column[],
  snapshot: SnapshotRef | undefined,
): Promise<void> {
  const name = part.table === undefined ? nameOf(part) : `table ${nameOf(part)}`;
  const place: PlannedPlace = { name, isPlanned: part.isFirst === true };
  const fields = await resultFields(client, `SELECT ${names.join(', ')} FROM ${source.from} LIMIT 0`, name).catch((error: unknown) => {
    if (!(error instanceof DrayError) || (error.code !== 'COLUMN_MISSING' && error.code !== 'TABLE_MISSING')) throw error;
    throw schemaChanged(place, (error.cause as Error).message, error);
  });
  // Most tasks of a reader find the same again.
  const found = JSON.stringify([part, fields]);
  if (!verified.has(found)) requirePlanned(planned, withOwn(await columnsOfFields(client, fields), planned, own), place);
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
  readonly isBinary: boolean;
  readonly from: string;
  readonly where: string | undefined;
}

/** The SELECT of a split. As text booleans are cast, because COPY prints them `t` and `f`; every other type prints its canonical text. */
function selectOf(split: Split, { names, columns, isBinary, from, where }: Selection): string {
  const { range } = split;
  const select = names.map((name, index) => (columns[index]?.type === 'boolean' && !isBinary ? `(${name})::text` : name));
  const leftOut = leftOutKeys(split);
  const conditions = [
    ...(where === undefined ? [] : [where]),
    ...(leftOut === undefined ? [] : [lacks(quoteName(leftOut.column), leftOut.keys)]),
    ...(range === undefined ? [] : [rangeCondition(range, keyDialect(stateOf(range))) ?? 'true']),
  ];
  return `SELECT ${select.join(', ')} FROM ${from}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** An anti-join, which is hashed however many keys there are; `NOT IN (1, 2, …)` compares row by row before PostgreSQL 15. */
function lacks(column: string, keys: string): string {
  return `NOT EXISTS (SELECT 1 FROM unnest('{${keys}}'::bigint[]) AS dray_left_out(dray_key) WHERE dray_key = ${column}::bigint)`;
}
