import { BatchBuilder, type Column, DrayError, type RecordBatch, type Schema } from 'dray/sdk';
import type { FileEncoder, WritingFormat } from '../format.ts';
import { compileDateFormat } from './date-format.ts';

/** How values are written that would otherwise have their canonical text; undefined: as that. */
export interface WrittenForms {
  readonly timestamp: ((canonical: string) => string | undefined) | undefined;
  readonly date: ((canonical: string) => string | undefined) | undefined;
  readonly bytes: ((canonical: string) => string | undefined) | undefined;
}

interface FormOptions {
  readonly dateFormat?: string | undefined;
  readonly format?: string | undefined;
  readonly byteEncoding?: string | undefined;
  readonly columnForms?: { readonly datetimeFormat?: string | undefined; readonly dateFormat?: string | undefined } | undefined;
}

/** The options that say how values are written; undefined: none does. @throws DrayError JOB_INVALID for a pattern that cannot be used */
export function writtenForms({ dateFormat, format, byteEncoding, columnForms = {} }: FormOptions): WrittenForms | undefined {
  const wanted = dateFormat || format;
  const printer = (pattern: string | undefined) => (pattern === undefined || pattern === '' ? undefined : compileDateFormat(pattern).print);
  const forms: WrittenForms = {
    timestamp: printer(wanted || columnForms.datetimeFormat),
    date: printer(wanted || columnForms.dateFormat),
    bytes: byteEncoding === 'base64' ? (hex) => Buffer.from(hex.slice(2), 'hex').toString('base64') : undefined,
  };
  return Object.values(forms).every((one) => one === undefined) ? undefined : forms;
}

/** A format whose files have values in these forms. */
export function inForms(format: WritingFormat, forms: WrittenForms): WritingFormat {
  return {
    suffix: format.suffix,
    encoder(schema) {
      const printers = schema.columns.map((column) => printerOf(column, forms));
      if (printers.every((one) => one === undefined)) return format.encoder(schema);
      const written: Schema = {
        columns: schema.columns.map((column, index) =>
          printers[index] === undefined ? column : { name: column.name, type: 'string', isNullable: column.isNullable },
        ),
      };
      const inner = format.encoder(written);
      return {
        start: () => inner.start(),
        encode: (batch) => inner.encode(printedBatch(batch, written, printers)),
        end: () => inner.end(),
      } satisfies FileEncoder;
    },
  };
}

type Printer = ((canonical: string) => string | undefined) | undefined;

function printerOf({ type }: Column, { timestamp, date, bytes }: WrittenForms): Printer {
  if (type === 'timestamp' || type === 'timestamptz') return timestamp;
  if (type === 'date') return date;
  return type === 'bytes' ? bytes : undefined;
}

function printedBatch(batch: RecordBatch, schema: Schema, printers: readonly Printer[]): RecordBatch {
  const builder = new BatchBuilder(schema, { maxBytes: 2 * batch.bytes.length + 1, maxRows: batch.rowCount + 1 });
  let row = 0;
  for (const cells of batch.rows()) {
    for (const [index, print] of printers.entries()) {
      const cell = cells[index];
      if (print === undefined || cell === null || cell === undefined) continue;
      const text = print(cell);
      if (text === undefined) {
        const { name } = schema.columns[index]!;
        throw new DrayError('ROW_REJECTED', 'a date that cannot be written in the form of "dateFormat"', { row, column: name });
      }
      cells[index] = text;
    }
    builder.push(cells);
    row++;
  }
  return builder.take() ?? batch;
}
