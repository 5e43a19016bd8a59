import type { Machine } from '../../core/bench/results.ts';
import type { Kind } from '../bench-database.ts';

/** How one planner cuts one table. */
export interface Planned {
  readonly planner: 'dray' | 'DataX’s formula';
  readonly method: string;
  /** Rows of each part, counted; without dray's part for rows that come after the plan was made. */
  readonly counts: readonly number[];
  /** Rows of all parts together: those of the table, if none is read twice and none is missed. */
  readonly counted: number;
  /** Of every run. dray's as it tells them; of DataX its SELECT MIN, MAX. */
  readonly seconds: readonly number[];
  /** From shell to shell; null: there is no shell. */
  readonly wallSeconds: readonly number[] | null;
  /** null: it asks for neither. */
  readonly dives: number | null;
  readonly lookups: number | null;
  readonly notes: readonly string[];
}

export interface DistributionResult {
  readonly engine: Kind;
  readonly distribution: string;
  readonly rows: number;
  readonly dray: Planned | undefined;
  readonly datax: Planned | undefined;
  /** Why there is no result, or a wrong one. */
  readonly failure?: string;
}

/** Many small tables in one job. */
export interface SmallTablesResult {
  readonly engine: Kind;
  readonly tables: number;
  readonly rowsPerTable: number;
  readonly tasks: number;
  readonly seconds: readonly number[];
  readonly wallSeconds: readonly number[];
  readonly dataxTasks: number;
  readonly failure?: string;
}

export interface SplitBenchResult {
  readonly machine: Machine;
  readonly channels: number;
  readonly distributions: readonly DistributionResult[];
  readonly smallTables: readonly SmallTablesResult[];
}
