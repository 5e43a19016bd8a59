import { BatchBuilder, type Cell, type DrayError, type RecordBatch, type RecordOutput, type Schema } from '../../../../core/sdk/index.ts';

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

export function batchOf(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, { maxBytes: 1 << 20, maxRows: 1 << 20 });
  for (const row of rows) builder.push(row);
  return builder.take()!;
}
