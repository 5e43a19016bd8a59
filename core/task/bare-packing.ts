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
import { EscapedText } from './escaped-text.ts';
import { type ColumnFit, type Fit, fits } from './fit.ts';

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
    let out = builder.position;
    let at = 0;
    for (let row = 0; row < rowCount; row++) {
      for (let column = 0; column <= last; column++) {
        const from = at;
        const start = out;
        let byte: number;
        // TAB and LF are neighbours.
        do {
          byte = bytes[at++]!;
          buffer[out++] = byte;
        } while ((byte - TAB) >>> 0 > 1);
        if (byte !== (column === last ? LF : TAB)) throw new DrayError('INTERNAL', `row ${row} of a batch has not ${last + 1} cells`);
        const cell = cells[column]!;
        const test = tests[column];
        if (cell === 'same' && test === undefined) continue;
        if (isNullCell(bytes, from, at - 1)) {
          if (test?.refusesNull === true) return false;
          continue;
        }
        if (test !== undefined && !this.#passes(test, bytes, from, at - 1)) return false;
        if (cell === 'same') continue;
        out = makeBare(cell, buffer, start, out - 1);
        if (out === -1) return false;
        buffer[out++] = byte;
      }
    }
    if (at !== bytes.length) throw new DrayError('INTERNAL', `a batch has more than the ${rowCount} rows that it says it has`);
    builder.advance(out, rowCount);
    return true;
  }

  #passes(test: ColumnFit, bytes: Buffer, from: number, to: number): boolean {
    for (let i = from; i < to; i++) {
      if (bytes[i] !== BACKSLASH) continue;
      const length = this.#text.read(bytes, from, to);
      return length !== -1 && fits(test, this.#text.bytes, 0, length);
    }
    return fits(test, bytes, from, to);
  }
}
