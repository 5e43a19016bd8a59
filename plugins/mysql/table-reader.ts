import type { Column, Json, PluginContext, Reader, Split } from 'dray/sdk';
import { Connections } from '../_sql/connections.ts';
import { ExpectedParts, type TablePart } from '../_sql/expected-parts.ts';
import { FirstRows, leftOutKeys } from '../_sql/first-rows.ts';
import { withDatabase } from '../_sql/jdbc-url.ts';
import { rangeCondition } from '../_sql/key-range.ts';
import { isTable, nameOf, type Part, placeOfSession, sessionOf } from '../_sql/parts.ts';
import { placesOf } from '../_sql/places.ts';
import { requireTable } from '../_sql/planned-columns.ts';
import { type OwnValues, plannedBy } from '../_sql/shard-columns.ts';
import { requireDistinctKeys } from '../_sql/shard-keys.ts';
import { ShardedSource } from '../_sql/sharded-source.ts';
import { sideBySide } from '../_sql/side-by-side.ts';
import { splitKeys } from '../_sql/split-keys.ts';
import { condition } from '../_sql/table-names.ts';
import { isDeliveredBare } from './bare-columns.ts';
import { encoderOf } from './binary-columns.ts';
import { columnsOfTables, columnTypes, findTable, lookForTables, tableColumns } from './catalog.ts';
import { connectReader, isFrom, quoteName, quoteText, type Session, splitTableName } from './connection.ts';
import { type Described, describe, describeAsPlanned, type Source, type Verified } from './described.ts';
import { serverFault } from './faults.ts';
import { healthQuestions, serversOf } from './health.ts';
import { HeldSnapshot, snapshotFault } from './held-snapshot.ts';
import { keepSource } from './keepers.ts';
import { keyColumn, keyDialect, keyState, stateOf } from './key-columns.ts';
import { openKeySource } from './key-source.ts';
import { isReadAlive } from './read-watch.ts';
import type { MysqlReaderOptions } from './reader.ts';
import { rowSource, streamRows } from './row-stream.ts';
import { entrance, mysqlShards } from './shard-dialect.ts';
import { keysOf } from './shard-keys.ts';
import { readyForSnapshot, type SnapshotToken } from './snapshot.ts';
import { tableParts } from './table-parts.ts';
import { zeroDatesAreNull } from './zero-dates.ts';

/** Servers that are asked side by side. */
const mostSessions = 16;

export function openReader(options: MysqlReaderOptions, context: PluginContext): Reader {
  const places = placesOf(options.connection, entrance);
  const servers = serversOf({ ...options, connection: places });
  const health = healthQuestions(servers, options, context);
  const connect = async (key: string, dropped: AbortSignal) => {
    const signal = AbortSignal.any([context.signal, dropped]);
    const { connection, database } = placeOfSession(key);
    const { jdbcUrl } = places[connection]!;
    const urls = database === undefined ? jdbcUrl : jdbcUrl.map((url) => withDatabase(url, database));
    const session = await connectReader(urls, options, signal);
    servers.answered(connection, session.server);
    await leaveRowsUnlocked(session);
    return session;
  };
  const sessions = new Connections<Session>(connect, (session) => session.close());
  const keepers = new Connections<Session>(connect, (session) => session.close());
  const logical = new ShardedSource(places, mysqlShards(sessions, servers), { quoteName, quoteText }, options, context.warn);
  const where = options.where === undefined ? undefined : condition(options.where);
  const firstRead = places.findIndex(({ tables, queries }) => tables.length + queries.length > 0);
  const readied = new WeakSet<Session>();
  const sources = new Map<string, Source>();
  const expected = new ExpectedParts();
  const verified: Verified = new Map();
  /** By session. */
  const held = new Map<string, HeldSnapshot>();
  /** Known once the run is planned, where rows of later tables are left out. */
  let firstRows: FirstRows | undefined;
  /** The session of the `read` that is pending, if it is open by now. */
  let reading: Session | 'connecting' | undefined;

  /** A session that can begin a snapshot at once. */
  async function ready(key: string): Promise<Session> {
    const session = await sessions.get(key);
    if (!readied.has(session)) await readyForSnapshot(session);
    readied.add(session);
    return session;
  }

  async function sourceOf(session: Session, { table, query }: Part): Promise<Source> {
    if (table === undefined) return { from: `(${query}) AS source`, columns: [] };
    const found = await findTable(session, table);
    return { from: found.sql, columns: await tableColumns(session, found) };
  }

  /** Two statements instead of two for each; each is looked at once more where it is read. One that is missing is told of there. */
  async function lookUpAll(session: Session, parts: readonly TablePart[]): Promise<void> {
    if (parts.length === 0) return;
    const tables = await lookForTables(
      session,
      parts.map(({ table }) => table),
    );
    const found = tables.filter((table) => table !== undefined);
    const columns = await columnsOfTables(session, found);
    for (const [index, part] of parts.entries()) {
      const table = tables[index];
      if (table !== undefined) sources.set(JSON.stringify(part), { from: table.sql, columns: columns[found.indexOf(table)]! });
    }
  }

  /** What the reader itself says of the rows of a part. */
  function valuesOf({ connection, table, lacks = [] }: Part): OwnValues {
    const found = splitTableName(table ?? 'query', servers.databaseOf(connection));
    return { shard: `${servers.nameOf(connection)}/${found.database}`, table: found.table, lacks };
  }

  /** A query is cut only by a column of its result that the job file names. */
  async function queryPart(session: Session, part: Part): Promise<Split> {
    const split: Split = { name: nameOf(part), part: part as unknown as Json };
    if (options.splitPk === undefined) return split;
    const { columns } = await describe(session, part, await sourceOf(session, part), ['*']);
    const known = columns.map(({ name, nativeType = '', isNullable }) => keyColumn(name, nativeType.replace(/[( ].*$/, ''), isNullable));
    const facts = { table: 'query', columns: known, indexes: [], stateOf: keyState, lacksStatistics: false };
    return { ...split, keys: splitKeys(facts, options.splitPk, context) };
  }

  /** The SELECT of a split, in a transaction in which the table stays as it is described. */
  async function planRead(session: Session, split: Split, planned: readonly Column[]): Promise<{ sql: string; described: Described }> {
    const part = split.part as unknown as Part;
    const key = JSON.stringify(part);
    const lookUp = () => requireTable(nameOf(part), sourceOf(session, part));
    // What one of them says (a right that is missing, say) is told when that one is read.
    if (!sources.has(key)) await lookUpAll(session, expected.with(part)).catch(() => undefined);
    const { from, columns } = sources.get(key) ?? (await lookUp());
    sources.set(key, { from, columns });
    const select = part.table === undefined ? { expressions: ['*'], own: [] } : logical.planned(planned, columns, valuesOf(part));
    const catalog = async () => (await lookUp()).columns;
    const described = await describeAsPlanned(session, { part, from, ...select, planned, tableColumns: catalog }, verified);
    return { sql: selectOf(split, from, { described, where: part.table === undefined ? undefined : where, options }), described };
  }

  return {
    schema: (planned) =>
      looking('look at the columns of the source', async () => {
        const { parts, shared } = await logical.known(planned);
        const [part] = parts;
        const session = await sessions.get(sessionOf(part));
        const source = await sourceOf(session, part);
        if (part.table === undefined) return { columns: (await describe(session, part, source, ['*'])).columns };
        const { expressions, names, own } = logical.selected(shared, source.columns, valuesOf(part));
        const { columns } = await describe(session, part, source, expressions);
        return { columns: plannedBy(columns, names, own, shared) };
      }),

    split: () =>
      looking('look at the tables of the source', async () => {
        const { parts } = await logical.known();
        const ofSessions = [...new Set(parts.map(sessionOf))];
        const perSession = await sideBySide(ofSessions, mostSessions, async (key) => {
          const session = await sessions.get(key);
          const own = parts.filter((part) => sessionOf(part) === key);
          const splits = await tableParts(session, own.filter(isTable), { splitPk: options.splitPk, where }, context);
          for (const part of own.filter((one) => !isTable(one))) splits.push(await queryPart(session, part));
          return splits;
        });
        const splits = perSession.flat();
        if (!logical.isSharded) return splits;
        const keys = (split: Split) => keysOf(split, sessions, where);
        if (options.shards.collisions === 'fail') await requireDistinctKeys(splits, keys, context.warn);
        if (options.shards.collisions === 'keep-first') firstRows = await FirstRows.find(splits, keys, context.warn);
        return splits.map((split) => withShard(firstRows?.cuttable(split) ?? split, valuesOf));
      }),

    deliversForms: ({ columns }, { layout, forms }) =>
      logical.isOne &&
      columns.every((column, index) =>
        layout === 'binary' ? encoderOf(column, forms[index]!) !== undefined : isDeliveredBare(column, forms[index]!),
      ),

    leftOut: (split) => firstRows?.leftOut(split),

    async openKey({ part, name }, key) {
      return looking(`look at the keys of ${name}`, async () => {
        const { table, query } = part as unknown as Part;
        const session = await sessions.get(sessionOf(part as unknown as Part));
        const place = { session, key, name, hasWindowFunctions: await isFrom(session, { mysql: [8, 0], mariadb: [10, 2] }) };
        if (table === undefined) return openKeySource({ ...place, from: `(${query}) AS source`, where: undefined, columns: [] });
        const found = await findTable(session, table);
        return openKeySource({ ...place, from: found.sql, where, columns: await columnTypes(session, found, key.columns) });
      });
    },

    openSnapshot: (plan) => keepSource(plan, keepers),

    async connect() {
      const read = places.flatMap(({ tables, queries, databases }, connection): string[] => {
        const isQueried = queries.length > 0 && databases !== undefined;
        if (isQueried) return databases.flatMap((database) => (typeof database === 'string' ? sessionOf({ connection, database }) : []));
        return tables.length + queries.length > 0 ? [sessionOf({ connection })] : [];
      });
      await Promise.all(read.map(ready));
    },

    async joinSnapshot(token) {
      for (const [key, name] of Object.entries(token as SnapshotToken)) held.set(key, await HeldSnapshot.begin(await ready(key), name));
    },

    expect: (splits) => expected.expect(splits, (part) => sources.has(JSON.stringify(part))),

    async read(split, out, signal) {
      signal.throwIfAborted();
      const key = sessionOf(split.part as unknown as Part);
      const snapshot = held.get(key);
      /** Ends what runs now, at the server, too. */
      const stop = () => (snapshot === undefined ? sessions.drop(key, signal.reason) : snapshot.interrupt());
      signal.addEventListener('abort', stop, { once: true });
      reading = 'connecting';
      try {
        const session = snapshot?.session ?? (await sessions.get(key));
        reading = session;
        await inTransaction(session, snapshot, async () => {
          const { sql, described } = await planRead(session, split, out.schema.columns);
          const source = await rowSource(session);
          signal.throwIfAborted();
          await streamRows(session, sql, out, { forms: described.forms, source, ...(snapshot === undefined ? {} : { stop }) });
        });
      } catch (error) {
        if (snapshot === undefined) sessions.drop(key, error);
        throw snapshot === undefined ? serverFault(error, `read ${split.name}`) : snapshotFault(error, split.name);
      } finally {
        reading = undefined;
        signal.removeEventListener('abort', stop);
      }
    },

    // A connection that is not there after ten seconds does not come any more.
    isAlive: async () => reading !== 'connecting' && (reading === undefined || (await isReadAlive(reading))),

    resource: (split) => servers.of(split === undefined ? firstRead : (split.part as unknown as Part).connection),

    health: (resource, signal) => health.ask(resource, signal),

    async close() {
      await Promise.all([sessions.closeAll(), keepers.closeAll(), health.close()]);
    },
  };
}

async function inTransaction(session: Session, snapshot: HeldSnapshot | undefined, read: () => Promise<void>): Promise<void> {
  if (snapshot !== undefined) return snapshot.use(read);
  // So that nobody can change the table between the look at its columns and its rows.
  await session.execute('START TRANSACTION');
  await read();
  await session.execute('COMMIT');
}

/** Within a transaction a server that is set to SERIALIZABLE locks every row that is read. */
async function leaveRowsUnlocked(session: Session): Promise<void> {
  const found = await session.query(
    "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation') AND Value = 'SERIALIZABLE'",
  );
  if (found.length > 0) await session.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
}

function withShard(split: Split, valuesOf: (part: Part) => OwnValues): Split {
  const part = split.part as unknown as Part;
  return part.table === undefined ? split : { ...split, shard: valuesOf(part).shard };
}

interface Selection {
  readonly described: Described;
  readonly where: string | undefined;
  readonly options: MysqlReaderOptions;
}

function selectOf(split: Split, from: string, { described, where, options }: Selection): string {
  const { range } = split;
  const { expressions, columns } = described;
  const zeroIsNull = zeroDatesAreNull(options);
  const select = expressions.map((expression, index) => rendered(expression, columns[index]!, zeroIsNull));
  const state = range === undefined ? undefined : stateOf(range);
  const leftOut = leftOutKeys(split);
  const conditions = [
    ...(where === undefined ? [] : [where]),
    ...(leftOut === undefined ? [] : [`${quoteName(leftOut.column)} NOT IN (${leftOut.keys})`]),
    ...(range === undefined ? [] : [rangeCondition(range, keyDialect(state!)) ?? 'TRUE']),
  ];
  // Left to itself the optimizer may read the whole table for each range. With a condition of the user's it may know a better index.
  const hint = state?.index === undefined || options.where !== undefined ? '' : ` FORCE INDEX (${quoteName(state.index)})`;
  return `SELECT ${select.join(', ')} FROM ${from}${hint}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** FLOAT prints only six digits (FLOAT(M,D) all that count); as a double it prints all. All else becomes canonical while it is read. */
function rendered(expression: string, { mantissaBits, scale, type }: Column, zeroIsNull: boolean): string {
  if (mantissaBits === 24 && scale === undefined) return `(${expression}) + 0e0`;
  if (zeroIsNull && (type === 'date' || type === 'timestamp' || type === 'timestamptz')) {
    return `CASE WHEN DAYOFMONTH(${expression}) = 0 OR MONTH(${expression}) = 0 THEN NULL ELSE ${expression} END`;
  }
  return expression;
}

/** What the server, or the line to it, says while metadata is looked up. */
async function looking<T>(doing: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw serverFault(error, doing);
  }
}
