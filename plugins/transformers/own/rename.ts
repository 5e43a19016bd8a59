import { defineTransformer, positionOf, z } from 'dray/sdk';

export default defineTransformer({
  name: 'rename',
  summary: 'Gives columns other names',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.string().min(1))
      .describe('The old name of each column, and its new one; all at once, so that two can change places'),
  }),
  example: { columns: { cust_id: 'customer_id' } },
  open({ columns }, schema) {
    const names = new Map(Object.entries(columns).map(([from, to]) => [positionOf(schema, from), to]));
    return { output: schema.columns.map((column, from) => ({ column: { ...column, name: names.get(from) ?? column.name }, from })) };
  },
});
