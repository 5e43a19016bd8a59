// A transformer: makes one column out of several.
import { DrayError, defineTransformer, positionOf, texts, z } from 'dray/sdk';

export default defineTransformer({
  name: 'join-columns',
  summary: 'Makes one column out of several',
  options: z.strictObject({
    columns: texts().describe('Names of the columns whose texts are joined; they are left out then'),
    as: z.string().describe('Name of the new column, which comes last'),
    separator: z.string().default(' ').describe('What stands between the texts'),
  }),
  example: { columns: ['first_name', 'last_name'], as: 'name' },

  open({ columns, as, separator }, schema) {
    const joined = columns.map((name) => positionOf(schema, name));
    if (joined.length < 2) throw new DrayError('JOB_INVALID', 'it takes two columns at least to join them');
    return {
      reads: joined,
      output: [
        ...schema.columns.map((column, from) => ({ column, from })).filter(({ from }) => !joined.includes(from)),
        { column: { name: as, type: 'string', isNullable: false }, from: 'new' },
      ],
      row(cells) {
        // The cells of `reads`, and behind them that of the new column.
        const parts = cells.slice(0, joined.length).filter((cell) => cell !== null);
        cells[joined.length] = parts.join(separator);
      },
    };
  },
});
