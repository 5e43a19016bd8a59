import { defineTransformer, z } from 'dray/sdk';
import { columnsOf, namesColumn, someColumns } from '../column-options.ts';

export default defineTransformer({
  name: 'drop',
  summary: 'Leaves columns out; the target does not get them',
  options: z.strictObject(someColumns).refine(...namesColumn),
  example: { column: ['internal_note'] },
  open(options, schema) {
    const dropped = new Set(columnsOf(options, schema).map(({ position }) => position));
    return { output: schema.columns.map((column, from) => ({ column, from })).filter(({ from }) => !dropped.has(from)) };
  },
});
