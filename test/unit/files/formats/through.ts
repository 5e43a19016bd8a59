import type { Cell, DrayError, Schema } from '../../../../core/sdk/index.ts';
import type { FileFormat, IndexedFormat, WritingFormat } from '../../../../plugins/_files/formats/format.ts';
import { batchOf, KeepingOutput } from './keeping-output.ts';

/** A file of these rows, which come in batches of so many. */
export function encoded(format: WritingFormat, schema: Schema, rows: readonly (readonly Cell[])[], batchRows = 2): Buffer {
  const encoder = format.encoder(schema);
  const parts: Buffer[] = [Buffer.from(encoder.start())];
  for (let from = 0; from < rows.length; from += batchRows) {
    parts.push(Buffer.from(encoder.encode(batchOf(schema, rows.slice(from, from + batchRows)))));
  }
  parts.push(Buffer.from(encoder.end()));
  return Buffer.concat(parts);
}

export interface Decoded {
  readonly rows: Cell[][];
  readonly rejected: DrayError[];
}

/** Rows of a file that comes in chunks of so many bytes. */
export function decoded(
  format: FileFormat,
  file: Buffer | string,
  chunkBytes = 1 << 20,
  schema = schemaIn(format, file, chunkBytes),
): Decoded {
  const out = new KeepingOutput(schema!);
  const decoder = format.decoder(out, 'the file');
  const drain = () => {
    for (;;) {
      const isFull = decoder.fill();
      const batch = out.builder.take();
      if (batch !== undefined) out.rows.push(...batch.rows());
      if (!isFull) return;
    }
  };
  for (const chunk of chunksOf(file, chunkBytes)) {
    decoder.push(chunk);
    // The decoder must not rely on a chunk once it has been pushed.
    chunk.fill(0x78);
    drain();
  }
  decoder.end();
  drain();
  return { rows: out.rows, rejected: out.rejected };
}

/** Columns by the format's options, or by the first row. */
export function schemaIn(format: FileFormat, file: Buffer | string, chunkBytes = 1 << 20): Schema | undefined {
  if (format.schema !== undefined) return format.schema;
  const finder = format.finder('the file');
  for (const chunk of chunksOf(file, chunkBytes)) {
    const schema = finder.push(chunk);
    if (schema !== undefined) return schema;
  }
  return finder.end();
}

function* chunksOf(file: Buffer | string, chunkBytes: number): Generator<Buffer> {
  const bytes = Buffer.from(file as string);
  for (let at = 0; at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.subarray(at, at + chunkBytes));
}

/** Rows of a file that is read by its index. */
export async function readIndexed(format: IndexedFormat, file: Buffer, parts?: { from: number; to: number }) {
  const opened = await format.open({ bytes: file.length, read: async (from, to) => file.subarray(from, to) }, 'the file');
  const out = new KeepingOutput(opened.schema, 100);
  await opened.read(out, new AbortController().signal, parts);
  await out.flush();
  return { schema: opened.schema, parts: opened.parts, rowCount: opened.rowCount, rows: out.rows, rejected: out.rejected };
}

export function messagesOf(rejected: readonly DrayError[]): string[] {
  return rejected.map(({ message, column }) => (column === undefined ? message : `${column}: ${message}`));
}
