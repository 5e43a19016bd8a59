import { DrayError, type RecordBatch, type TaskWriter } from '../sdk/index.ts';

interface Part {
  readonly from: number;
  readonly to: number;
  /** The one row that the target said it was. */
  readonly isAccused?: true;
}

/**
 * Writes a batch; where the target refuses it, finds exactly the rows that are refused and writes all others, in order.
 * The target's own word on which row it was is tried first (one bad row then costs three writes); without it, or where it proves
 * wrong, the batch is halved (pgloader's method: https://pgloader.readthedocs.io/en/latest/batches.html).
 * @param onRefused told each refused row's index in the batch, with the target's reason; may throw to stop
 * @returns how many rows were written
 */
export async function loadBatch(
  writer: Pick<TaskWriter, 'write'>,
  batch: RecordBatch,
  onRefused: (row: number, fault: DrayError) => void,
): Promise<{ rows: number; bytes: number }> {
  const written = { rows: 0, bytes: 0 };
  const parts: Part[] = [{ from: 0, to: batch.rowCount }];
  let trustsHints = true;
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { from, to, isAccused } = part;
    if (from === to) continue;
    const rows = batch.slice(from, to);
    try {
      await writer.write(rows);
      written.rows += rows.rowCount;
      written.bytes += rows.bytes.length;
      // A target that accuses the wrong row once would make every further part cost a write per row.
      if (isAccused === true) trustsHints = false;
    } catch (error) {
      if (!(error instanceof DrayError) || error.code !== 'ROW_REJECTED') throw error;
      if (to - from === 1) {
        onRefused(from, error);
        continue;
      }
      const hint = trustsHints ? error.row : undefined;
      if (hint !== undefined && hint >= 0 && hint < to - from) {
        const row = from + hint;
        parts.push({ from: row + 1, to }, { from: row, to: row + 1, isAccused: true }, { from, to: row });
      } else {
        const middle = from + ((to - from) >> 1);
        parts.push({ from: middle, to }, { from, to: middle });
      }
    }
  }
  return written;
}
