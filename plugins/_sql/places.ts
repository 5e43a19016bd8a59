import { DrayError } from 'dray/sdk';
import { databaseIn, urlPatterns, withDatabase } from './jdbc-url.ts';
import { hasRange, type NamePattern, namePatterns, type TablePattern, tablePatterns } from './name-patterns.ts';

/** A server of a reader, as the job file leads to it. Known without asking anybody, so that every thread numbers them alike. */
export interface Place {
  /** Without patterns, in the order in which they are tried; they lead to the database by which one comes in. */
  readonly jdbcUrl: readonly string[];
  /** Databases to read; undefined: that of the jdbcUrl. */
  readonly databases: readonly NamePattern[] | undefined;
  readonly tables: readonly TablePattern[];
  readonly queries: readonly string[];
}

interface Source {
  readonly jdbcUrl: readonly string[];
  readonly database?: readonly string[] | undefined;
  readonly table?: readonly string[] | undefined;
  readonly querySql?: readonly string[] | undefined;
}

/**
 * The servers that `connection` of a reader names. Databases of one server that a pattern in jdbcUrl names are one place.
 * @param entrance database by which one comes into a server where the job file names several, or none
 */
export function placesOf(connections: readonly Source[], entrance: string): [Place, ...Place[]] {
  const [first, ...others] = connections.flatMap((source, index) => placesOfOne(source, index, entrance));
  if (first !== undefined && [first, ...others].some(({ tables, queries }) => tables.length + queries.length > 0))
    return [first, ...others];
  throw new DrayError('JOB_INVALID', 'the reader has neither "table" nor "querySql"', { remedy: 'Add one of them to "connection".' });
}

function placesOfOne({ jdbcUrl, database, table = [], querySql = [] }: Source, index: number, entrance: string): Place[] {
  const where = `connection[${index}]`;
  if (table.length > 0 && querySql.length > 0) {
    throw new DrayError('JOB_INVALID', `${where} has both "table" and "querySql"`, { remedy: 'Keep one of them.' });
  }
  const tables = tablePatterns(table);
  const queries = querySql.map((query) => query.trim().replace(/[;；]\s*$/, ''));
  const reads = { tables, queries };
  if (database === undefined && !jdbcUrl.some((url) => urlPatterns(url)[0] !== url.trim()))
    return [{ jdbcUrl, databases: undefined, ...reads }];
  const lists = alternatives(jdbcUrl, where);
  if (database !== undefined) {
    if (jdbcUrl.some((url) => hasRange(databaseIn(url) ?? ''))) {
      throw new DrayError('JOB_INVALID', `${where} names databases in "jdbcUrl" and in "database"`, { remedy: 'Keep one of them.' });
    }
    const databases = namePatterns(database);
    return lists.map((urls) => ({
      jdbcUrl: urls.map((url) => (databaseIn(url) === undefined ? withDatabase(url, entrance) : url)),
      databases,
      ...reads,
    }));
  }
  const byServer = new Map<string, string[]>();
  for (const urls of lists) {
    const server = JSON.stringify(urls.map((url) => withDatabase(url, entrance)));
    byServer.set(server, [...(byServer.get(server) ?? []), databaseOf(urls, where)]);
  }
  return [...byServer].map(([server, databases]) => ({ jdbcUrl: JSON.parse(server) as string[], databases, ...reads }));
}

/** Each address with the others that lead to the same data: the n-th of every pattern. */
function alternatives(jdbcUrl: readonly string[], where: string): string[][] {
  const [first = [], ...others] = jdbcUrl.map(urlPatterns);
  const odd = others.find(({ length }) => length !== first.length);
  if (odd !== undefined) {
    const counts = `${first.length} and ${odd.length}`;
    throw new DrayError('JOB_INVALID', `the patterns in "jdbcUrl" of ${where} stand for ${counts} addresses`, {
      remedy: 'Of several, the first that answers is read: the n-th address of each must have the same tables.',
    });
  }
  return first.map((url, at) => [url, ...others.map((urls) => urls[at]!)]);
}

function databaseOf(urls: readonly string[], where: string): string {
  const names = [...new Set(urls.map((url) => databaseIn(url) ?? ''))];
  const [name = '', second] = names;
  if (name !== '' && second === undefined) return name;
  throw new DrayError(
    'JOB_INVALID',
    `the patterns in "jdbcUrl" of ${where} lead to ${second === undefined ? 'no database' : 'different databases'}`,
    {
      remedy: 'Name the same database in each, or leave it out and name it in "database".',
    },
  );
}
