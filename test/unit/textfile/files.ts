import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  BatchBuilder,
  type Cell,
  type DrayError,
  type PluginContext,
  type RecordBatch,
  type RecordOutput,
  type Schema,
} from '../../../core/sdk/index.ts';
import { textColumns } from '../../../plugins/textfile/columns.ts';
import reader from '../../../plugins/textfile/reader.ts';
import { RecordScanner } from '../../../plugins/textfile/record-scanner.ts';
import { RowWriter } from '../../../plugins/textfile/row-writer.ts';
import type { ScanFormat } from '../../../plugins/textfile/scan-kinds.ts';
import writer from '../../../plugins/textfile/writer.ts';
import { textSchema } from '../../support/arbitraries.ts';

const open = new AbortController().signal;

export const contextOf = (run = 'run-1', signal = open): PluginContext => ({ run, warn: () => undefined, print: () => undefined, signal });

/** Takes rows out of the batches at once, and keeps what was rejected. */
export class KeepingOutput implements RecordOutput {
  readonly schema: Schema;
  readonly builder: BatchBuilder;
  readonly rows: Cell[][] = [];
  readonly rejected: DrayError[] = [];
  /** Called for every batch. */
  onBatch: () => Promise<void> | void = () => undefined;

  constructor(schema: Schema, maxRows = 3) {
    this.schema = schema;
    this.builder = new BatchBuilder(schema, { maxBytes: 4096, maxRows });
  }

  push(cells: readonly Cell[]): boolean {
    this.builder.push(cells);
    return !this.builder.isFull;
  }

  async drain(): Promise<void> {
    if (this.builder.isFull) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.builder.take();
    if (batch !== undefined) await this.send(batch);
  }

  async send(batch: RecordBatch): Promise<void> {
    this.rows.push(...batch.rows());
    await this.onBatch();
    this.builder.reuse(batch);
  }

  reject(fault: DrayError): void {
    this.rejected.push(fault);
  }
}

/** What a reader with this `parameter` delivers, all splits in order. */
export async function readFiles(parameter: object) {
  const one = await reader.open(reader.options.parse(parameter), contextOf());
  const schema = await one.schema();
  const out = new KeepingOutput(schema);
  const splits = (await one.split?.({ channels: 1 })) ?? [];
  for (const split of splits) {
    await one.read(split, out, open);
    await out.flush();
  }
  return {
    names: schema.columns.map(({ name }) => name),
    types: schema.columns.map(({ type }) => type),
    rows: out.rows,
    rejected: out.rejected,
    splits,
  };
}

/** Writes rows, in batches of two, and publishes them. */
export async function writeFiles(
  parameter: object,
  rows: readonly (readonly Cell[])[],
  facts: { schema?: Schema; run?: string; tasks?: number } = {},
) {
  const { schema = textSchema(rows[0]?.length ?? 1), run = 'run-1', tasks = 1 } = facts;
  const one = await writer.open(writer.options.parse(parameter), contextOf(run));
  const target = (await one.prepare?.(schema)) ?? (await one.inspect(schema));
  const commits = [];
  for (let id = 0; id < tasks; id++) {
    const task = await one.openTask({ id, source: schema, target });
    for (let from = 0; from < rows.length; from += 2) await task.write(batchOf(schema, rows.slice(from, from + 2)));
    commits.push((await task.commit()) ?? null);
  }
  await one.publish?.(commits);
  await one.close?.();
}

export function batchOf(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, { maxBytes: 1 << 20, maxRows: 1 << 20 });
  for (const row of rows) builder.push(row);
  return builder.take()!;
}

/** Texts of all files in a folder by name, hidden ones too. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const bytes = readFileSync(join(folder, name));
        return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')];
      }),
  );
}

export const csv: ScanFormat = {
  delimiter: Buffer.from(','),
  quote: 0x22,
  isBackslashEscaped: false,
  isTrimmed: false,
  nullText: Buffer.from('\\N'),
  skipsEmptyRecords: true,
  isUtf8: true,
};

/** Rows of a text that comes in chunks of so many bytes. */
export function scan(text: string | Buffer, chunkBytes: number, columnCount: number, format: Partial<ScanFormat> = {}) {
  const bytes = Buffer.from(text as string);
  const whole = { ...csv, ...format };
  const scanner = new RecordScanner(whole, 'the file');
  const out = new KeepingOutput(textSchema(columnCount), 1);
  const names = out.schema.columns.map(({ name }) => name);
  const rows = new RowWriter(scanner, out, textColumns(names), { format: whole, encoding: 'UTF-8', wantsAll: true });
  const lines: number[] = [];
  const drain = () => {
    while (scanner.next()) {
      rows.write();
      lines.push(scanner.line);
      const batch = out.builder.take();
      if (batch !== undefined) out.rows.push(...batch.rows());
    }
  };
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // The scanner must not rely on a chunk once it has been pushed.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
    scanner.push(chunk);
    chunk.fill(0x78);
    drain();
  }
  scanner.end();
  drain();
  return { rows: out.rows, rejected: out.rejected, lines };
}

const nobody = 65534;

/** Calls `work` as a user who is not root and owns the files of a folder, so that rights mean something. */
export async function withoutRights(folder: string, work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  const all = [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))];
  if (isRoot) {
    for (const path of all) chownSync(path, nobody, nobody);
    process.seteuid?.(nobody);
  }
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    for (const path of all) chmodSync(path, 0o700);
  }
}
