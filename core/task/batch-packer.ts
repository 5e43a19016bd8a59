import { BatchBuilder, bareCell, binaryEncoder, DrayError, type RecordBatch, type Schema, type TargetForms } from '../sdk/index.ts';
import { BareRows } from './bare-packing.ts';
import { BinaryRows } from './binary-packing.ts';
import type { Fit } from './fit.ts';

/** Whether texts of these columns can be brought into these forms. */
export function canPack({ columns }: Schema, { layout, forms }: TargetForms): boolean {
  return columns.every(
    (column, index) => (layout === 'binary' ? binaryEncoder(column, forms[index]!) : bareCell(column, forms[index]!)) !== undefined,
  );
}

/** Makes rows of one layout. */
export interface PackedRows {
  /** Bytes that the rows of a batch take at most. */
  roomFor(batch: RecordBatch): number;
  /**
   * Adds all rows of a batch of text to the builder, where there is room for them; or none.
   * @returns false: a cell is not beyond doubt; DrayError NOT_STRAIGHT says the same
   */
  add(batch: RecordBatch, builder: BatchBuilder): boolean;
}

/** So many batches that could not be packed are enough: the source has texts that only the target understands. */
const mostOddBatches = 4;
/** Batches that might become so many times as big as one is meant to be stay text: many columns of short numbers, a row of hundreds of megabytes. */
const mostGrowth = 4;

/**
 * Brings batches of text into the forms that their target takes, and looks at the same time whether every cell fits. A batch in which that is not beyond doubt for each cell stays text: the target
 * parses it, and the Fit finds what it would bend. For sources that have texts only (files), and for what transformers have made: the server saves
 * more than this costs here (for a million rows of 200 bytes PostgreSQL 1.2 to 2.1 of 4.8 to 6.9 CPU seconds, against 0.5 to 0.9; MariaDB 0.6 to 1.4 of 6.7 to 7.6, against 0.3 to 0.7).
 */
export class BatchPacker {
  readonly #rows: PackedRows;
  readonly #mostBytes: number;
  readonly #builder: BatchBuilder;
  #oddBatches = 0;

  /** @param maxBytes bytes of text that a batch is meant to have */
  constructor(source: Schema, forms: TargetForms, fit: Fit, maxBytes: number) {
    this.#rows = forms.layout === 'binary' ? new BinaryRows(source, forms.forms, fit) : new BareRows(source, forms.forms, fit);
    this.#mostBytes = mostGrowth * maxBytes;
    this.#builder = new BatchBuilder(source, { maxBytes, maxRows: Number.POSITIVE_INFINITY }, forms.layout);
  }

  /** It is not worth asking any more. */
  get hasGivenUp(): boolean {
    return this.#oddBatches >= mostOddBatches;
  }

  /** The same rows, in memory of their own; undefined: they have to stay as they are. */
  pack(batch: RecordBatch): RecordBatch | undefined {
    if (this.#add(batch)) return this.#builder.take();
    this.#oddBatches++;
    return undefined;
  }

  #add(batch: RecordBatch): boolean {
    const room = this.#rows.roomFor(batch);
    if (room > this.#mostBytes) return false;
    this.#builder.reserve(room);
    try {
      return this.#rows.add(batch, this.#builder);
    } catch (error) {
      if (!(error instanceof DrayError) || error.code !== 'NOT_STRAIGHT') throw error;
      return false;
    }
  }

  /** Takes back the memory of a batch that `pack` has made; others are ignored. */
  reuse(batch: RecordBatch): void {
    this.#builder.reuse(batch);
  }
}
