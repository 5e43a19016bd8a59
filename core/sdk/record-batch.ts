import { binaryRowEnd } from './binary-rows.ts';
import { isNullCell, LF, readText, TAB } from './copy-text.ts';
import { DrayError } from './errors.ts';
import type { Schema } from './schema.ts';
import type { Layout } from './target-forms.ts';

/** A value as text in the canonical form of its column's type, or NULL. */
export type Cell = string | null;

/**
 * Some whole rows, packed as COPY text (see copy-text.ts), or in another layout that its writer takes, too. What moves through a Channel. Nothing is decoded until it is asked for:
 * `rowEnds` and `cellEnds` are built on first use, about 0.05 and 0.4 CPU seconds per million rows of 200 bytes.
 * A batch is never changed once made; readers hand it over and forget it.
 */
export class RecordBatch {
  readonly schema: Schema;
  readonly bytes: Buffer;
  readonly rowCount: number;
  /** `binary`: its cells cannot be looked at; `bare`: some of them are no canonical texts (`canonicalRow`). */
  readonly layout: Layout;
  #rowEnds: Uint32Array | undefined;
  #cellEnds: Uint32Array | undefined;

  constructor(schema: Schema, bytes: Uint8Array, rowCount: number, layout: Layout = 'text') {
    this.schema = schema;
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.rowCount = rowCount;
    this.layout = layout;
  }

  /** For each row the position behind its last byte (but in binary rows: its LF). */
  get rowEnds(): Uint32Array {
    if (this.#rowEnds !== undefined) return this.#rowEnds;
    const ends = new Uint32Array(this.rowCount);
    let row = 0;
    const { bytes } = this;
    if (this.layout === 'binary') for (let at = 0; at < bytes.length; ) ends[row++] = at = binaryRowEnd(bytes, at);
    else for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) ends[row++] = at + 1;
    if (row !== this.rowCount || (row > 0 && ends[row - 1] !== bytes.length)) {
      throw new DrayError('INTERNAL', `a batch says it has ${this.rowCount} rows, and ${row} row ends were found`);
    }
    this.#rowEnds = ends;
    return ends;
  }

  /** For each cell, row by row, the position of the TAB or LF behind it; `rowCount * columns` entries. */
  get cellEnds(): Uint32Array {
    if (this.#cellEnds !== undefined) return this.#cellEnds;
    if (this.layout === 'binary') throw new DrayError('INTERNAL', 'a cell of a binary batch was asked for');
    const { bytes, rowCount } = this;
    const columnCount = this.schema.columns.length;
    const ends = new Uint32Array(rowCount * columnCount);
    let cell = 0;
    let rows = 0;
    for (let at = 0; at < bytes.length; at++) {
      const mark = bytes[at]! - TAB;
      // TAB and LF are neighbours: one comparison tells both from all other bytes.
      if (mark >>> 0 < 2) {
        ends[cell++] = at;
        rows += mark;
      }
    }
    let isWhole = rows === rowCount && cell === ends.length && (cell === 0 ? 0 : ends[cell - 1]! + 1) === bytes.length;
    for (let last = columnCount - 1; isWhole && last < cell; last += columnCount) isWhole = bytes[ends[last]!] === LF;
    if (!isWhole)
      throw new DrayError('INTERNAL', `a batch of ${rowCount} rows of ${columnCount} columns has ${rows} rows of ${cell} cells in all`);
    this.#cellEnds = ends;
    return ends;
  }

  /** Position of the first byte of a cell. */
  cellStart(row: number, column: number): number {
    const cell = row * this.schema.columns.length + column;
    return cell === 0 ? 0 : this.cellEnds[cell - 1]! + 1;
  }

  /** Position behind the last byte of a cell. */
  cellEnd(row: number, column: number): number {
    return this.cellEnds[row * this.schema.columns.length + column]!;
  }

  isNull(row: number, column: number): boolean {
    return isNullCell(this.bytes, this.cellStart(row, column), this.cellEnd(row, column));
  }

  /** One cell, decoded. */
  cell(row: number, column: number): Cell {
    const start = this.cellStart(row, column);
    const end = this.cellEnd(row, column);
    return isNullCell(this.bytes, start, end) ? null : readText(this.bytes, start, end);
  }

  /** One row, decoded: one text or NULL per column. */
  row(row: number): Cell[] {
    return this.schema.columns.map((_, column) => this.cell(row, column));
  }

  /** All rows, decoded one after the other. The simple way to write a writer. */
  *rows(): Generator<Cell[]> {
    for (let row = 0; row < this.rowCount; row++) yield this.row(row);
  }

  /** Rows `from` up to, not including, `to`, as a batch over the same memory. */
  slice(from: number, to: number): RecordBatch {
    if (from === 0 && to === this.rowCount) return this;
    const start = from === 0 ? 0 : this.rowEnds[from - 1]!;
    const end = to === 0 ? 0 : this.rowEnds[to - 1]!;
    return new RecordBatch(this.schema, this.bytes.subarray(start, end), to - from, this.layout);
  }
}
