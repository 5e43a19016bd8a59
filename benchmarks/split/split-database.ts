import type { KeyRange } from '../../core/sdk/index.ts';
import type { Kind } from '../bench-database.ts';
import type { Distribution } from './distributions.ts';

/** Rows of one INSERT, where the order of the keys does not ask for a single one. */
export const rowsPerInsert = 1_000_000;
/** The planner's server has this much memory for its pages: less than the tables of ten million rows. */
export const cacheBytes = 512 << 20;

export const keyColumn = 'id';

/** A private server whose database `source` holds one big table at a time, or many small ones. */
export interface SplitDatabase {
  readonly kind: Kind;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** For people: `PostgreSQL 18.1`. */
  readonly version: string;
  /** Creates and fills a table with rows of about 100 bytes, and has the server look at it (ANALYZE). */
  createTable(table: string, distribution: Distribution, rows: number, onProgress: (rows: number) => void): Promise<void>;
  createSmallTables(tables: readonly string[], rows: number): Promise<void>;
  /** Rows in a range, counted. */
  count(table: string, kind: Distribution['kind'], range: KeyRange | null): Promise<number>;
  /** What DataX asks before it cuts. */
  bounds(table: string): Promise<{ readonly min: string; readonly max: string }>;
  /** Why the server would not understand DataX's own SQL with this point in it. */
  refusesPoint(point: string): string | undefined;
  dropTable(table: string): Promise<void>;
  /** Ends the server. May be called again. */
  stop(): Promise<void>;
}

/** First and last number of each INSERT. */
export function insertsOf({ arrival }: Distribution, rows: number): { from: number; to: number }[] {
  const perInsert = arrival === 'sorted' ? rows : rowsPerInsert;
  return Array.from({ length: Math.ceil(rows / perInsert) }, (_, index) => ({
    from: index * perInsert + 1,
    to: Math.min(rows, (index + 1) * perInsert),
  }));
}

/** Fills a row up to about 100 bytes. */
export function payload({ kind }: Pick<Distribution, 'kind'>): string {
  return `REPEAT('x', ${kind === 'integer' ? 84 : 56})`;
}
