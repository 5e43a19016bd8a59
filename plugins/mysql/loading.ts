import type { BareForm, RecordBatch, Schema } from 'dray/sdk';
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
  /** The table has columns that the server computes, seen or hidden. */
  readonly hasGenerated: boolean;
}

/** Everything a way of sending batches needs. */
export interface Loading {
  readonly session: Session;
  readonly table: string;
  readonly source: Schema;
  readonly target: Schema;
  /** As in the state. */
  readonly hasGenerated: boolean;
  /** Of bare rows; undefined: there are none. */
  readonly forms: readonly BareForm[] | undefined;
  readonly mode: MysqlWriterOptions['writeMode'];
  /** The task may go straight on. */
  readonly isStraight: boolean;
  /** The table cannot roll back. */
  readonly isRowByRow: boolean;
}

/** A way of sending batches. */
export interface BatchSink {
  /** Throws ROW_REJECTED if the server refused, bent or skipped any of its rows. */
  write(batch: RecordBatch): Promise<void>;
  /** Of one that goes straight on: no batch comes any more; throws as `write` does, of any row. */
  end?(): Promise<void>;
  /** Of one that goes straight on: the server waits for the next batch. */
  readonly isOpen?: boolean;
}
