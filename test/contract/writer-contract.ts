import { expect, it } from 'vitest';
import {
  BatchBuilder,
  type Cell,
  DrayError,
  type Json,
  type PluginContext,
  type RecordBatch,
  type Schema,
  type TaskWriter,
  type Writer,
  type WriterPlugin,
} from '../../core/sdk/index.ts';

export interface WriterCase {
  readonly plugin: WriterPlugin;
  /** `parameter` of a job file that writes into an empty target of `schema`. */
  readonly parameter: () => Promise<object> | object;
  readonly schema: Schema;
  /** Rows the target takes; at least three. */
  readonly rows: readonly Cell[][];
  /** A row the target refuses, if there is such a row. */
  readonly badRow?: readonly Cell[];
  /** What the target holds now, in any order; undefined if nothing can be read back. */
  readonly readBack?: () => Promise<Cell[][]>;
  /** Makes the target empty again. */
  readonly reset: () => Promise<void> | void;
}

/** What every writer must do, whatever it writes to. Call it inside of a `describe`. */
export function writerContract({ plugin, parameter, schema, rows, badRow, readBack, reset }: WriterCase): void {
  const open = async (): Promise<Writer> => plugin.open(plugin.options.parse(await parameter()), context);
  const start = async (writer: Writer, id = 0): Promise<TaskWriter> => {
    const target = (await writer.prepare?.(schema, { guarantee: 'at-least-once', mode: 'run' })) ?? (await writer.inspect(schema));
    expect(JSON.parse(JSON.stringify(target))).toEqual(target);
    return writer.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target });
  };
  const expectRows = async (expected: readonly (readonly Cell[])[]) => {
    if (readBack !== undefined) expect(sorted(await readBack())).toEqual(sorted(expected));
  };

  it('changes nothing while it inspects the target', async () => {
    await reset();
    const writer = await open();
    const target = await writer.inspect(schema);
    expect(target.schema.columns.length).toBe(schema.columns.length);
    await writer.close?.();
    await expectRows([]);
  });

  it('makes rows visible once they are committed and published', async () => {
    await reset();
    const writer = await open();
    const task = await start(writer);
    await task.write(batchOf(schema, rows.slice(0, 1)));
    await task.write(batchOf(schema, rows.slice(1)));
    await task.finish?.();
    const commit = (await task.commit(null)) ?? null;
    expect(JSON.parse(JSON.stringify(commit))).toEqual(commit as Json);
    await writer.publish?.([commit], { guarantee: 'at-least-once', mode: 'run' });
    await writer.close?.();
    await expectRows(rows);
  });

  it('leaves nothing of an aborted task', async () => {
    await reset();
    const writer = await open();
    const task = await start(writer);
    await task.write(batchOf(schema, rows));
    await task.abort();
    await writer.discard?.();
    await writer.close?.();
    await expectRows([]);
  });

  it('commits a task without rows', async () => {
    await reset();
    const writer = await open();
    const task = await start(writer);
    await task.finish?.();
    const commit = (await task.commit(null)) ?? null;
    await writer.publish?.([commit], { guarantee: 'at-least-once', mode: 'run' });
    await writer.close?.();
    await expectRows([]);
  });

  it('has copied what it keeps of a batch when the call settles', async () => {
    await reset();
    const writer = await open();
    const task = await start(writer);
    const batch = batchOf(schema, rows);
    await task.write(batch);
    batch.bytes.fill(0x78);
    await task.finish?.();
    const commit = (await task.commit(null)) ?? null;
    await writer.publish?.([commit], { guarantee: 'at-least-once', mode: 'run' });
    await writer.close?.();
    await expectRows(rows);
  });

  if (badRow === undefined) return;

  it('keeps nothing of a batch in which it refuses a row, and goes on with the next one', async () => {
    await reset();
    const writer = await open();
    const task = await start(writer);
    await task.write(batchOf(schema, rows.slice(0, 1)));
    const refusal = await task.write(batchOf(schema, [rows[1]!, badRow, rows[2]!])).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DrayError);
    expect((refusal as DrayError).code).toBe('ROW_REJECTED');
    await task.write(batchOf(schema, rows.slice(1)));
    await task.finish?.();
    const commit = (await task.commit(null)) ?? null;
    await writer.publish?.([commit], { guarantee: 'at-least-once', mode: 'run' });
    await writer.close?.();
    await expectRows(rows);
  });
}

const context: PluginContext = {
  run: 'contract',
  job: 'contract',
  warn: () => undefined,
  print: () => undefined,
  signal: new AbortController().signal,
};

function batchOf(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, { maxBytes: 1 << 20, maxRows: 1 << 20 });
  for (const row of rows) builder.push(row);
  return builder.take()!;
}

function sorted(rows: readonly (readonly Cell[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
