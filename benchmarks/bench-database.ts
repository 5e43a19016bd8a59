import type { Freight } from './freight.ts';

export type Kind = 'postgres' | 'mysql';
export type DatabaseName = 'source' | 'target';

/** What a table holds, in short. Tables with the same digest have the same rows, as far as chance can be ruled out. */
export interface Digest {
  readonly rows: number;
  /** Sum over all rows of a hash of all their cells; only comparable within one kind of database. */
  readonly hash: string;
}

/** What is wrong with rows that were moved, as the end of a sentence; undefined: nothing. */
export function differenceOf(found: Digest, expected: Digest): string | undefined {
  if (found.rows !== expected.rows) return `moved ${found.rows} rows instead of ${expected.rows}`;
  return found.hash === expected.hash ? undefined : 'moved rows that are not those of the source: the digests differ';
}

/** A private server with the databases `source` and `target`, as the harness uses it between runs. */
export interface BenchDatabase {
  readonly kind: Kind;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** For people: `PostgreSQL 18.1`. */
  readonly version: string;
  /** Creates the freight's table in both databases, and fills that of `source` from a file of COPY text. */
  load(freight: Freight, copyFile: string, signal: AbortSignal): Promise<void>;
  /**
   * The rows in the form that the server's own client loads fastest.
   * @param copyFile what the table was loaded from
   * @param path where a file may be written that is not there yet
   * @returns path of the file: one of both
   */
  readyFile(freight: Freight, copyFile: string, path: string): Promise<string>;
  /** Empties a table of `target`, and lets the server finish what earlier runs left it to do. */
  emptyTarget(table: string): Promise<void>;
  /** @param table one with the columns of the freight */
  digest(database: DatabaseName, table: string, freight: Pick<Freight, 'fixture'>): Promise<Digest>;
  /** Runs statements one after the other. */
  execute(database: DatabaseName, statements: readonly string[]): Promise<void>;
  /** Ends the server. */
  stop(): Promise<void>;
}
