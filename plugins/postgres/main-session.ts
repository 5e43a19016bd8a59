import { type Client, disconnect } from './connection.ts';
import type { Session } from './transaction.ts';
import { connectWriter } from './watched.ts';
import type { PostgresWriterOptions } from './writer.ts';

/** The connection of a writer in the main thread: opened when it is first asked for, and again when it was lost. */
export interface MainSession {
  readonly get: Session;
  readonly close: () => Promise<void>;
}

/** @param opened told of each connection */
export function mainSession(options: PostgresWriterOptions, signal: AbortSignal, opened?: (client: Client) => void): MainSession {
  let opening: Promise<Client> | undefined;
  const open = async () => {
    try {
      const client = await connectWriter(options, signal);
      opened?.(client);
      client.once('error', forget);
      client.once('end', forget);
      return client;
    } catch (error) {
      forget();
      throw error;
    }
  };
  const forget = () => {
    opening = undefined;
  };
  return {
    get() {
      opening ??= open();
      return opening;
    },
    async close() {
      const client = await opening?.catch(() => undefined);
      if (client !== undefined) await disconnect(client);
    },
  };
}
