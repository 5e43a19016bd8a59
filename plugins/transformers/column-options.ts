import { type Column, DrayError, integer, positionOf, type Schema, texts, z } from 'dray/sdk';

/** How the DataX transformers name their one column. */
export const oneColumn = {
  columnIndex: integer({ min: 0 }).optional().describe('Position of the column, from 0'),
  column: z.string().optional().describe('Name of the column, in place of its position'),
};

/** How the others name theirs. */
export const someColumns = {
  column: texts().optional().describe('Name of the column, or a list of names'),
  columnIndex: z
    .union([integer({ min: 0 }).transform((position) => [position]), z.array(integer({ min: 0 }))], {
      error: 'Expected a position, from 0, or a list of positions',
    })
    .optional()
    .describe('Position of the column, from 0, or a list of positions, in place of names'),
};

interface Named {
  readonly column?: unknown;
  readonly columnIndex?: unknown;
}

/** For `.refine(…)` of the options. */
export const namesColumn = [
  ({ column, columnIndex }: Named) => (column === undefined) !== (columnIndex === undefined),
  { error: 'Expected one of "column" (a name) and "columnIndex" (a position, from 0)' },
] as const;

/** @throws DrayError JOB_INVALID if there is no such column */
export function columnOf({ column, columnIndex }: { column?: string | undefined; columnIndex?: number | undefined }, schema: Schema) {
  const position = positionOf(schema, column ?? columnIndex!);
  return { position, column: schema.columns[position]! };
}

/** @throws DrayError JOB_INVALID if there is no such column, or if one is named twice */
export function columnsOf(
  { column, columnIndex }: { column?: readonly string[] | undefined; columnIndex?: readonly number[] | undefined },
  schema: Schema,
): { readonly position: number; readonly column: Column }[] {
  const positions = (column ?? columnIndex!).map((one) => positionOf(schema, one));
  const twice = positions.find((position, index) => positions.indexOf(position) < index);
  if (twice !== undefined) throw new DrayError('JOB_INVALID', `the column "${schema.columns[twice]!.name}" is named twice`);
  return positions.map((position) => ({ position, column: schema.columns[position]! }));
}

/** The columns of a schema, with others at some positions. */
export function withColumns({ columns }: Schema, changed: ReadonlyMap<number, Column>) {
  return columns.map((column, from) => ({ column: changed.get(from) ?? column, from }));
}
