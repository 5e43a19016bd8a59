import { DrayError, type RecordBatch, TAB } from '../sdk/index.ts';

/** Where the cells of a batch stand, up to the last column that somebody needs: what is behind it is never looked at. */
export class CellPlaces {
  readonly #width: number;
  readonly #stride: number;
  #rowEnds: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);

  /**
   * @param width columns of the rows
   * @param lastNeeded position of the last column of which the end is needed; the end of the last column of all is known anyway
   */
  constructor(width: number, lastNeeded: number) {
    this.#width = width;
    this.#stride = Math.min(lastNeeded, width - 2) + 1;
  }

  find(batch: RecordBatch): void {
    const { bytes, rowCount, rowEnds } = batch;
    const stride = this.#stride;
    this.#rowEnds = rowEnds;
    if (stride === 0) return;
    if (this.#ends.length < rowCount * stride) this.#ends = new Uint32Array(rowCount * stride);
    const ends = this.#ends;
    let cell = 0;
    for (let row = 0; row < rowCount; row++) {
      let at = row === 0 ? 0 : rowEnds[row - 1]!;
      const next = cell + stride;
      // None of these is the last cell of its row, so a TAB is behind each.
      const rowEnd = rowEnds[row]!;
      while (cell < next) {
        while (at < rowEnd && bytes[at] !== TAB) at++;
        if (at === rowEnd) throw new DrayError('INTERNAL', `a row of a batch has fewer cells than its schema has columns, ${this.#width}`);
        ends[cell++] = at++;
      }
    }
  }

  /** Position of the first byte of a cell. */
  start(row: number, column: number): number {
    if (column > 0) return this.#ends[row * this.#stride + column - 1]! + 1;
    return row === 0 ? 0 : this.#rowEnds[row - 1]!;
  }

  /** Position of the TAB or LF behind a cell. */
  end(row: number, column: number): number {
    return column === this.#width - 1 ? this.#rowEnds[row]! - 1 : this.#ends[row * this.#stride + column]!;
  }
}
