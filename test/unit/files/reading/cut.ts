import type { Cell, RecordOutput, Schema } from '../../../../core/sdk/index.ts';
import type { FileFormat, RecordPlace } from '../../../../plugins/_files/formats/format.ts';
import { StartFinder } from '../../../../plugins/_files/reading/start-finder.ts';
import { KeepingOutput } from '../formats/keeping-output.ts';

/** What came of bytes: rows and rejected ones in their order, and the error that ended it, if any. */
export interface Outcome {
  readonly rows: Cell[][];
  readonly rejected: string[];
  readonly error: string | undefined;
}

export function* chunksOf(bytes: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

function outcomeOf(format: FileFormat, schema: Schema, bytes: Buffer, chunkBytes: number, from?: RecordPlace): Outcome {
  const out = new KeepingOutput(schema);
  const drain = (fill: () => boolean) => {
    for (;;) {
      const isFull = fill();
      const batch = out.builder.take();
      if (batch !== undefined) out.rows.push(...batch.rows());
      if (!isFull) return;
    }
  };
  let error: string | undefined;
  try {
    const decoder = format.decoder(out as RecordOutput, 'the file', from);
    for (const chunk of chunksOf(bytes, chunkBytes)) {
      decoder.push(chunk);
      drain(() => decoder.fill());
    }
    decoder.end();
    drain(() => decoder.fill());
  } catch (fault) {
    error = (fault as Error).message;
  }
  return { rows: out.rows, rejected: out.rejected.map(({ message, column }) => `${column}: ${message}`), error };
}

/** A file read as a whole, and in parts that begin behind the cuts; with the numbers of rows that were counted beforehand for each part. */
export function bothWays(format: FileFormat, schema: Schema, bytes: Buffer, cuts: readonly number[], chunkBytes: number) {
  const whole = outcomeOf(format, schema, bytes, chunkBytes);
  const finder = new StartFinder(format.counter(schema)!, cuts, false);
  for (const chunk of chunksOf(bytes, chunkBytes)) finder.push(chunk);
  const { starts, end } = finder.end();
  const parts = [{ plain: 0, rows: 0, line: 1 }, ...starts].map((start, index) => {
    const to = starts[index] ?? end;
    const from = start.plain === 0 ? undefined : { line: start.line };
    const outcome =
      to.plain === start.plain ? undefined : outcomeOf(format, schema, bytes.subarray(start.plain, to.plain), chunkBytes, from);
    return { start, counted: to.rows - start.rows, outcome: outcome ?? { rows: [], rejected: [], error: undefined } };
  });
  return { whole, parts, starts, end };
}
