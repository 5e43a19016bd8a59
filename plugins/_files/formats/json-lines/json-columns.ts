import { DrayError } from 'dray/sdk';
import { type CellType, cellType } from '../text/cell-types.ts';
import { constantOf, type KeyedColumnOption } from '../text/columns.ts';

/** One column to be delivered: the value of a key (or of the n-th key of a file's first line), or a constant. */
export type JsonColumn =
  | { readonly name: string; readonly key: string | number; readonly type: CellType | undefined }
  | { readonly name: string; readonly key: undefined; readonly type: CellType | undefined; readonly cell: Buffer };

/** Compiles the option `column` for files whose values have names. */
export function jsonColumns(options: readonly KeyedColumnOption[]): JsonColumn[] {
  return options.map((option, position): JsonColumn => {
    const { name, index } = option;
    const constant = constantOf(option, position);
    if (constant !== undefined) return { name: constant.name, key: undefined, type: constant.type, cell: constant.cell };
    const key = index ?? name;
    if (key === undefined) throw new DrayError('JOB_INVALID', `the column number ${position} has neither "name" nor "index" nor "value"`);
    return { name: name ?? `c${index}`, key, type: cellType(option) };
  });
}
