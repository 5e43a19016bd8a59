import { asDrayError, BACKSLASH, type Cell, DrayError, isNullCell, type RecordBatch, type RowFates, readText } from '../sdk/index.ts';
import type { CellPlaces } from './cell-places.ts';
import type { Transformed } from './chain.ts';
import type { Program, Stage } from './compile.ts';
import type { RowCopier, SlotCells } from './row-copier.ts';

/**
 * One batch on its way through a chain, stage by stage and not row by row: so each loop calls one transformer only, and one that has to leave this thread of
 * thought (an interpreter) does so once per batch.
 */
export class BatchPass implements RowFates {
  readonly #program: Program;
  readonly #batch: RecordBatch;
  readonly #places: CellPlaces;
  readonly #slots: SlotCells[];
  readonly #dirty: { row: number; fault: DrayError }[] = [];
  /** Rows that are left, by their index in the batch; undefined: all. */
  #rows: Uint32Array | undefined;
  #filtered = 0;
  /** Of the stage that runs: rows that it takes out, by their index among those that are left. */
  #gone: Uint8Array | undefined;
  #label = '';
  #columns: readonly Cell[][] = [];

  constructor(program: Program, batch: RecordBatch, places: CellPlaces) {
    this.#program = program;
    this.#batch = batch;
    this.#places = places;
    this.#slots = program.slots.map(() => ({ cells: [], original: undefined }));
  }

  through(stage: Stage): void {
    const count = this.#count;
    if (count === 0) return;
    this.#label = stage.label;
    for (const slot of stage.decodes) this.#decode(slot);
    const { slots, transformer } = stage;
    const made = slots.slice(stage.changes + stage.reads);
    for (const slot of made) this.#slots[slot]!.cells = new Array<Cell>(count).fill(null);
    this.#columns = slots.map((slot) => this.#slots[slot]!.cells);
    if (transformer.batch !== undefined) transformer.batch(this.#columns, count, this);
    else if (transformer.row !== undefined) this.#eachRow(stage, count);
    this.#compact();
  }

  /** Packs what is left. */
  end(copier: RowCopier): Transformed {
    const rows = { batch: this.#batch, places: this.#places, rows: this.#rows, slots: this.#slots };
    const batch = copier.pack(rows, (index, fault) => {
      this.#label = 'behind the transformers';
      this.reject(index, asDrayError(fault));
    });
    this.#compact();
    this.#dirty.sort((a, b) => a.row - b.row);
    return { batch, rows: this.#rows, filtered: this.#filtered, dirty: this.#dirty };
  }

  filter(row: number): void {
    if (this.#takeOut(row)) this.#filtered++;
  }

  reject(row: number, why: unknown): void {
    const fault = faultOf(why, () => this.#columns.map((column) => column[row] ?? null));
    if (fault.code !== 'ROW_REJECTED') throw fault;
    if (!this.#takeOut(row)) return;
    const column = fault.column === undefined ? {} : { column: fault.column };
    const named = new DrayError('ROW_REJECTED', `${this.#label}: ${fault.message}`, { cause: fault, ...column });
    this.#dirty.push({ row: this.#rows?.[row] ?? row, fault: named });
  }

  get #count(): number {
    return this.#rows?.length ?? this.#batch.rowCount;
  }

  /** @returns false if the row has been taken out before */
  #takeOut(row: number): boolean {
    this.#gone ??= new Uint8Array(this.#count);
    if (this.#gone[row] !== 0) return false;
    this.#gone[row] = 1;
    return true;
  }

  #decode(slot: number): void {
    const { source, isChanged } = this.#program.slots[slot]!;
    const { bytes } = this.#batch;
    const places = this.#places;
    const rows = this.#rows;
    const count = this.#count;
    const cells = new Array<Cell>(count);
    const hasEscapes = bytes.includes(BACKSLASH);
    for (let index = 0; index < count; index++) {
      const row = rows === undefined ? index : rows[index]!;
      const start = places.start(row, source!);
      const end = places.end(row, source!);
      cells[index] = hasEscapes && isNullCell(bytes, start, end) ? null : readText(bytes, start, end);
    }
    this.#slots[slot] = { cells, original: isChanged ? cells.slice() : undefined };
  }

  #eachRow({ changes, reads, transformer }: Stage, count: number): void {
    const columns = this.#columns;
    const cells = new Array<Cell>(columns.length).fill(null);
    const firstMade = changes + reads;
    for (let row = 0; row < count; row++) {
      for (let i = 0; i < columns.length; i++) cells[i] = columns[i]![row]!;
      try {
        if (transformer.row!(cells) === false) {
          this.filter(row);
          continue;
        }
      } catch (thrown) {
        this.reject(row, thrown);
        continue;
      }
      for (let i = 0; i < changes; i++) columns[i]![row] = cells[i]!;
      for (let i = firstMade; i < columns.length; i++) columns[i]![row] = cells[i]!;
    }
  }

  /** Forgets the rows that the stage has taken out. */
  #compact(): void {
    const gone = this.#gone;
    if (gone === undefined) return;
    this.#gone = undefined;
    const before = this.#rows;
    const kept = new Uint32Array(gone.reduce((left, isGone) => left - isGone, gone.length));
    let to = 0;
    for (let index = 0; index < gone.length; index++) {
      if (gone[index] !== 0) continue;
      for (const { cells, original } of this.#slots) {
        if (cells.length > 0) cells[to] = cells[index]!;
        if (original !== undefined) original[to] = original[index]!;
      }
      kept[to++] = before === undefined ? index : before[index]!;
    }
    for (const { cells, original } of this.#slots) {
      if (cells.length > 0) cells.length = to;
      if (original !== undefined) original.length = to;
    }
    this.#rows = kept;
  }
}

/** Why a row is refused of which a transformer has thrown. A message that holds a cell is not told: it would end up in logs. */
function faultOf(thrown: unknown, cellsOf: () => readonly Cell[]): DrayError {
  if (thrown instanceof Error && thrown.name === 'DrayError') return asDrayError(thrown);
  const { name, message } = thrown instanceof Error ? thrown : { name: 'an error', message: String(thrown) };
  const cells = cellsOf();
  const words = message.split(/\W+/);
  const isTelling = cells.some((cell) => cell !== null && cell !== '' && (cell.length > 3 ? message.includes(cell) : words.includes(cell)));
  return new DrayError('ROW_REJECTED', isTelling ? name : `${name}: ${message}`, { cause: thrown });
}
