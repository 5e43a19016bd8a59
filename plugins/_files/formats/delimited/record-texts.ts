import { hasEscapes } from './record-fields.ts';
import type { RecordScanner } from './record-scanner.ts';
import type { ScanFormat } from './scan-kinds.ts';
import { Unescaper } from './unescaper.ts';

/** The fields of the record that a scanner has found. For headers; rows go through the RowWriter. */
export function recordTexts({ bytes, fields: { count, starts, ends, flags } }: RecordScanner, format: ScanFormat): string[] {
  const unescaper = new Unescaper(format);
  return Array.from({ length: count }, (_, field) => {
    const [from, to] = [starts[field]!, ends[field]!];
    const length = (flags[field]! & hasEscapes) === 0 ? -1 : unescaper.run(bytes, from, to);
    return length === -1 ? bytes.toString('utf8', from, to) : unescaper.bytes.toString('utf8', 0, length);
  });
}

/** Names of the columns by the fields of a header. */
export function headerNames(record: readonly string[]): string[] {
  return record.map((text, index) => text.trim() || `c${index}`);
}
