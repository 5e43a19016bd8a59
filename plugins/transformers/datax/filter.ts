import { type Cell, defineTransformer, z } from 'dray/sdk';
import { textOf } from '../cell-text.ts';
import { columnOf } from '../column-options.ts';
import { comparison, isText } from './compare.ts';
import { javaPattern } from './java-pattern.ts';
import { dataxOptions, text } from './paras.ts';

const operators = ['like', 'not like', '>', '<', '>=', '<=', '=', '==', '!='] as const;
const operator = z
  .string()
  .transform((word) => word.toLowerCase())
  .pipe(z.enum(operators, { error: `Expected one of ${operators.join(', ')}` }));
const value = text().refine((word) => word !== '', { error: 'Expected a value that is not empty' });

/** DataX's FilterTransformer: rows that match are dropped. */
export default defineTransformer({
  name: 'dx_filter',
  summary: 'Drops the rows in which a column matches',
  options: dataxOptions(
    z
      .tuple([operator, value], { error: 'Expected ["operator", "value"]' })
      .describe(
        '`["operator", "value"]`; rows that match are dropped. `like` and `not like` take a regular expression for the whole text; `>` `<` `>=` `<=` `=` `==` `!=` compare as numbers, moments or texts, as the type of the column says',
      ),
  ),
  example: { column: 'state', paras: ['=', 'deleted'] },
  open(options, schema) {
    const { position, column } = columnOf(options, schema);
    const [word, wanted] = options.paras;
    const isNullWanted = wanted.toLowerCase() === 'null';
    const read = textOf(column);
    // What is no number and no moment can still be compared with the word null: it is never equal.
    const neverSame = isNullWanted && !isText(column) && !/[<>]/.test(word);
    const order = word.endsWith('like') || neverSame ? undefined : comparison(column, wanted);
    const pattern = word.endsWith('like') ? javaPattern(wanted) : undefined;
    const isDropped = (cell: Cell): boolean => {
      switch (word) {
        case 'like':
          return cell !== null && pattern!.test(read(cell));
        case 'not like':
          return cell === null || !pattern!.test(read(cell));
        case '=':
        case '==':
          return cell === null ? isNullWanted : isSame(cell);
        case '!=':
          return cell === null ? !isNullWanted : !isSame(cell);
        case '>':
          return cell !== null && ordered(cell) > 0;
        case '>=':
          return cell !== null && ordered(cell) >= 0;
        case '<':
          return cell !== null && ordered(cell) < 0;
        case '<=':
          return cell !== null && ordered(cell) <= 0;
      }
    };
    const isSame = (cell: string) => order !== undefined && order(cell) === 0;
    const ordered = (cell: string) => order!(cell);
    return { reads: [position], row: (cells) => !isDropped(cells[0]!) };
  },
});
