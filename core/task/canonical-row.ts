import { type BareForm, bareCell, type Cell, type RecordBatch } from '../sdk/index.ts';
import { EscapedText } from './escaped-text.ts';

/** A row of a bare batch as the canonical texts that its reader would have delivered. */
export function canonicalRow(batch: RecordBatch, row: number, forms: readonly BareForm[]): Cell[] {
  return batch.schema.columns.map((column, index): Cell => {
    if (batch.isNull(row, index)) return null;
    const cell = bareCell(column, forms[index]!);
    if (cell === 'raw') return hexOf(batch, row, index);
    const text = batch.cell(row, index);
    if (cell === 'utc') return `${text}+00`;
    return cell === 'digit' ? String(text === '1') : text;
  });
}

function hexOf(batch: RecordBatch, row: number, column: number): string {
  const raw = new EscapedText();
  const length = raw.read(batch.bytes, batch.cellStart(row, column), batch.cellEnd(row, column));
  return `\\x${raw.bytes.toString('hex', 0, length)}`;
}
