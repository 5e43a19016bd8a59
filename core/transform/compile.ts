import { type Column, DrayError, type OutputColumn, type Schema, type Transformer } from '../sdk/index.ts';

/** A column of which cells are decoded, once for all transformers that name it. */
export interface Slot {
  /** Position in the source; undefined for a column that a transformer makes. */
  readonly source: number | undefined;
  /** True if a transformer may change it. */
  isChanged: boolean;
}

/** One transformer, bound to slots. */
export interface Stage {
  /** For messages: `transformer 2 (mask)`. */
  readonly label: string;
  readonly transformer: Transformer;
  /** Slots of the cells it gets, in their order. */
  readonly slots: readonly number[];
  /** How many of these, from the first, it only changes; those behind them it reads; the rest it makes. */
  readonly changes: number;
  readonly reads: number;
  /** Slots that no transformer in front of it has decoded. */
  readonly decodes: readonly number[];
}

/** A stretch of an output row: cells that are copied as they are, or one that may have been changed. */
export type Piece = { readonly first: number; readonly last: number } | { readonly slot: number };

/** What a chain does, worked out before the first row. */
export interface Program {
  readonly schema: Schema;
  readonly slots: readonly Slot[];
  readonly stages: readonly Stage[];
  readonly pieces: readonly Piece[];
  /** Cells of a source row that must be found: those up to this position. -1: none. */
  readonly lastNeeded: number;
}

/** A column on its way through the chain. */
interface Passing {
  readonly column: Column;
  readonly source: number | undefined;
  slot: number | undefined;
}

/** Binds open transformers to the columns of a source, one after the other. */
export class Compiler {
  readonly #slots: Slot[] = [];
  readonly #stages: Stage[] = [];
  readonly #width: number;
  #schema: Schema;
  #passing: Passing[];

  constructor(source: Schema) {
    this.#schema = source;
    this.#width = source.columns.length;
    this.#passing = source.columns.map((column, position) => ({ column, source: position, slot: undefined }));
  }

  /** The columns behind the transformers so far. */
  get schema(): Schema {
    return this.#schema;
  }

  /** @throws DrayError PLUGIN_BROKEN for positions that make no sense */
  add(label: string, transformer: Transformer): void {
    const { changes = [], reads = [], output } = transformer;
    const wanted = [...changes, ...reads];
    const width = this.#passing.length;
    if (new Set(wanted).size < wanted.length || wanted.some((position) => !isWithin(position, width)))
      throw broken(label, 'names a column that is not there, or twice');
    const decodes: number[] = [];
    const slots = wanted.map((position, index) => {
      const passing = this.#passing[position]!;
      const slot = passing.slot ?? this.#newSlot(passing.source);
      if (passing.slot === undefined) decodes.push(slot);
      passing.slot = slot;
      if (index < changes.length) this.#slots[slot]!.isChanged = true;
      return slot;
    });
    if (output !== undefined) slots.push(...this.#rearrange(label, output));
    this.#stages.push({ label, transformer, slots, changes: changes.length, reads: reads.length, decodes });
  }

  /** @returns the slots of new columns */
  #rearrange(label: string, output: readonly OutputColumn[]): number[] {
    const kept = output.flatMap(({ from }) => (from === 'new' ? [] : [from]));
    const width = this.#passing.length;
    if (new Set(kept).size < kept.length || kept.some((position) => !isWithin(position, width)))
      throw broken(label, 'has a column behind it that comes from nowhere, or from where another one comes from');
    const names = output.map(({ column }) => column.name);
    const double = names.find((name, index) => names.indexOf(name) < index);
    const before = new Set(this.#schema.columns.map(({ name }) => name));
    // A query may deliver two columns of one name; that is not for a transformer to judge.
    if (double !== undefined && before.size === width)
      throw new DrayError('JOB_INVALID', `two columns would be called "${double}" behind it`);
    if (output.length === 0) throw new DrayError('JOB_INVALID', 'no column is left behind it');
    const made: number[] = [];
    this.#passing = output.map(({ column, from }) => {
      if (from !== 'new') return { ...this.#passing[from]!, column };
      const slot = this.#newSlot(undefined);
      made.push(slot);
      return { column, source: undefined, slot };
    });
    this.#schema = { columns: output.map(({ column }) => column) };
    return made;
  }

  #newSlot(source: number | undefined): number {
    return this.#slots.push({ source, isChanged: source === undefined }) - 1;
  }

  program(): Program {
    const pieces: Piece[] = [];
    const needed: number[] = this.#slots.flatMap(({ source }) => source ?? []);
    for (const { source, slot } of this.#passing) {
      const isTouched = slot !== undefined && this.#slots[slot]!.isChanged;
      const before = pieces.at(-1);
      if (isTouched) pieces.push({ slot });
      else if (before !== undefined && 'last' in before && before.last === source! - 1)
        pieces[pieces.length - 1] = { first: before.first, last: source! };
      else pieces.push({ first: source!, last: source! });
    }
    for (const piece of pieces) {
      if (!('last' in piece)) continue;
      needed.push(piece.first - 1);
      if (piece.last < this.#width - 1) needed.push(piece.last);
    }
    return { schema: this.#schema, slots: this.#slots, stages: this.#stages, pieces, lastNeeded: Math.max(-1, ...needed) };
  }
}

function isWithin(position: number, width: number): boolean {
  return Number.isInteger(position) && position >= 0 && position < width;
}

function broken(label: string, why: string): DrayError {
  return new DrayError('PLUGIN_BROKEN', `${label} ${why}`);
}
