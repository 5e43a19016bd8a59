import type { Schema } from 'dray/sdk';
import type { Session } from './connection.ts';
import type { MysqlWriterOptions } from './writer.ts';

/** What tasks need to know of the table they write beside its columns: the target, or the staging table that will become it. */
export interface TargetState {
  /** Where the ledger is, too. */
  readonly database: string;
  /** For SQL. */
  readonly table: string;
  readonly isTransactional: boolean;
  readonly usesLoadData: boolean;
}

/** Everything a way of sending batches needs. */
export interface Loading {
  readonly session: Session;
  readonly table: string;
  readonly source: Schema;
  readonly target: Schema;
  readonly mode: MysqlWriterOptions['writeMode'];
  /** The table cannot roll back. */
  readonly isRowByRow: boolean;
}

/** Sends a batch; throws ROW_REJECTED if the server refused, bent or skipped any of its rows. */
export type BatchSink = (bytes: Buffer, rowCount: number) => Promise<void>;
