import { DrayError, defineTransformer, integer, z } from 'dray/sdk';
import { lengthOf, textColumn } from '../cell-text.ts';
import { columnOf, withColumns } from '../column-options.ts';
import { dataxOptions } from './paras.ts';

/** DataX's SubstrTransformer. */
export default defineTransformer({
  name: 'dx_substr',
  summary: 'Keeps a part of a text',
  options: dataxOptions(
    z
      .tuple([integer({ min: 0 }), integer({ min: 0 })], {
        error: 'Expected ["start", "length"]: from where, counted from 0, and how much',
      })
      .describe('`["start", "length"]`; a text that is shorter than `start` is a dirty record, NULL stays NULL'),
  ),
  example: { column: 'phone', paras: ['0', '3'] },
  open(options, schema) {
    const { position, column } = columnOf(options, schema);
    const [start, length] = options.paras;
    const { row, column: changed } = textColumn(
      column,
      (text) => {
        if (text === null) return null;
        if (start > text.length) throw new DrayError('ROW_REJECTED', `a text that is shorter than ${start}`, { column: column.name });
        return text.slice(start, start + length);
      },
      { length: Math.min(length, lengthOf(column) ?? length) },
    );
    return { changes: [position], output: withColumns(schema, new Map([[position, changed]])), row };
  },
});
