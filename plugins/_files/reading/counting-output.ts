import type { RecordOutput } from 'dray/sdk';

export interface CountingOutput extends RecordOutput {
  /** Rows delivered or rejected; all of them, after the last flush. */
  readonly rows: number;
}

export function countingOutput(out: RecordOutput): CountingOutput {
  let rows = 0;
  return {
    schema: out.schema,
    builder: out.builder,
    push: (cells) => out.push(cells),
    drain: () => out.drain(),
    flush() {
      rows += out.builder.rowCount;
      return out.flush();
    },
    send(batch) {
      rows += batch.rowCount;
      return out.send(batch);
    },
    reject(fault) {
      rows++;
      out.reject(fault);
    },
    get rows() {
      return rows;
    },
  };
}
