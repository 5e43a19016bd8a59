import { once } from 'node:events';
import { DrayError, LF, RecordBatch, type RecordOutput } from 'dray/sdk';
import { to as copyTo } from 'pg-copy-streams';
import type { Client } from './connection.ts';
import { hasForeignEscape, withCanonicalEscapes } from './escapes.ts';

/** Passes the bytes of COPY through, in batches of whole rows. */
export async function copyOut(client: Client, select: string, out: RecordOutput, signal: AbortSignal): Promise<void> {
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT`, { highWaterMark: 256 * 1024 }));
  const { builder } = out;
  const canHoldEscapes = out.schema.columns.some(({ type }) => type === 'string' || type === 'json');
  /** What is left of earlier splits of a pack stands before it in the builder. */
  let canonicalEnd = builder.position;
  const isForeign = () => canHoldEscapes && hasForeignEscape(builder.buffer.subarray(canonicalEnd, builder.position));
  const send = async () => {
    if (isForeign()) {
      const batch = builder.take()!;
      await out.send(new RecordBatch(batch.schema, withCanonicalEscapes(batch.bytes), batch.rowCount));
    } else await out.flush();
    canonicalEnd = 0;
  };
  /** Start of a row whose end has not come yet; joined only once, for a row may be a gigabyte. */
  let rest: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    const lastEnd = chunk.lastIndexOf(LF) + 1;
    if (lastEnd === 0) {
      rest.push(chunk);
      continue;
    }
    builder.reserve(rest.reduce((sum, { length }) => sum + length, lastEnd));
    let end = builder.position;
    for (const part of rest) end += part.copy(builder.buffer, end);
    end += chunk.copy(builder.buffer, end, 0, lastEnd);
    let rows = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) rows++;
    builder.advance(end, rows);
    rest = lastEnd === chunk.length ? [] : [Buffer.from(chunk.subarray(lastEnd))];
    if (builder.isFull) await send();
  }
  if (rest.length > 0) throw new DrayError('CONNECTION_LOST', 'the server ended its COPY in the middle of a row');
  // All else is left in the builder, for the next split of a pack or for the framework.
  if (isForeign()) await send();
  if (!stream.readableEnded) await once(stream, 'end');
}
