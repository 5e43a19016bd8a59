import { type Column, DrayError } from 'dray/sdk';
import { isMatch, type NamePattern, type TablePattern } from './name-patterns.ts';
import { nameOf, type Part, sessionOf } from './parts.ts';
import type { Place } from './places.ts';
import type { ShardPolicy } from './shard-options.ts';
import { sideBySide } from './side-by-side.ts';

/** A table as a list of all tables has it, for regular expressions. */
export interface ListedTable {
  readonly schema: string;
  readonly table: string;
  /** It is found without its schema. */
  readonly isDefault: boolean;
  /** `schema.table` of tables whose rows include those of this one. */
  readonly within?: readonly string[];
}

/** What the resolver asks of a kind of database. */
export interface ShardDialect<T> {
  listDatabases(connection: number): Promise<readonly string[]>;
  /** @param database undefined: that of the jdbcUrl */
  listTables(connection: number, database: string | undefined): Promise<readonly ListedTable[]>;
  /** @param table name of the job file, or one of `listTables` */
  partOf(connection: number, database: string | undefined, table: string | ListedTable): Part;
  /** In the order of the names; undefined: it is not there. In few statements, however many they are. */
  findTables(session: string, names: readonly string[]): Promise<readonly (T | undefined)[]>;
  columnsOf(session: string, tables: readonly T[]): Promise<readonly (readonly Column[])[]>;
  /** Nothing more is asked of a session for a while. */
  release?(session: string): Promise<void>;
  /** Tells one physical table from all others of its session. */
  identityOf(table: T): string;
  /** `host:port` as the job file names it. */
  serverOf(connection: number): string;
  /** That of the jdbcUrl. */
  databaseOf(connection: number): string;
}

/** One physical table. */
export interface Shard<T> {
  readonly part: Part & { readonly table: string };
  readonly table: T;
  readonly columns: readonly Column[];
}

/** Servers asked side by side; within one so many sessions. */
const mostServers = 16;
const mostSessions = 4;
/** Names of what was left out that are told. */
const toldNames = 5;

interface Candidate {
  readonly part: Part;
  /** A regular expression found it: it may be one of the others. */
  readonly isMatched: boolean;
}

interface Found {
  readonly candidates: readonly Candidate[];
  readonly missing: readonly string[];
}

/** True where the parts are known without asking: one table, or queries, of databases that the job file names. */
export function isPlain(places: readonly Place[]): boolean {
  const tables = places.flatMap((place) => place.tables);
  return (
    places.every(({ databases }) => databases === undefined) &&
    tables.length <= 1 &&
    tables.every(({ schema, table }) => schema === undefined && typeof table === 'string')
  );
}

/** The parts of a plain job. */
export function plainParts(places: readonly Place[]): Part[] {
  return places.flatMap(({ tables, queries }, connection): Part[] => [
    ...tables.map(({ table }) => ({ connection, table: table as string })),
    ...queries.map((query) => ({ connection, query })),
  ]);
}

/** The tables of some parts, with their columns. @returns those that are there */
export async function lookAt<T>(parts: readonly Part[], dialect: ShardDialect<T>): Promise<readonly Shard<T>[]> {
  return (
    await look(
      parts.map((part) => ({ part, isMatched: false })),
      dialect,
    )
  ).shards;
}

/** Asks the servers for what the names and patterns of a job mean. @returns what was left out by policy */
export async function resolveParts<T>(places: readonly Place[], dialect: ShardDialect<T>, { missing }: Pick<ShardPolicy, 'missing'>) {
  const perPlace = await sideBySide([...places.entries()], mostServers, ([connection, place]) => partsAt(connection, place, dialect));
  const gone = perPlace.flatMap((found) => found.missing);
  const looked = await look(
    named(
      perPlace.flatMap(({ candidates }) => candidates),
      dialect,
    ),
    dialect,
  );
  gone.push(...looked.missing);
  if (missing === 'fail' && gone.length > 0) {
    const others = gone.length === 1 ? '' : `, nor ${gone.length - 1} other${gone.length === 2 ? '' : 's'}`;
    throw new DrayError('TABLE_MISSING', `there is no ${gone[0]}${others}`, {
      remedy: 'Mend the names, or leave out what is missing with "shards": {"missing": "skip"}.',
    });
  }
  if (looked.parts.length === 0) throw new DrayError('TABLE_MISSING', `nothing is left to read: there is no ${gone[0]}`);
  return { parts: looked.parts, shards: looked.shards, skipped: gone };
}

/** `table order_03 in db_1, …` */
export function listedNames(names: readonly string[]): string {
  const rest = names.length - toldNames;
  return `${names.slice(0, toldNames).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

async function partsAt<T>(connection: number, place: Place, dialect: ShardDialect<T>): Promise<Found> {
  const missing: string[] = [];
  const names = place.databases === undefined ? [undefined] : await databasesOf(connection, place.databases, dialect, missing);
  const perDatabase = await sideBySide(names, mostSessions, async (database) => {
    const candidates: Candidate[] = [];
    for (const pattern of place.tables) {
      const found = await tablesOf(connection, database, pattern, dialect);
      if (found.length === 0) missing.push(`table that matches ${textOf(pattern)} in ${placeName(connection, database, dialect)}`);
      candidates.push(...found);
    }
    const queries = place.queries.map((query) => ({
      part: { connection, query, ...(database === undefined ? {} : { database, name: `querySql in ${database}` }) },
      isMatched: false,
    }));
    return [...candidates, ...queries];
  });
  return { candidates: perDatabase.flat(), missing };
}

async function databasesOf<T>(
  connection: number,
  patterns: readonly NamePattern[],
  dialect: ShardDialect<T>,
  missing: string[],
): Promise<string[]> {
  const there = [...(await dialect.listDatabases(connection))].sort();
  const found = patterns.flatMap((pattern) => {
    const matched = there.filter((name) => isMatch(pattern, name));
    const what = typeof pattern === 'string' ? `database "${pattern}"` : `database that matches ${pattern}`;
    if (matched.length === 0) missing.push(`${what} at ${dialect.serverOf(connection)}`);
    return matched;
  });
  return [...new Set(found)];
}

async function tablesOf<T>(
  connection: number,
  database: string | undefined,
  { schema, table }: TablePattern,
  dialect: ShardDialect<T>,
): Promise<Candidate[]> {
  if (schema === undefined && typeof table === 'string') {
    return [{ part: dialect.partOf(connection, database, table), isMatched: false }];
  }
  const all = await dialect.listTables(connection, database);
  const matched = all.filter((one) => (schema === undefined ? one.isDefault : isMatch(schema, one.schema)) && isMatch(table, one.table));
  const names = new Set(matched.map((one) => `${one.schema}.${one.table}`));
  return matched
    .filter(({ within = [] }) => !within.some((outer) => names.has(outer)))
    .sort((a, b) => (`${a.schema}.${a.table}` < `${b.schema}.${b.table}` ? -1 : 1))
    .map((one) => ({
      part: dialect.partOf(connection, database, schema === undefined ? { ...one, isDefault: true } : { ...one, isDefault: false }),
      isMatched: true,
    }));
}

function textOf({ schema, table }: TablePattern): string {
  return schema === undefined ? String(table) : `${schema}.${table}`;
}

function placeName<T>(connection: number, database: string | undefined, dialect: ShardDialect<T>): string {
  return database === undefined ? dialect.serverOf(connection) : `the database ${database} at ${dialect.serverOf(connection)}`;
}

/** Names that two of them share get their server in front; and the database of the jdbcUrl, where that is one server. */
function named<T>(candidates: readonly Candidate[], dialect: ShardDialect<T>): Candidate[] {
  const atServer = (part: Part) => `${dialect.serverOf(part.connection)}/${nameOf(part)}`;
  const isShared = (name: (part: Part) => string) => {
    const groups = grouped(candidates, ({ part }) => name(part));
    return (part: Part) => new Set(groups.get(name(part))!.map((other) => other.part.connection)).size > 1;
  };
  const [isSharedName, isSharedAtServer] = [isShared(nameOf), isShared(atServer)];
  return candidates.map((candidate) => {
    const { part } = candidate;
    if (part.table === undefined || !isSharedName(part)) return candidate;
    const { serverOf, databaseOf } = dialect;
    const isOfUrl = part.name === undefined && isSharedAtServer(part);
    const name = isOfUrl ? `${serverOf(part.connection)}/${databaseOf(part.connection)}/${nameOf(part)}` : atServer(part);
    return { ...candidate, part: { ...part, name } };
  });
}

async function look<T>(candidates: readonly Candidate[], dialect: ShardDialect<T>) {
  const sessions = grouped(
    candidates.filter(({ part }) => part.table !== undefined),
    ({ part }) => sessionOf(part),
  );
  const servers = grouped([...sessions], ([, [first]]) => first!.part.connection);
  const found = new Map<Candidate, Shard<T> | 'twice'>();
  await sideBySide([...servers.values()], mostServers, (ofServer) =>
    sideBySide(ofServer, mostSessions, async ([session, own]) => {
      const tables = await dialect.findTables(
        session,
        own.map(({ part }) => part.table!),
      );
      const seen = new Set<string>();
      const kept = own.flatMap((candidate, index): { candidate: Candidate; table: T }[] => {
        const table = tables[index];
        if (table === undefined) return [];
        const isTwice = candidate.isMatched && seen.has(dialect.identityOf(table));
        seen.add(dialect.identityOf(table));
        if (isTwice) found.set(candidate, 'twice');
        return isTwice ? [] : [{ candidate, table }];
      });
      const columns = await dialect.columnsOf(
        session,
        kept.map(({ table }) => table),
      );
      for (const [index, { candidate, table }] of kept.entries()) {
        found.set(candidate, { part: candidate.part as Shard<T>['part'], table, columns: columns[index]! });
      }
      await dialect.release?.(session);
    }),
  );
  const isGone = (candidate: Candidate) => candidate.part.table !== undefined && !found.has(candidate);
  const missing = candidates.filter(isGone).map(({ part }) => `table "${nameOf(part)}" at ${dialect.serverOf(part.connection)}`);
  const shards = candidates.map((candidate) => found.get(candidate)).filter((one) => one !== undefined && one !== 'twice');
  const parts = candidates.filter((candidate) => !isGone(candidate) && found.get(candidate) !== 'twice').map(({ part }) => part);
  return { parts, shards, missing };
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
