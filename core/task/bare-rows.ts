import {
  BACKSLASH,
  type BareCell,
  type BareForm,
  type BatchBuilder,
  bareCell,
  DrayError,
  isNullCell,
  LF,
  makeBare,
  type RecordBatch,
  type Schema,
  TAB,
} from '../sdk/index.ts';
import type { PackedRows } from './batch-packer.ts';
import { EscapedText, isMark } from './escaped-text.ts';
import { type Fit, fits } from './fit.ts';

/** Texts as bare rows: cells are copied, and changed where they then stand. */
export class BareRows implements PackedRows {
  readonly #fit: Fit;
  readonly #cells: readonly BareCell[];
  readonly #text = new EscapedText();

  constructor(source: Schema, forms: readonly BareForm[], fit: Fit) {
    this.#fit = fit;
    this.#cells = source.columns.map((column, index) => bareCell(column, forms[index]!)!);
  }

  roomFor({ bytes }: RecordBatch): number {
    return bytes.length;
  }

  add(batch: RecordBatch, builder: BatchBuilder): boolean {
    const { bytes, rowCount } = batch;
    const cells = this.#cells;
    const last = cells.length - 1;
    const { buffer } = builder;
    const tests = this.#fit.testsFor(batch);
    const text = this.#text;
    let out = builder.position;
    let at = 0;
    for (let row = 0; row < rowCount; row++) {
      for (let column = 0; column <= last; column++) {
        const from = at;
        const start = out;
        let byte = bytes[at]!;
        while (isMark[byte] === 0) {
          buffer[out++] = byte;
          byte = bytes[++at]!;
        }
        const isEscaped = byte === BACKSLASH;
        // TAB and LF are neighbours.
        if (isEscaped) {
          while ((byte - TAB) >>> 0 > 1) {
            buffer[out++] = byte;
            byte = bytes[++at]!;
          }
        }
        if (byte !== (column === last ? LF : TAB)) throw new DrayError('INTERNAL', `row ${row} of a batch has not ${last + 1} cells`);
        const test = tests[column];
        const isNull = isEscaped && isNullCell(bytes, from, at);
        if (isNull) {
          if (test?.refusesNull === true) return false;
        } else {
          if (test !== undefined && isEscaped) {
            const length = text.read(bytes, from, at);
            if (length === -1 || !fits(test, text.bytes, 0, length)) return false;
          } else if (test !== undefined && !fits(test, bytes, from, at)) return false;
          const cell = cells[column]!;
          if (cell !== 'same') out = makeBare(cell, buffer, start, out);
          if (out === -1) return false;
        }
        buffer[out++] = byte;
        at++;
      }
    }
    if (at !== bytes.length) throw new DrayError('INTERNAL', `a batch has more than the ${rowCount} rows that it says it has`);
    builder.advance(out, rowCount);
    return true;
  }
}
