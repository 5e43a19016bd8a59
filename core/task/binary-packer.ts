import {
  BACKSLASH,
  BatchBuilder,
  type BinaryForm,
  beginBinaryRow,
  binaryEncoder,
  binaryRowHeader,
  type CellEncoder,
  DrayError,
  endBinaryRow,
  escapeOf,
  isNullCell,
  LF,
  type RecordBatch,
  type Schema,
  TAB,
  writeBinaryNull,
} from '../sdk/index.ts';
import { type Fit, fits } from './fit.ts';

/** Whether texts of these columns can be packed in these forms. */
export function canPack({ columns }: Schema, forms: readonly BinaryForm[]): boolean {
  return columns.every((column, index) => binaryEncoder(column, forms[index]!) !== undefined);
}

/** Bytes at which a cell ends, or is no plain text. */
const isMark = new Uint8Array(256);
for (const byte of [TAB, LF, BACKSLASH]) isMark[byte] = 1;
/** For each letter behind a backslash the byte that it stands for; 0: it is no escape. */
const byteOf = new Uint8Array(256);
for (const [byte, letter] of escapeOf.entries()) if (letter !== 0) byteOf[letter] = byte;

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

/** So many batches that could not be packed are enough: the source has texts that only the target understands. */
const mostOddBatches = 4;
/** Batches that might become so many times as big as one is meant to be stay text: many columns of short numbers, a row of hundreds of megabytes. */
const mostGrowth = 4;

/**
 * Packs batches of text as binary rows, and looks at the same time whether every cell fits. A batch in which that is not beyond doubt for each cell stays text: the target
 * parses it, and the Fit finds what it would bend. For sources that have texts only (files), and for what transformers have made: into PostgreSQL the server saves
 * more than this costs here (1.2 to 2.1 of 4.8 to 6.9 CPU seconds for a million rows of 200 bytes, against 0.5 to 0.9).
 */
export class BinaryPacker {
  readonly #fit: Fit;
  readonly #encoders: readonly CellEncoder[];
  readonly #rowRoom: number;
  readonly #mostBytes: number;
  readonly #builder: BatchBuilder;
  #scratch = Buffer.allocUnsafe(0);
  #oddBatches = 0;

  /** @param maxBytes bytes of text that a batch is meant to have */
  constructor(source: Schema, forms: readonly BinaryForm[], fit: Fit, maxBytes: number) {
    this.#fit = fit;
    this.#encoders = source.columns.map((column, index) => binaryEncoder(column, forms[index]!)!);
    this.#rowRoom = forms.reduce((sum, form) => sum + roomOf[form], binaryRowHeader + 2);
    this.#mostBytes = mostGrowth * maxBytes;
    this.#builder = new BatchBuilder(source, { maxBytes, maxRows: Number.POSITIVE_INFINITY }, 'binary');
  }

  /** It is not worth asking any more. */
  get hasGivenUp(): boolean {
    return this.#oddBatches >= mostOddBatches;
  }

  /** The same rows, in memory of their own; undefined: they have to stay as they are. */
  pack(batch: RecordBatch): RecordBatch | undefined {
    try {
      if (this.#packAll(batch)) return this.#builder.take();
    } catch (error) {
      if (!(error instanceof DrayError) || error.code !== 'NOT_STRAIGHT') throw error;
    }
    this.#oddBatches++;
    return undefined;
  }

  /** Takes back the memory of a batch that `pack` has made; others are ignored. */
  reuse(batch: RecordBatch): void {
    this.#builder.reuse(batch);
  }

  /** @returns whether all rows are in the builder; otherwise none is. @throws DrayError NOT_STRAIGHT, which says the same */
  #packAll(batch: RecordBatch): boolean {
    const { bytes, rowCount } = batch;
    const builder = this.#builder;
    const encoders = this.#encoders;
    const last = encoders.length - 1;
    const room = bytes.length + rowCount * this.#rowRoom;
    if (room > this.#mostBytes) return false;
    builder.reserve(room);
    const { buffer } = builder;
    const tests = this.#fit.testsFor(batch);
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
          const length = this.#unescape(bytes, from, at);
          if (length === -1 || (test !== undefined && !fits(test, this.#scratch, 0, length))) return false;
          out = encoders[column]!(buffer, out, this.#scratch, 0, length);
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

  /** @returns how long the text is that then stands in `#scratch`; -1: it has a backslash that begins none of the four escapes */
  #unescape(bytes: Buffer, from: number, to: number): number {
    if (this.#scratch.length < to - from) this.#scratch = Buffer.allocUnsafeSlow(2 * (to - from));
    const text = this.#scratch;
    let length = 0;
    for (let i = from; i < to; i++) {
      let byte = bytes[i]!;
      if (byte === BACKSLASH) {
        byte = byteOf[bytes[++i]!]!;
        if (byte === 0) return -1;
      }
      text[length++] = byte;
    }
    return length;
  }
}
