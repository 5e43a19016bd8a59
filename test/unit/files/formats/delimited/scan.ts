import { RecordScanner } from '../../../../../plugins/_files/formats/delimited/record-scanner.ts';
import { RowWriter } from '../../../../../plugins/_files/formats/delimited/row-writer.ts';
import type { ScanFormat } from '../../../../../plugins/_files/formats/delimited/scan-kinds.ts';
import { textColumns } from '../../../../../plugins/_files/formats/text/columns.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { KeepingOutput } from '../keeping-output.ts';

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
