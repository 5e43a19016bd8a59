import { createHash } from 'node:crypto';
import { defineTransformer, z } from 'dray/sdk';
import { textColumn } from '../cell-text.ts';
import { columnOf, withColumns } from '../column-options.ts';
import { dataxOptions } from './paras.ts';

const algorithm = z.string().regex(/^(md5|sha1)$/i, 'Expected "md5" or "sha1"');
const letters = z.string().regex(/^to(upper|lower)case$/i, 'Expected "toUpperCase" or "toLowerCase"');

/** DataX's DigestTransformer. */
export default defineTransformer({
  name: 'dx_digest',
  summary: 'Puts the MD5 or SHA-1 digest in place of a text; `hash` has safer ones',
  options: dataxOptions(
    z
      .tuple([algorithm, letters], { error: 'Expected ["md5" or "sha1", "toUpperCase" or "toLowerCase"]' })
      .describe('`["md5" or "sha1", "toUpperCase" or "toLowerCase"]`; NULL counts as an empty text'),
  ),
  example: { column: 'email', paras: ['md5', 'toLowerCase'] },
  open(options, schema) {
    const { position, column } = columnOf(options, schema);
    const name = options.paras[0].toLowerCase();
    const isUpper = options.paras[1].toLowerCase() === 'touppercase';
    const { row, column: changed } = textColumn(
      column,
      (cell) => {
        const digest = createHash(name)
          .update(cell ?? '')
          .digest('hex');
        return isUpper ? digest.toUpperCase() : digest;
      },
      { isNullable: false, length: name === 'md5' ? 32 : 40 },
    );
    return { changes: [position], output: withColumns(schema, new Map([[position, changed]])), row };
  },
});
