import { type Cell, type Column, DrayError, defineTransformer, flag, logicalTypes, z } from 'dray/sdk';
import { columnsOf, namesColumn, someColumns, withColumns } from '../column-options.ts';
import { type Convert, converter } from './converter.ts';

export default defineTransformer({
  name: 'cast',
  summary: 'Turns a column into one of another type; a value that is none of that type is a dirty record',
  options: z
    .strictObject({
      ...someColumns,
      type: z.enum(logicalTypes).describe('The type that the column gets'),
      format: z
        .string()
        .optional()
        .describe(
          'How a date is written in the text: a pattern of `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`, `SSS`; for the types `date`, `timestamp` and `timestamptz` (read as UTC)',
        ),
      emptyAsNull: flag().default(false).describe('true: an empty text becomes NULL'),
    })
    .refine(...namesColumn),
  example: { column: 'created', type: 'timestamp', format: 'dd.MM.yyyy HH:mm' },
  open(options, schema) {
    const { type, emptyAsNull } = options;
    const found = columnsOf(options, schema);
    const converters = found.map(({ column }) => converter(column, options));
    const changed = new Map<number, Column>(
      found.map(({ position, column: { name, isNullable } }) => [position, { name, type, isNullable: isNullable || emptyAsNull }]),
    );
    const cellOf = (cell: Cell, convert: Convert, { name }: Column): Cell => {
      if (cell === null || (emptyAsNull && cell === '')) return null;
      const converted = convert(cell);
      if (converted === undefined) throw new DrayError('ROW_REJECTED', `a value that is no ${type}`, { column: name });
      return converted;
    };
    return {
      changes: [...changed.keys()],
      output: withColumns(schema, changed),
      row(cells) {
        for (let index = 0; index < converters.length; index++)
          cells[index] = cellOf(cells[index]!, converters[index]!, found[index]!.column);
      },
    };
  },
});
