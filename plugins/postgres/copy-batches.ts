import { finished } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { type Client, quoteName } from './connection.ts';

/** Puts a packed batch into the target, all of it or none, inside of the task's transaction. */
export type BatchSink = (bytes: Buffer) => Promise<void>;

/**
 * The plain way: COPY into the table, bytes as they are. The savepoint is moved behind the batch before in the same message, so that the
 * server waits for one round trip per batch and not for two.
 */
export function copyBatches(client: Client, table: string, columns: readonly string[]): BatchSink {
  const statement = `RELEASE SAVEPOINT batch; SAVEPOINT batch; COPY ${table} (${columns.map(quoteName).join(', ')}) FROM STDIN`;
  return async (bytes) => {
    const stream = client.query(copyFrom(statement));
    stream.end(bytes);
    await finished(stream);
  };
}
