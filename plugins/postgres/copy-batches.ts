import type { Socket } from 'node:net';
import { binaryRowHeader, copyData, type RecordBatch } from 'dray/sdk';
import type { Submittable } from 'pg';
import { type Client, quoteName } from './connection.ts';

/** Puts a packed batch into the target, all of it or none, inside of the task's transaction. */
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
      const messages = isBinary ? [binaryStart, batch.bytes, binaryEnd] : [dataHeader(batch.bytes.length), batch.bytes, copyDone];
      client.query(new CopyIn(isBinary ? `${statement} (FORMAT binary)` : statement, messages, resolve, reject));
    });
}

function dataHeader(byteCount: number): Buffer {
  const header = Buffer.alloc(binaryRowHeader);
  header[0] = copyData;
  header.writeUInt32BE(byteCount + 4, 1);
  return header;
}

const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);
const fileHeader = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const binaryStart = Buffer.concat([dataHeader(fileHeader.length), fileHeader]);
const binaryEnd = Buffer.concat([dataHeader(2), Buffer.from([0xff, 0xff]), copyDone]);

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
