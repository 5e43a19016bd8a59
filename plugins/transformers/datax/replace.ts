import { DrayError, defineTransformer, integer, z } from 'dray/sdk';
import { textColumn } from '../cell-text.ts';
import { columnOf, withColumns } from '../column-options.ts';
import { dataxOptions, text } from './paras.ts';

/** DataX's ReplaceTransformer. */
export default defineTransformer({
  name: 'dx_replace',
  summary: 'Puts another text in place of a part',
  options: dataxOptions(
    z
      .tuple([integer({ min: 0 }), integer({ min: 0 }), text()], { error: 'Expected ["start", "length", "text"]' })
      .describe(
        '`["start", "length", "text"]`: what is replaced, counted from 0, and by what. A text that is shorter than `start` is a dirty record, NULL stays NULL',
      ),
  ),
  example: { column: 'phone', paras: ['3', '4', '****'] },
  open(options, schema) {
    const { position, column } = columnOf(options, schema);
    const [start, length, replacement] = options.paras;
    const { row, column: changed } = textColumn(column, (cell) => {
      if (cell === null) return null;
      if (start > cell.length) throw new DrayError('ROW_REJECTED', `a text that is shorter than ${start}`, { column: column.name });
      return cell.slice(0, start) + replacement + cell.slice(start + length);
    });
    return { changes: [position], output: withColumns(schema, new Map([[position, changed]])), row };
  },
});
