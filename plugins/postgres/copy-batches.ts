import type { Socket } from 'node:net';
import type { RecordBatch } from 'dray/sdk';
import type { Submittable } from 'pg';
import { type Client, quoteName } from './connection.ts';
import { binaryStart, binaryTrailer, copyDone, dataHeader } from './copy-messages.ts';

/** Puts a packed batch into the target inside of the task's transaction: all of it or none, if it waits for the server's word. */
export type BatchSink = (batch: RecordBatch) => Promise<void>;

/**
 * The plain way: COPY into the table, bytes as they are. The savepoint is moved behind the batch before in the same message, so that the
 * server waits for one round trip per batch and not for two.
 */
export function copyBatches(client: Client, table: string, columns: readonly string[]): BatchSink {
  const statement = `RELEASE SAVEPOINT batch; SAVEPOINT batch; COPY ${table} (${columns.map(quoteName).join(', ')}) FROM STDIN`;
  return (batch) =>
    new Promise<void>((resolve, reject) => {
      const isBinary = batch.layout === 'binary';
      const messages = isBinary
        ? [binaryStart, batch.bytes, binaryTrailer, copyDone]
        : [dataHeader(batch.bytes.length), batch.bytes, copyDone];
      client.query(new CopyIn(isBinary ? `${statement} (FORMAT binary)` : statement, messages, resolve, reject));
    });
}

/**
 * COPY … FROM STDIN with all of its data behind the statement, in one go: the server answers once. It throws data away for which there is no COPY, because a statement
 * before has failed (protocol-flow.html, COPY Operations).
 */
class CopyIn implements Submittable {
  /** As `pg` has it with its own queries. */
  readonly text: string;
  readonly #messages: readonly Buffer[];
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(text: string, messages: readonly Buffer[], resolve: () => void, reject: (error: Error) => void) {
    this.text = text;
    this.#messages = messages;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: unknown): void {
    const { stream, query } = connection as { readonly stream: Socket; query(text: string): void };
    stream.cork();
    query.call(connection, this.text);
    for (const message of this.#messages) stream.write(message);
    stream.uncork();
  }

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: Error): void {
    this.#reject(error);
  }
}
