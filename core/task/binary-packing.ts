import {
  BACKSLASH,
  type BatchBuilder,
  type BinaryForm,
  beginBinaryRow,
  binaryEncoder,
  binaryRowHeader,
  type CellEncoder,
  DrayError,
  endBinaryRow,
  isNullCell,
  LF,
  type RecordBatch,
  type Schema,
  TAB,
  writeBinaryNull,
} from '../sdk/index.ts';
import type { PackedRows } from './batch-packer.ts';
import { EscapedText } from './escaped-text.ts';
import { type Fit, fits } from './fit.ts';

/** Bytes at which a cell ends, or is no plain text. */
const isMark = new Uint8Array(256);
for (const byte of [TAB, LF, BACKSLASH]) isMark[byte] = 1;

/** Bytes that a cell takes at most, beside those of its text. */
const roomOf: Readonly<Record<BinaryForm, number>> = {
  bool: 5,
  int2: 6,
  int4: 8,
  int8: 12,
  float4: 8,
  float8: 12,
  numeric: 16,
  text: 4,
  bytea: 4,
  date: 8,
  time: 12,
  timestamp: 12,
  timestamptz: 12,
  uuid: 4,
  jsonb: 5,
};

/** Texts as PostgreSQL's binary rows. */
export class BinaryRows implements PackedRows {
  readonly #fit: Fit;
  readonly #encoders: readonly CellEncoder[];
  readonly #rowRoom: number;
  readonly #text = new EscapedText();

  constructor(source: Schema, forms: readonly BinaryForm[], fit: Fit) {
    this.#fit = fit;
    this.#encoders = source.columns.map((column, index) => binaryEncoder(column, forms[index]!)!);
    this.#rowRoom = forms.reduce((sum, form) => sum + roomOf[form], binaryRowHeader + 2);
  }

  roomFor({ bytes, rowCount }: RecordBatch): number {
    return bytes.length + rowCount * this.#rowRoom;
  }

  add(batch: RecordBatch, builder: BatchBuilder): boolean {
    const { bytes, rowCount } = batch;
    const encoders = this.#encoders;
    const last = encoders.length - 1;
    const { buffer } = builder;
    const tests = this.#fit.testsFor(batch);
    const text = this.#text;
    let out = builder.position;
    let at = 0;
    for (let row = 0; row < rowCount; row++) {
      const start = out;
      out = beginBinaryRow(buffer, start, encoders.length);
      for (let column = 0; column <= last; column++) {
        const from = at;
        while (isMark[bytes[at]!] === 0) at++;
        const isEscaped = bytes[at] === BACKSLASH;
        // TAB and LF are neighbours.
        if (isEscaped) while ((bytes[at]! - TAB) >>> 0 > 1) at++;
        if (bytes[at] !== (column === last ? LF : TAB)) throw new DrayError('INTERNAL', `row ${row} of a batch has not ${last + 1} cells`);
        const test = tests[column];
        if (isEscaped && isNullCell(bytes, from, at)) {
          if (test?.refusesNull === true) return false;
          out = writeBinaryNull(buffer, out);
        } else if (isEscaped) {
          const length = text.read(bytes, from, at);
          if (length === -1 || (test !== undefined && !fits(test, text.bytes, 0, length))) return false;
          out = encoders[column]!(buffer, out, text.bytes, 0, length);
        } else {
          if (test !== undefined && !fits(test, bytes, from, at)) return false;
          out = encoders[column]!(buffer, out, bytes, from, at);
        }
        at++;
      }
      endBinaryRow(buffer, start, out);
    }
    if (at !== bytes.length) throw new DrayError('INTERNAL', `a batch has more than the ${rowCount} rows that it says it has`);
    builder.advance(out, rowCount);
    return true;
  }
}
