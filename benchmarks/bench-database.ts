import type { Kind } from './lanes.ts';

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
  /** Creates and fills a table of the database `source` with rows 1 … `rows`. */
  load(table: string, rows: number, onProgress: (rowsSent: number) => void): Promise<void>;
  /** Writes a table of `source` to a file in the form that the server's own client loads fastest. */
  writeReadyFile(table: string, path: string): Promise<void>;
  /** Empties `target.orders`, and lets the server finish what earlier runs left it to do. */
  emptyTarget(): Promise<void>;
  digest(database: 'source' | 'target', table: string): Promise<Digest>;
  /** Ends the server. */
  stop(): Promise<void>;
}
