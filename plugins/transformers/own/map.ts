import { DrayError, defineTransformer, z } from 'dray/sdk';
import { textOf, toText } from '../cell-text.ts';
import { columnsOf, namesColumn, someColumns, withColumns } from '../column-options.ts';

const value = z.union([z.string(), z.number().transform(String), z.null()], { error: 'Expected a text or null' });

export default defineTransformer({
  name: 'map',
  summary: 'Puts values of a table in place of others',
  options: z
    .strictObject({
      ...someColumns,
      values: z.record(z.string(), value).describe('Each value, and what takes its place: a text or null'),
      default: value.optional().describe('Takes the place of all other values'),
      others: z
        .enum(['dirty', 'keep'])
        .default('dirty')
        .describe('Without `default`: a row with another value is a dirty record, or keeps it'),
      forNull: value.optional().describe('Takes the place of NULL; absent: NULL stays NULL'),
    })
    .refine(...namesColumn),
  example: { column: 'state', values: { A: 'active', D: 'deleted' } },
  open(options, schema) {
    const { default: fallback, others, forNull = null } = options;
    const table = new Map(Object.entries(options.values));
    const places = [...table.values(), fallback, forNull].map((text) => [...(text ?? '')].length);
    // Where other values are kept, nothing is known.
    const longest = fallback === undefined && others === 'keep' ? undefined : Math.max(...places);
    const found = columnsOf(options, schema);
    const reads = found.map(({ column }) => textOf(column));
    return {
      changes: found.map(({ position }) => position),
      output: withColumns(
        schema,
        toText(found, () => ({ isNullable: true, length: longest })),
      ),
      row(cells) {
        for (let index = 0; index < reads.length; index++) {
          const cell = cells[index]!;
          if (cell === null) {
            cells[index] = forNull;
            continue;
          }
          const text = reads[index]!(cell);
          const mapped = table.has(text) ? table.get(text) : fallback;
          if (mapped === undefined && others === 'dirty')
            throw new DrayError('ROW_REJECTED', 'a value that "values" does not list', { column: found[index]!.column.name });
          cells[index] = mapped === undefined ? text : mapped;
        }
      },
    };
  },
});
