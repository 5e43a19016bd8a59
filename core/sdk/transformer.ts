import type { z } from 'zod';
import { DrayError } from './errors.ts';
import type { PluginContext, PluginDefinition } from './plugin.ts';
import type { Cell } from './record-batch.ts';
import type { Column, Schema } from './schema.ts';

/** A column behind a transformer. */
export interface OutputColumn {
  readonly column: Column;
  /** Position of the column in front of the transformer whose cells it has, each at most once; `new`: the transformer makes them. */
  readonly from: number | 'new';
}

/** What becomes of the rows of a batch, by their index in it. A row of which nothing is said goes on. */
export interface RowFates {
  /** The row goes no further; counts as filtered. */
  filter(row: number): void;
  /** The row is a dirty record. `why` is what `row` would have thrown: best a DrayError ROW_REJECTED that says why; never the value. */
  reject(row: number, why: unknown): void;
}

/**
 * An open transformer. It works on the cells of the columns it names, and on no others: these stay packed and are copied as bytes. The cells it gets are in this
 * order: those of `changes`, those of `reads`, those of its new columns (NULL at first).
 */
export interface Transformer {
  /** Positions of the columns whose cells it changes, in the schema it was opened with. */
  readonly changes?: readonly number[];
  /** Positions of the columns whose cells it only looks at. */
  readonly reads?: readonly number[];
  /** The columns behind it, in order, if they are others than those in front of it: renamed, of another type, left out, or new. */
  readonly output?: readonly OutputColumn[];
  /**
   * For each row: changes `cells` in place. The array is used again for the next row.
   * Returns false if the row goes no further. What it throws makes the row a dirty record; a DrayError of another code than ROW_REJECTED fails the task.
   */
  row?(cells: Cell[]): boolean | void;
  /**
   * Instead of `row`, for all rows of a batch at once: `columns[i][r]` is the i-th cell of row r, and is changed in place. What it throws fails the task.
   * @param rowCount at least 1
   */
  batch?(columns: readonly Cell[][], rowCount: number, fates: RowFates): void;
  /** Releases everything. Always called, also after errors. */
  close?(): Promise<void> | void;
}

type Options = z.ZodObject;

export interface TransformerDefinition<O extends Options = Options> extends PluginDefinition<O> {
  /**
   * Called with valid options: in the main thread to plan, where the schema behind it decides what the target is asked for, and in the thread of each task.
   * @param schema the columns in front of it
   * @throws DrayError JOB_INVALID if the options do not go with these columns
   */
  open(options: z.output<O>, schema: Schema, context: PluginContext): Promise<Transformer> | Transformer;
}

export type TransformerPlugin = TransformerDefinition & { readonly kind: 'transformer' };

/** Declares a transformer. The module's default export, or any export, is the result. */
export function defineTransformer<O extends Options>(definition: TransformerDefinition<O>): TransformerPlugin {
  return { ...(definition as unknown as TransformerDefinition), kind: 'transformer' };
}

/**
 * Position of a column that an option names, or counts from 0.
 * @throws DrayError JOB_INVALID if there is none, or several of that name
 */
export function positionOf({ columns }: Schema, column: string | number): number {
  const names = columns.map(({ name }) => name);
  const are = `the rows have ${columns.length} column${columns.length === 1 ? '' : 's'} here: ${names.join(', ')}`;
  if (typeof column === 'number') {
    if (column >= 0 && column < columns.length) return column;
    throw new DrayError('JOB_INVALID', `columnIndex ${column} is out of bounds; ${are}`, {
      remedy: 'Columns are counted from 0, behind the transformers in front of this one; "column" takes their names.',
    });
  }
  const position = names.indexOf(column);
  if (position !== -1 && names.indexOf(column, position + 1) === -1) return position;
  const why = position === -1 ? `there is no column "${column}"` : `several columns are called "${column}"`;
  throw new DrayError('JOB_INVALID', `${why}; ${are}`, {
    remedy: 'Name a column as the reader does, or as a "rename" in front has made it.',
  });
}
