import type { Socket } from 'node:net';
import { binaryRowEnd, binaryRowHeader, copyData, DrayError, LF, RecordBatch, type RecordOutput } from 'dray/sdk';
import type { Submittable } from 'pg';
import type { Client } from './connection.ts';
import { fileHeader } from './copy-messages.ts';
import { hasForeignEscape, withCanonicalEscapes } from './escapes.ts';

/** Passes rows of a query through as the server sends them: as COPY text, or binary where `out` takes that. */
export async function copyOut(client: Client, select: string, out: RecordOutput, signal: AbortSignal): Promise<void> {
  const { builder } = out;
  const isBinary = out.forms !== undefined;
  const canHoldEscapes = !isBinary && out.schema.columns.some(({ type }) => type === 'string' || type === 'json');
  /** What is left of earlier splits of a pack stands before it in the builder. */
  let canonicalEnd = builder.position;
  const isForeign = () => canHoldEscapes && hasForeignEscape(builder.buffer.subarray(canonicalEnd, builder.position));
  const send = async () => {
    signal.throwIfAborted();
    if (isForeign()) {
      const batch = builder.take()!;
      await out.send(new RecordBatch(batch.schema, withCanonicalEscapes(batch.bytes), batch.rowCount));
    } else await out.flush();
    canonicalEnd = 0;
  };
  await new Promise<void>((resolve, reject) => {
    client.query(new CopyOut(`COPY (${select}) TO STDOUT${isBinary ? ' (FORMAT binary)' : ''}`, out, { send, resolve, reject }));
  });
  // All else is left in the builder, for the next split of a pack or for the framework.
  if (isForeign()) await send();
}

/** What is used of pg's connection (pg/lib/connection.js). */
interface WireConnection {
  readonly stream: Socket;
  query(text: string): void;
}

interface Course {
  /** Hands over what is in the builder. */
  readonly send: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const copyDone = 0x63;
const errorResponse = 0x45;
/** Message that ends a binary COPY: -1 in the place of the number of cells. Of rows each is longer. */
const trailerBytes = 6;
/** Below, a loop over the bytes beats the call of a native copy. */
const shortRow = 48;

/**
 * COPY … TO STDOUT, from the socket's chunks right into the builder: between CopyOutResponse and CopyDone the messages are read here, all others by pg. Messages "sent from
 * the backend will always correspond to single data rows" (protocol-message-formats.html, CopyData), and the server's own count of them is compared at the end.
 * pg-copy-streams, whose way to take over from pg this is, makes an object of each message: half of what a row costs from PostgreSQL to PostgreSQL.
 */
class CopyOut implements Submittable {
  /** As `pg` has it with its own queries. */
  readonly text: string;
  readonly #out: RecordOutput;
  readonly #course: Course;
  readonly #isBinary: boolean;
  #stream: Socket | undefined;
  /** pg's own reading of the socket. */
  #pgListener: ((chunk: Buffer) => void) | undefined;
  /** Start of a message's header, or of the first row, that has not come whole. */
  #rest: Buffer | undefined;
  /** Bytes of a message that are still to come, and where they go: `#at` in the builder's buffer; undefined: nowhere. */
  #left = 0;
  #at: number | undefined;
  #isHeaderRead = false;
  #rows = 0;

  constructor(text: string, out: RecordOutput, course: Course) {
    this.text = text;
    this.#out = out;
    this.#course = course;
    this.#isBinary = out.forms !== undefined;
  }

  submit(connection: unknown): void {
    const { stream, query } = connection as WireConnection;
    const [listener, ...others] = stream.listeners('data') as ((chunk: Buffer) => void)[];
    if (listener === undefined || others.length > 0) throw new DrayError('INTERNAL', 'pg does not read its socket as it used to');
    this.#stream = stream;
    this.#pgListener = listener;
    stream.removeListener('data', listener);
    stream.on('data', this.#onData);
    query.call(connection, this.text);
  }

  readonly #onData = (chunk: Buffer): void => {
    const whole = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    try {
      this.#read(whole, 0);
    } catch (error) {
      this.#course.reject(error);
    }
  };

  /** Reads messages from a chunk until it ends or a batch is full; then the socket waits. */
  #read(chunk: Buffer, from: number): void {
    const { builder } = this.#out;
    let at: number | undefined = from;
    while (at !== undefined && at < chunk.length) {
      at = this.#left > 0 ? this.#goOn(chunk, at) : this.#message(chunk, at);
      if (at === undefined || this.#left > 0 || !builder.isFull) continue;
      this.#handOver(chunk, at);
      return;
    }
  }

  #handOver(chunk: Buffer, at: number): void {
    const stream = this.#stream!;
    stream.pause();
    const goOn = () => {
      stream.resume();
      this.#read(chunk, at);
    };
    this.#course.send().then(goOn).catch(this.#course.reject);
  }

  /** @returns undefined: nothing more can be read of this chunk */
  #message(chunk: Buffer, at: number): number | undefined {
    const type = chunk[at];
    if (type === copyDone || type === errorResponse) {
      this.#giveBack(chunk.subarray(at));
      return undefined;
    }
    if (chunk.length - at < binaryRowHeader) {
      this.#rest = chunk.subarray(at);
      return undefined;
    }
    if (type !== copyData) return this.#skip(chunk, at);
    if (!this.#isBinary) return this.#begin(chunk, at);
    return this.#isHeaderRead ? this.#takeBinary(chunk, at) : this.#passHeader(chunk, at);
  }

  /** A message whose bytes go into the builder. There is room for all of it from now on. */
  #begin(chunk: Buffer, at: number): number {
    const { builder } = this.#out;
    const next = binaryRowEnd(chunk, at);
    const start = this.#isBinary ? at : at + binaryRowHeader;
    builder.reserve(next - start);
    this.#left = next - start;
    this.#at = builder.position;
    return this.#goOn(chunk, start);
  }

  /** Copies what has come of the message that is read. */
  #goOn(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#left);
    this.#left -= to - from;
    if (this.#at === undefined) return to;
    const { builder } = this.#out;
    const { buffer } = builder;
    let at = this.#at;
    if (to - from < shortRow) for (let i = from; i < to; i++) buffer[at++] = chunk[i]!;
    else at += chunk.copy(buffer, at, from, to);
    this.#at = at;
    if (this.#left > 0) return to;
    if (!this.#isBinary && buffer[at - 1] !== LF) this.#course.reject(new DrayError('INTERNAL', 'a message of COPY is no whole row'));
    builder.advance(at, 1);
    this.#rows++;
    return to;
  }

  /** All whole rows of a chunk at once: their messages go as they are. */
  #takeBinary(chunk: Buffer, from: number): number {
    const { builder } = this.#out;
    const mostRows = builder.maxRows - builder.rowCount;
    let end = from;
    let rows = 0;
    while (rows < mostRows && end + binaryRowHeader <= chunk.length && chunk[end] === copyData) {
      const next = binaryRowEnd(chunk, end);
      if (next > chunk.length || next - end === 1 + trailerBytes) break;
      end = next;
      rows++;
    }
    if (rows === 0) return binaryRowEnd(chunk, from) - from === 1 + trailerBytes ? this.#skip(chunk, from) : this.#begin(chunk, from);
    builder.reserve(end - from);
    chunk.copy(builder.buffer, builder.position, from, end);
    builder.advance(builder.position + end - from, rows);
    this.#rows += rows;
    return end;
  }

  /** The file's header stands before the first row, or the trailer, in one message. @returns undefined: it has not come whole, or is none */
  #passHeader(chunk: Buffer, at: number): number | undefined {
    const next = binaryRowEnd(chunk, at);
    const start = at + binaryRowHeader + fileHeader.length;
    if (chunk.length < start) {
      this.#rest = chunk.subarray(at);
      return undefined;
    }
    if (!chunk.subarray(at + binaryRowHeader, start).equals(fileHeader)) {
      this.#course.reject(new DrayError('NOT_STRAIGHT', 'a binary COPY has a header of another kind'));
      return undefined;
    }
    this.#isHeaderRead = true;
    if (start === next) return next;
    // The rest is a message like all others.
    const row = start - binaryRowHeader;
    chunk[row] = copyData;
    chunk.writeUInt32BE(next - row - 1, row + 1);
    return row;
  }

  /** CopyOutResponse, notices, the trailer. */
  #skip(chunk: Buffer, at: number): number {
    this.#at = undefined;
    this.#left = binaryRowEnd(chunk, at) - at;
    return this.#goOn(chunk, at);
  }

  #giveBack(unread: Buffer): void {
    const stream = this.#stream!;
    const listener = this.#pgListener!;
    stream.removeListener('data', this.#onData);
    stream.on('data', listener);
    listener(unread);
  }

  handleRowDescription(): void {}

  handleCommandComplete({ text }: { readonly text: string }): void {
    if (text === `COPY ${this.#rows}`) return;
    this.#course.reject(new DrayError('INTERNAL', `the server says "${text}", and ${this.#rows} rows were read`));
  }

  handleReadyForQuery(): void {
    this.#course.resolve();
  }

  handleError(error: Error): void {
    this.#course.reject(error);
  }
}
