import { watchOver } from 'dray/sdk';
import { type Client, connectFirst, pendingStatement, terminate } from './connection.ts';
import { CopyStream } from './copy-stream.ts';
import { isSessionAlive } from './liveness.ts';
import type { PostgresWriterOptions } from './writer.ts';

/** Connects as a writer, whose every statement has an answer that comes: a connection that is dead is ended, and the statement fails. */
export async function connectWriter(options: PostgresWriterOptions, signal: AbortSignal): Promise<Client> {
  const client = await connectFirst(options.connection[0]!.jdbcUrl, options, signal);
  client.once(
    'end',
    watchOver([{ side: 'target', movement: () => awaited(client), isAlive: () => isSessionAlive(client) }], () => void terminate(client)),
  );
  return client;
}

/** The answer, or part of one, that is waited for. */
function awaited(client: Client): unknown {
  const statement = pendingStatement(client);
  return statement instanceof CopyStream ? statement.pending : statement;
}
