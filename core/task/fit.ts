import { isNullCell, type RecordBatch, readText, type Schema } from '../sdk/index.ts';
import { type CellCheck, cellCheck } from './cell-check.ts';

/** What cells of a column must pass. */
export interface ColumnFit {
  readonly column: number;
  readonly name: string;
  readonly refusesNull: boolean;
  readonly check: CellCheck | undefined;
  /** One of these stands in every batch with a misfit; undefined: every batch is looked through. */
  readonly marks: readonly string[] | undefined;
}

export interface Misfit {
  readonly row: number;
  readonly column: string;
  readonly cause: string;
}

/**
 * Finds rows that the target would accept but bend: rounded fractions, a dropped time zone, cut-off blanks. Compiled once per task from
 * both schemas; columns whose types cannot lose anything cost nothing.
 */
export class Fit {
  readonly #columns: readonly ColumnFit[];

  constructor(source: Schema, target: Schema) {
    this.#columns = source.columns.flatMap((from, column): ColumnFit[] => {
      const to = target.columns[column];
      if (to === undefined) return [];
      const check = cellCheck(from, to);
      const refusesNull = to.replacesNull === true && from.isNullable;
      if (check === undefined && !refusesNull) return [];
      const marks = check === undefined ? [] : check.marks;
      return [
        { column, name: to.name, refusesNull, check, marks: marks === undefined ? undefined : [...marks, ...(refusesNull ? ['\\N'] : [])] },
      ];
    });
  }

  /** True where no row can be bent, so that batches need not be looked at. */
  get isTrivial(): boolean {
    return this.#columns.length === 0;
  }

  /** True where no text of these columns is looked at. */
  needsNone(columns: Iterable<number>): boolean {
    const few = new Set(columns);
    return !this.#columns.some(({ column, check }) => check !== undefined && few.has(column));
  }

  /** By column: what its cells in this batch must pass; nothing where it is clear that they all do. */
  testsFor(batch: RecordBatch): readonly (ColumnFit | undefined)[] {
    const tests: (ColumnFit | undefined)[] = batch.schema.columns.map(() => undefined);
    for (const one of this.#inDoubt(batch)) tests[one.column] = one;
    return tests;
  }

  #inDoubt(batch: RecordBatch): ColumnFit[] {
    return this.#columns.filter(({ marks }) => marks === undefined || marks.some((mark) => batch.bytes.includes(mark)));
  }

  /** The rows of a batch that would be bent, in order, each once. */
  misfits(batch: RecordBatch): Misfit[] {
    const columns = this.#inDoubt(batch);
    if (columns.length === 0) return [];
    const { bytes, cellEnds, schema } = batch;
    const width = schema.columns.length;
    const found: Misfit[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      for (const { column, name, refusesNull, check } of columns) {
        const cell = row * width + column;
        const from = cell === 0 ? 0 : cellEnds[cell - 1]! + 1;
        const to = cellEnds[cell]!;
        let cause: string | undefined;
        if (isNullCell(bytes, from, to)) cause = refusesNull ? 'NULL, which the target would replace by a value of its own' : undefined;
        else if (check?.surelyFits?.(bytes, from, to) !== true) cause = check?.faultOf(readText(bytes, from, to));
        if (cause === undefined) continue;
        found.push({ row, column: name, cause });
        break;
      }
    }
    return found;
  }
}

/** Whether a text, which has no escapes and is not NULL, goes into the column as it is. */
export function fits({ check }: ColumnFit, text: Buffer, from: number, to: number): boolean {
  return check === undefined || check.surelyFits?.(text, from, to) === true || check.faultOf(text.toString('utf8', from, to)) === undefined;
}
