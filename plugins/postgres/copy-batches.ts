import type { RecordBatch } from 'dray/sdk';
import type { Client } from './connection.ts';
import { CopyStream } from './copy-stream.ts';

/** Puts a packed batch into the target inside of the task's transaction: all of it or none, if it waits for the server's word. */
export type BatchSink = (batch: RecordBatch) => Promise<void>;

/**
 * The plain way: a COPY into the table for each batch, bytes as they are. The savepoint is moved behind the batch before in the same message, so that the
 * server waits for one round trip per batch and not for two.
 */
export function copyBatches(client: Client, table: string, columns: readonly string[]): BatchSink {
  return async (batch) => {
    const copy = CopyStream.open(client, table, columns, batch.layout, 'RELEASE SAVEPOINT batch; SAVEPOINT batch; ');
    await copy.write(batch);
    await copy.end();
  };
}
