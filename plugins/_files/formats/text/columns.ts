import { type Column, DrayError, integer, type Schema, writeNull, writeText, z } from 'dray/sdk';
import { type CellType, type CellTypeOption, cellType, typeNames } from './cell-types.ts';

const columnFields = z
  .strictObject(
    {
      index: integer({ min: 0 }).optional().describe('Which field of the row, counted from 0'),
      value: z
        .union([z.string(), z.number(), z.boolean(), z.null()])
        .optional()
        .describe('The same value in every row, instead of a field'),
      type: z
        .string()
        .toLowerCase()
        .pipe(z.enum(typeNames))
        .default('string')
        .describe(`Type of the values: ${typeNames.join(', ')}, in any case`),
      format: z
        .string()
        .optional()
        .describe('How a date or timestamp is written, like yyyy.MM.dd; without a time part the column is a plain date'),
      name: z.string().optional().describe('Name of the column; default c0, c1, … by index'),
    },
    { error: 'Expected {"index": N, "type": "…"}, or ["*"] in place of the list' },
  )
  .refine(({ format, type }) => format === undefined || format === '' || type === 'date' || type === 'timestamp', {
    error: 'Expected "format" only with the type date or timestamp',
  });

/** Where fields have numbers only. */
export const columnOption = columnFields.refine(({ index, value }) => (index === undefined) !== (value === undefined), {
  error: 'Expected either "index" or "value"',
});

export type ColumnOption = z.output<typeof columnOption> & Pick<CellTypeOption, 'forms'>;

/** Where values have names, too. */
export const keyedColumnOption = columnFields.refine(
  ({ index, value, name }) => (value === undefined ? (index ?? name) !== undefined : index === undefined),
  { error: 'Expected "name" or "index", or "value"' },
);

export type KeyedColumnOption = z.output<typeof keyedColumnOption> & Pick<CellTypeOption, 'forms'>;

/** A column with the same value in every row; `cell` as it stands in packed rows. */
export interface ConstantSource {
  readonly name: string;
  readonly field: undefined;
  readonly type: CellType | undefined;
  readonly cell: Buffer;
}

/** One column to be delivered: a field of the file, or a constant. */
export type ColumnSource = ConstantSource | { readonly name: string; readonly field: number; readonly type: CellType | undefined };

/**
 * Compiles the option `column`.
 * @param nullFormat a "value" that is the same is NULL
 */
export function columnSources(options: readonly ColumnOption[], nullFormat: string | undefined): ColumnSource[] {
  return options.map((option, position): ColumnSource => {
    const { index, value } = option;
    const type = cellType(option);
    const name = option.name ?? `c${index ?? position}`;
    if (index !== undefined) return { name, field: index, type };
    return constantSource(name, type, value === nullFormat ? null : (value ?? null));
  });
}

function constantSource(name: string, type: CellType | undefined, value: string | number | boolean | null): ConstantSource {
  const text = value === null ? null : String(value);
  const canonical = text === null || type === undefined ? text : type.canonical(text);
  if (canonical === undefined) throw new DrayError('JOB_INVALID', `"value" of the column ${name} is not ${type?.words}`);
  const cell = Buffer.alloc(canonical === null ? 2 : canonical.length * 3);
  const end = canonical === null ? writeNull(cell, 0) : writeText(cell, 0, canonical);
  return { name, field: undefined, type, cell: cell.subarray(0, end) };
}

/** The column of an option that has a "value"; undefined if it has none. */
export function constantOf(option: KeyedColumnOption, position: number): ConstantSource | undefined {
  const { name = `c${position}`, value } = option;
  return value === undefined ? undefined : constantSource(name, cellType(option), value);
}

/** One column of text per field. */
export function textColumns(names: readonly string[]): ColumnSource[] {
  return names.map((name, field) => ({ name, field, type: undefined }));
}

export function schemaOf(sources: readonly ColumnSource[]): Schema {
  return { columns: sources.map(({ name, type }): Column => ({ name, type: type?.logical ?? 'string', isNullable: true })) };
}
