import type { Socket } from 'node:net';
import type { Layout, RecordBatch } from 'dray/sdk';
import type { Submittable } from 'pg';
import { type Client, quoteName } from './connection.ts';
import { binaryStart, binaryTrailer, copyDone, copyFail, dataHeader } from './copy-messages.ts';

/**
 * Batches by one COPY, one behind the other: nobody waits for an answer before the end, and the server has always something to do. What it refuses fails the
 * transaction. It throws data away for which there is no COPY, because a statement before has failed (protocol-flow.html, COPY Operations).
 */
export class CopyStream implements Submittable {
  /** As `pg` has it with its own queries. */
  readonly text: string;
  readonly layout: Layout;
  #stream: Socket | undefined;
  readonly #submitted: Promise<void>;
  #tellSubmitted!: () => void;
  readonly #answer: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  #hasEnded = false;
  /** What is waited for; undefined: it is the server that waits for the next batch. */
  #pending: object | undefined;

  private constructor(client: Client, table: string, columns: readonly string[], layout: Layout, before: string) {
    this.text = `${before}COPY ${table} (${columns.map(quoteName).join(', ')}) FROM STDIN${layout === 'binary' ? ' (FORMAT binary)' : ''}`;
    this.layout = layout;
    this.#answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#submitted = new Promise((resolve) => {
      this.#tellSubmitted = resolve;
    });
    // It may come while nothing waits for it.
    this.#answer.catch(() => undefined);
    client.query(this);
  }

  /**
   * @param layout of all its batches
   * @param before statements that go in front of COPY in the same message
   */
  static open(client: Client, table: string, columns: readonly string[], layout: Layout, before = ''): CopyStream {
    return new CopyStream(client, table, columns, layout, before);
  }

  /** See `#pending`: for who watches over the session. */
  get pending(): object | undefined {
    return this.#pending;
  }

  submit(connection: unknown): void {
    const { stream, query } = connection as { readonly stream: Socket; query(text: string): void };
    this.#stream = stream;
    query.call(connection, this.text);
    if (this.layout === 'binary') stream.write(binaryStart);
    this.#tellSubmitted();
  }

  /** Settles when the bytes are on their way. @throws what the server has refused so far */
  async write({ bytes }: RecordBatch): Promise<void> {
    const stream = await this.#sent();
    if (this.layout === 'text') stream.write(dataHeader(bytes.length));
    await this.#whilePending(
      new Promise<void>((resolve, reject) => {
        stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
      }),
    );
  }

  /** No batch comes any more. Settles when the server has taken all rows. */
  async end(): Promise<void> {
    const stream = await this.#sent();
    this.#hasEnded = true;
    if (this.layout === 'binary') stream.write(binaryTrailer);
    stream.write(copyDone);
    await this.#whilePending(this.#answer);
  }

  /** Lets the server throw away what it has got, so that it hears of what comes next. */
  giveUp(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stream?.write(copyFail);
  }

  /** The connection with the statement on it. @throws if it had been lost before: pg then sends nothing, and says so later */
  async #sent(): Promise<Socket> {
    if (this.#stream === undefined) await Promise.race([this.#submitted, this.#answer]);
    return this.#stream!;
  }

  async #whilePending(work: Promise<void>): Promise<void> {
    this.#pending = {};
    try {
      await Promise.race([work, this.#answer.then(() => work)]);
    } finally {
      this.#pending = undefined;
    }
  }

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve();
  }

  handleError(error: Error): void {
    this.#hasEnded = true;
    this.#reject(error);
  }
}
