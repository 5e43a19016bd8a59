import { BatchBuilder, type Cell, DrayError, LF, RecordBatch, type Schema, TAB, writeNull, writeText } from '../sdk/index.ts';
import type { CellPlaces } from './cell-places.ts';
import type { Program } from './compile.ts';

/** The cells of a slot for the rows that are left: as they are now, and as they were read. */
export interface SlotCells {
  cells: Cell[];
  /** Undefined where the slot is never changed, or has no source. */
  original: Cell[] | undefined;
}

/** Rows of a batch, and what has become of their cells. */
export interface Rows {
  readonly batch: RecordBatch;
  readonly places: CellPlaces;
  /** Indices in the batch; undefined: all of them. */
  readonly rows: Uint32Array | undefined;
  readonly slots: readonly SlotCells[];
}

/** Stretches up to so many bytes are copied in a loop: a call into native code has a price of its own. */
const longCopy = 48;

/**
 * Packs the rows behind a chain: bytes that nobody has touched are copied in stretches as long as possible, over cells and over rows, and a batch of which
 * nothing changes is handed on as it is.
 */
export class RowCopier {
  readonly #schema: Schema;
  /** Of each piece: its columns, or its slot and the column that this comes from; -1: none. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #slot: Int32Array;
  readonly #builder: BatchBuilder;
  #source: Buffer = Buffer.alloc(0);
  /** The stretch of the source that is still to be copied. */
  #from = 0;
  #to = 0;
  /** Where the next byte goes. */
  #at = 0;

  constructor({ schema, pieces, slots }: Program, limits: { maxBytes: number; maxRows: number }) {
    this.#schema = schema;
    const sourceOf = (slot: number) => slots[slot]!.source ?? -1;
    this.#first = Int32Array.from(pieces, (piece) => ('slot' in piece ? sourceOf(piece.slot) : piece.first));
    this.#last = Int32Array.from(pieces, (piece) => ('slot' in piece ? sourceOf(piece.slot) : piece.last));
    this.#slot = Int32Array.from(pieces, (piece) => ('slot' in piece ? piece.slot : -1));
    this.#builder = new BatchBuilder(schema, limits);
  }

  /**
   * @param onFault told the index in `rows` of a row that cannot be packed; it is left out
   * @returns undefined if no row is left
   */
  pack(rows: Rows, onFault: (index: number, fault: unknown) => void): RecordBatch | undefined {
    const { batch } = rows;
    const count = rows.rows?.length ?? batch.rowCount;
    this.#source = batch.bytes;
    this.#from = this.#to = this.#at = 0;
    let packed = 0;
    for (let index = 0; index < count; index++) {
      const at = this.#at;
      const from = this.#from;
      const to = this.#to;
      try {
        this.#row(rows.rows === undefined ? index : rows.rows[index]!, index, rows);
        packed++;
      } catch (fault) {
        this.#at = at;
        this.#from = from;
        this.#to = to;
        onFault(index, fault);
      }
    }
    if (packed === 0) return undefined;
    if (packed === batch.rowCount && this.#at === 0 && this.#to - this.#from === batch.bytes.length)
      return batch.schema === this.#schema ? batch : new RecordBatch(this.#schema, batch.bytes, packed);
    this.#flush();
    this.#builder.advance(this.#at, packed);
    return this.#builder.take();
  }

  /** Takes back the memory of a batch that nobody reads any more, if it was made here. */
  reuse(batch: RecordBatch): void {
    this.#builder.reuse(batch);
  }

  #row(row: number, index: number, { places, slots }: Rows): void {
    const source = this.#source;
    const count = this.#slot.length;
    for (let piece = 0; piece < count; piece++) {
      const delimiter = piece === count - 1 ? LF : TAB;
      const slot = this.#slot[piece]!;
      if (slot !== -1) {
        const { cells, original } = slots[slot]!;
        const cell = cells[index]!;
        if (original === undefined || cell !== original[index]) {
          this.#write(cell, delimiter);
          continue;
        }
      }
      const end = places.end(row, this.#last[piece]!);
      if (source[end] === delimiter) this.#copy(places.start(row, this.#first[piece]!), end + 1);
      else {
        this.#copy(places.start(row, this.#first[piece]!), end);
        this.#flush();
        this.#reserve(1);
        this.#builder.buffer[this.#at++] = delimiter;
      }
    }
  }

  #copy(from: number, to: number): void {
    if (from !== this.#to || this.#to === this.#from) {
      this.#flush();
      this.#from = from;
    }
    this.#to = to;
  }

  #write(cell: Cell, delimiter: number): void {
    if (typeof cell !== 'string' && cell !== null)
      throw new DrayError('PLUGIN_BROKEN', `a transformer has made a cell of type ${typeof cell}, where a text or null is expected`);
    this.#flush();
    this.#reserve((cell === null ? 2 : cell.length * 3) + 1);
    const { buffer } = this.#builder;
    const at = cell === null ? writeNull(buffer, this.#at) : writeText(buffer, this.#at, cell);
    buffer[at] = delimiter;
    this.#at = at + 1;
  }

  #flush(): void {
    const length = this.#to - this.#from;
    if (length === 0) return;
    this.#reserve(length);
    const target = this.#builder.buffer;
    if (length > longCopy) this.#source.copy(target, this.#at, this.#from, this.#to);
    else for (let i = 0; i < length; i++) target[this.#at + i] = this.#source[this.#from + i]!;
    this.#at += length;
    this.#from = this.#to;
  }

  #reserve(byteCount: number): void {
    if (this.#at + byteCount <= this.#builder.buffer.length) return;
    this.#builder.advance(this.#at, 0);
    this.#builder.reserve(byteCount);
  }
}
