import type { BareForm, Cell, RecordBatch } from '../sdk/index.ts';
import { BatchPacker } from './batch-packer.ts';
import { canonicalRow } from './canonical-row.ts';
import { Fit, type Misfit } from './fit.ts';
import type { TaskSpec } from './spec.ts';

/** Where the rows of a batch come from. */
interface Origin {
  /** The batch as it was read: dirty records are kept as they were there. */
  readonly read: RecordBatch;
  /** Of each row, its index in `read`; undefined: they are the same. */
  readonly rows: Uint32Array | undefined;
  /** Position of the first row of `read` among those that the reader has delivered, from 1. */
  readonly firstRow: number;
}

/** A batch in the channel. */
export interface Arrival extends Origin {
  readonly misfits: readonly Misfit[];
  /** Bytes of its text, whatever it goes as: what limits count. */
  readonly textBytes: number;
}

/** The batches of a task that are in its channel: what was found when their cells were looked at, and as what they go to the writer. */
export class Arrivals {
  readonly #fit: Fit;
  #packer: BatchPacker | undefined;
  /** Of batches that the reader delivers bare. */
  readonly #bareForms: readonly BareForm[];
  readonly #all = new WeakMap<RecordBatch, Arrival>();

  constructor({ delivered, target, agreed, batch }: TaskSpec) {
    this.#fit = new Fit(delivered, target.schema);
    this.#bareForms = agreed?.forms.layout === 'bare' ? agreed.forms.forms : [];
    this.#packer = agreed?.by === 'task' ? new BatchPacker(delivered, agreed.forms, this.#fit, batch.maxBytes) : undefined;
  }

  /** Looks at the cells of a batch. @returns what goes into the channel: the batch, or a copy in the forms of the target that needs none of the memory of what it was made of */
  add(batch: RecordBatch, origin: Origin): RecordBatch {
    const textBytes = batch.bytes.length;
    const packed = this.#packer?.pack(batch);
    if (packed !== undefined) {
      // Nobody asks where its rows come from: one that is refused makes the task go as text.
      this.#all.set(packed, { read: packed, rows: undefined, firstRow: origin.firstRow, misfits: [], textBytes });
      return packed;
    }
    if (this.#packer?.hasGivenUp === true) this.#packer = undefined;
    this.#all.set(batch, { ...origin, textBytes, misfits: this.#fit.isTrivial ? [] : this.#fit.misfits(batch) });
    return batch;
  }

  of(batch: RecordBatch): Arrival {
    return this.#all.get(batch)!;
  }

  /** A row of what was read, for those who keep it. */
  cellsOf({ read }: Arrival, row: number): readonly Cell[] {
    return read.layout === 'bare' ? canonicalRow(read, row, this.#bareForms) : read.row(row);
  }

  /** Of a batch in the channel, or of a part of one. */
  textBytesOf(batch: RecordBatch): number {
    return this.#all.get(batch)?.textBytes ?? batch.bytes.length;
  }

  /** Takes back the memory of such a copy. */
  reuse(batch: RecordBatch): void {
    this.#packer?.reuse(batch);
  }
}
