import { LF, TAB, writeNull, writeText } from './copy-text.ts';
import { DrayError } from './errors.ts';
import { type Cell, RecordBatch } from './record-batch.ts';
import type { Schema } from './schema.ts';
import type { Layout } from './target-forms.ts';

const maxSpareBuffers = 4;

/**
 * Packs rows into batches. `push` takes rows as cells; a reader that has bytes already reserves room, writes packed rows into `buffer`
 * itself and says with `advance` how far it came.
 */
export class BatchBuilder {
  readonly schema: Schema;
  readonly layout: Layout;
  /** Rows after which a batch counts as full. */
  readonly maxRows: number;
  /** Where to write to; replaced by `reserve` and `take`, so read it again after either. */
  buffer: Buffer;
  #position = 0;
  #rowCount = 0;
  #maxBytes: number;
  #capacity = 64 * 1024;
  /** Memory of batches handed out, and how much of it they fill; weakly, because not every one comes back. */
  readonly #lent = new WeakMap<ArrayBufferLike, number>();
  /** Memory of those that did. */
  readonly #spare: Buffer[] = [];

  constructor(schema: Schema, limits: { maxBytes: number; maxRows: number }, layout: Layout = 'text') {
    this.schema = schema;
    this.layout = layout;
    this.#maxBytes = limits.maxBytes;
    this.maxRows = limits.maxRows;
    this.buffer = Buffer.allocUnsafe(0);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Where the next row starts in `buffer`. */
  get position(): number {
    return this.#position;
  }

  /** Bytes after which a batch counts as full. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** From now on batches have so many bytes. */
  resize(maxBytes: number): void {
    if (maxBytes === this.#maxBytes) return;
    this.#maxBytes = maxBytes;
    this.#capacity = Math.min(this.#capacity, maxBytes);
    this.#spare.length = 0;
  }

  get isFull(): boolean {
    return this.#position >= this.#maxBytes || this.#rowCount >= this.maxRows;
  }

  /** Makes sure that `byteCount` more bytes fit behind `position`. */
  reserve(byteCount: number): void {
    const needed = this.#position + byteCount;
    if (needed <= this.buffer.length) return;
    // The first buffers are small, so that a 50-row job does not touch megabytes; later ones have the size the last one grew to.
    if (this.#position > 0) this.#capacity = Math.min(this.#capacity * 4, this.#maxBytes + (this.#maxBytes >> 3));
    // Where the usual size does not do, it is one that does for any batch that is not full: who asks for much room asks for it again with the next row.
    const size = needed <= this.#capacity ? this.#capacity : Math.max(needed, this.#maxBytes + byteCount);
    const spare = this.#spare.pop();
    const grown = spare !== undefined && spare.length >= needed ? spare : Buffer.allocUnsafeSlow(size);
    this.buffer.copy(grown, 0, 0, this.#position);
    this.buffer = grown;
  }

  /** `rowCount` whole rows were written into `buffer`, up to `position`. */
  advance(position: number, rowCount: number): void {
    this.#position = position;
    this.#rowCount += rowCount;
  }

  /**
   * Adds one row.
   * @throws DrayError COLUMN_COUNT if there are not as many cells as columns, ROW_REJECTED for text that is not Unicode
   */
  push(cells: readonly Cell[]): void {
    if (this.layout !== 'text') throw new DrayError('INTERNAL', `a row of texts was pushed where rows are ${this.layout}`);
    const columnCount = this.schema.columns.length;
    if (cells.length !== columnCount) {
      throw new DrayError('COLUMN_COUNT', `a row has ${cells.length} cells where the schema has ${columnCount} columns`);
    }
    let room = columnCount;
    for (const cell of cells) room += cell === null ? 2 : cell.length * 3;
    this.reserve(room);
    const { buffer } = this;
    let at = this.#position;
    for (let column = 0; column < columnCount; column++) {
      const cell = cells[column]!;
      at = cell === null ? writeNull(buffer, at) : writeText(buffer, at, cell);
      buffer[at++] = column === columnCount - 1 ? LF : TAB;
    }
    this.#position = at;
    this.#rowCount++;
  }

  /** The rows so far as a batch, or undefined if there are none; the builder is empty afterwards. */
  take(): RecordBatch | undefined {
    if (this.#rowCount === 0) return undefined;
    const batch = new RecordBatch(this.schema, this.buffer.subarray(0, this.#position), this.#rowCount, this.layout);
    this.#lent.set(this.buffer.buffer, this.#position);
    this.buffer = Buffer.allocUnsafe(0);
    this.#position = 0;
    this.#rowCount = 0;
    return batch;
  }

  /**
   * Takes back the memory of a batch that nobody reads any more; other batches are ignored.
   * Without this every batch is left to the garbage collector, which waits for tens of megabytes per thread.
   */
  reuse(batch: RecordBatch): void {
    const memory = batch.bytes.buffer;
    // A slice shares its memory with other slices, of which some may still be read.
    if (this.#lent.get(memory) !== batch.bytes.length) return;
    this.#lent.delete(memory);
    if (this.#spare.length >= maxSpareBuffers) return;
    this.#spare.push(Buffer.from(batch.bytes.buffer));
  }
}
