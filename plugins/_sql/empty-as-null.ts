import { type Column, RecordBatch, type Schema, type TaskWriter } from 'dray/sdk';

const numbers: ReadonlySet<string> = new Set(['integer', 'decimal', 'double']);

/** Columns of a target whose writer turns empty texts into NULL: those of numbers, if `emptyAsNull` is set. */
export function markedColumns<C extends Column>(columns: readonly C[], emptyAsNull: boolean): readonly C[] {
  if (!emptyAsNull) return columns;
  return columns.map((column) => (numbers.has(column.type) ? { ...column, emptyIsNull: true as const } : column));
}

/** A task that writes NULL for the empty texts of the columns that are marked for it. */
export function withNulls(task: TaskWriter, source: Schema, target: Schema): TaskWriter {
  const columns = target.columns.flatMap(({ emptyIsNull }, index) =>
    emptyIsNull === true && source.columns[index]?.type === 'string' ? [index] : [],
  );
  if (columns.length === 0) return task;
  const { write } = task;
  return Object.assign(task, { write: (batch: RecordBatch) => write.call(task, nullsForEmpty(batch, columns)) });
}

/** The batch with NULL, which is \N, in place of the empty cells of some columns. */
export function nullsForEmpty(batch: RecordBatch, columns: readonly number[]): RecordBatch {
  const places: number[] = [];
  for (let row = 0; row < batch.rowCount; row++) {
    for (const column of columns) {
      const start = batch.cellStart(row, column);
      if (start === batch.cellEnd(row, column)) places.push(start);
    }
  }
  if (places.length === 0) return batch;
  const { bytes } = batch;
  const nulled = Buffer.allocUnsafe(bytes.length + 2 * places.length);
  let at = 0;
  let from = 0;
  for (const place of places) {
    at += bytes.copy(nulled, at, from, place);
    at += nulled.write('\\N', at, 'latin1');
    from = place;
  }
  bytes.copy(nulled, at, from);
  return new RecordBatch(batch.schema, nulled, batch.rowCount);
}
