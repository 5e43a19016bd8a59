import { defineTransformer, integer, z } from 'dray/sdk';
import { lengthOf, textOf, toText } from '../cell-text.ts';
import { columnsOf, namesColumn, someColumns, withColumns } from '../column-options.ts';

const character = z.string().refine((text) => [...text].length === 1, { error: 'Expected one character' });

export default defineTransformer({
  name: 'mask',
  summary: 'Puts a sign in place of characters, so that a value cannot be read any more',
  options: z
    .strictObject({
      ...someColumns,
      type: z
        .enum(['text', 'email', 'phone'])
        .default('text')
        .describe(
          '`email` keeps the first letter and what stands from the @ on; `phone` keeps the last four digits and the signs between digits',
        ),
      keepFirst: integer({ min: 0 }).default(0).describe('With type `text`: characters at the start that stay; default 0'),
      keepLast: integer({ min: 0 })
        .default(0)
        .describe(
          'With type `text`: characters at the end that stay; default 0. A text that has no more than would stay is masked as a whole',
        ),
      char: character.default('*').describe('The sign that takes their place'),
    })
    .refine(...namesColumn),
  example: { column: 'phone', type: 'phone' },
  open(options, schema) {
    const found = columnsOf(options, schema);
    const reads = found.map(({ column }) => textOf(column));
    const masked = maskOf(options);
    return {
      changes: found.map(({ position }) => position),
      output: withColumns(
        schema,
        toText(found, (column) => ({ length: lengthOf(column) })),
      ),
      row(cells) {
        for (let index = 0; index < reads.length; index++) {
          const cell = cells[index]!;
          if (cell !== null) cells[index] = masked(reads[index]!(cell));
        }
      },
    };
  },
});

interface MaskOptions {
  readonly type: 'text' | 'email' | 'phone';
  readonly keepFirst: number;
  readonly keepLast: number;
  readonly char: string;
}

/** Characters are those of Unicode: half of a surrogate pair is none. */
function maskOf({ type, keepFirst, keepLast, char }: MaskOptions): (text: string) => string {
  const plain = (text: string, first: number, last: number) => {
    const characters = [...text];
    const hidden = characters.length - first - last;
    if (hidden <= 0) return char.repeat(characters.length);
    return characters.slice(0, first).join('') + char.repeat(hidden) + characters.slice(first + hidden).join('');
  };
  switch (type) {
    case 'text':
      return (text) => plain(text, keepFirst, keepLast);
    case 'email':
      return (text) => {
        const at = text.lastIndexOf('@');
        return at < 1 ? plain(text, 0, 0) : plain(text.slice(0, at), 1, 0) + text.slice(at);
      };
    case 'phone':
      return (text) => {
        const digits = text.match(/\p{Nd}/gu)?.length ?? 0;
        let seen = 0;
        // So few digits would tell who it is; and letters have no place in a number.
        const hidden = digits <= 4 ? digits : digits - 4;
        return text.replace(/[\p{L}\p{N}]/gu, (sign) => (/\p{Nd}/u.test(sign) && seen++ >= hidden ? sign : char));
      };
  }
}
