import { isNullCell, LF, type RecordBatch, readText, type Schema, TAB } from '../sdk/index.ts';
import { type CellCheck, cellCheck, type Mark } from './cell-check.ts';

/** What cells of a column must pass. */
export interface ColumnFit {
  readonly column: number;
  readonly name: string;
  readonly refusesNull: boolean;
  readonly check: CellCheck | undefined;
  /** One of these stands in, before or behind every misfit; undefined: any cell may be one. */
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
  /** Columns whose misfits have this mark, from left to right. */
  readonly #marked = new Map<string, ColumnFit[]>();

  constructor(source: Schema, target: Schema) {
    this.#columns = source.columns.flatMap((from, column): ColumnFit[] => {
      const to = target.columns[column];
      if (to === undefined) return [];
      const check = cellCheck(from, to);
      const refusesNull = to.replacesNull === true && from.isNullable;
      if (check === undefined && !refusesNull) return [];
      const isLast = column === source.columns.length - 1;
      return [{ column, name: to.name, refusesNull, check, marks: marksOf(check, refusesNull, { isFirst: column === 0, isLast }) }];
    });
    for (const one of this.#columns) {
      for (const mark of one.marks ?? []) {
        const ofMark = this.#marked.get(mark);
        if (ofMark === undefined) this.#marked.set(mark, [one]);
        else ofMark.push(one);
      }
    }
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

  /** By column: what its cells in this batch must pass, for those who come by each cell anyway: a test that is no cheaper than to look for marks is left out where there are none. */
  testsFor(batch: RecordBatch): readonly (ColumnFit | undefined)[] {
    const tests: (ColumnFit | undefined)[] = batch.schema.columns.map(() => undefined);
    const isCheap = ({ check }: ColumnFit) => check === undefined || check.surelyFits !== undefined;
    const dear = this.#columns.filter((one) => !isCheap(one));
    for (const one of [...this.#columns.filter(isCheap), ...this.#inDoubt(dear, batch)]) tests[one.column] = one;
    return tests;
  }

  /** Those of the columns that may have a misfit: any may if misfits have no mark, else those that share it with one. */
  #inDoubt(columns: readonly ColumnFit[], batch: RecordBatch): ColumnFit[] {
    const all = new Set(columns.flatMap(({ marks = [] }) => marks));
    const found = new Set([...all].filter((mark) => hasMisfit(mark, this.#marked.get(mark)!, batch)));
    return columns.filter(({ marks }) => marks === undefined || marks.some((mark) => found.has(mark)));
  }

  /** The rows of a batch that would be bent, in order, each once. */
  misfits(batch: RecordBatch): Misfit[] {
    const columns = this.#inDoubt(this.#columns, batch);
    if (columns.length === 0) return [];
    const { bytes, cellEnds, schema } = batch;
    const width = schema.columns.length;
    const found: Misfit[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      for (const one of columns) {
        const cell = row * width + one.column;
        const cause = faultIn(one, bytes, cell === 0 ? 0 : cellEnds[cell - 1]! + 1, cellEnds[cell]!);
        if (cause === undefined) continue;
        found.push({ row, column: one.name, cause });
        break;
      }
    }
    return found;
  }
}

function marksOf(
  check: CellCheck | undefined,
  refusesNull: boolean,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
): readonly string[] | undefined {
  if (check !== undefined && check.mark === undefined) return undefined;
  const [before, behind] = [isFirst ? '\n' : '\t', isLast ? '\n' : '\t'];
  const packed = (mark: Mark) => ('within' in mark ? mark.within : 'begins' in mark ? before + mark.begins : mark.ends + behind);
  return [...(check?.mark === undefined ? [] : [packed(check.mark)]), ...(refusesNull ? [`${before}\\N`] : [])];
}

/** Whether a cell of these columns, whose misfits have this mark, is one. Only rows with a mark are looked at; and the first row, before which nothing stands. */
function hasMisfit(mark: string, columns: readonly ColumnFit[], { bytes, rowCount }: RecordBatch): boolean {
  if (rowCount > 0 && columns[0]!.column === 0 && isMisfit(columns, bytes, 0)) return true;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    const row = bytes.lastIndexOf(LF, at) + 1;
    if (isMisfit(columns, bytes, row)) return true;
    // The mark of the next row may begin with the LF of this one.
    at = bytes.indexOf(LF, row) - 1;
  }
  return false;
}

/** @param row position of its first byte */
function isMisfit(columns: readonly ColumnFit[], bytes: Buffer, row: number): boolean {
  let from = row;
  let column = 0;
  for (const one of columns) {
    for (; column < one.column; column++) from = bytes.indexOf(TAB, from) + 1;
    let to = from;
    // TAB and LF are neighbours.
    while ((bytes[to]! - TAB) >>> 0 > 1) to++;
    if (faultIn(one, bytes, from, to) !== undefined) return true;
  }
  return false;
}

function faultIn({ refusesNull, check }: ColumnFit, bytes: Buffer, from: number, to: number): string | undefined {
  if (isNullCell(bytes, from, to)) return refusesNull ? 'NULL, which the target would replace by a value of its own' : undefined;
  return check?.surelyFits?.(bytes, from, to) === true ? undefined : check?.faultOf(readText(bytes, from, to));
}

/** Whether a text, which has no escapes and is not NULL, goes into the column as it is. */
export function fits({ check }: ColumnFit, text: Buffer, from: number, to: number): boolean {
  return check === undefined || check.surelyFits?.(text, from, to) === true || check.faultOf(text.toString('utf8', from, to)) === undefined;
}
