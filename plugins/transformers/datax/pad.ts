import { defineTransformer, integer, z } from 'dray/sdk';
import { textColumn } from '../cell-text.ts';
import { columnOf, withColumns } from '../column-options.ts';
import { dataxOptions, text } from './paras.ts';

const side = z.string().regex(/^[lr]$/i, 'Expected "l" or "r"');
const filling = text().refine((value) => value !== '', { error: 'Expected a text that is not empty' });

/** DataX's PadTransformer. */
export default defineTransformer({
  name: 'dx_pad',
  summary: 'Makes texts equally long, by filling or cutting them',
  options: dataxOptions(
    z
      .tuple([side, integer({ min: 0 }), filling], { error: 'Expected ["l" or "r", "length", "text to fill with"]' })
      .describe(
        '`["l" or "r", "length", "filling"]`: where it is filled, how long it becomes, with what. Longer texts lose their end; NULL counts as an empty text',
      ),
  ),
  example: { column: 'number', paras: ['l', '8', '0'] },
  open(options, schema) {
    const { position, column } = columnOf(options, schema);
    const [where, length, fill] = options.paras;
    const isLeft = where.toLowerCase() === 'l';
    const { row, column: changed } = textColumn(
      column,
      (cell) => {
        const before = cell ?? '';
        if (length <= before.length) return before.slice(0, length);
        return isLeft ? before.padStart(length, fill) : before.padEnd(length, fill);
      },
      { isNullable: false, length },
    );
    return { changes: [position], output: withColumns(schema, new Map([[position, changed]])), row };
  },
});
