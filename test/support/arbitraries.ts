import fc from 'fast-check';
import type { Cell, Schema } from '../../core/sdk/index.ts';

/** Texts with everything that COPY text escapes, and characters of one to four bytes. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\t', '\n', '\r', '\\', 'N', 't', '', 'é', '漢', '😀', '\0', '\b', '\v', "'", '"') }),
);

export const anyCell: fc.Arbitrary<Cell> = fc.option(anyText, { freq: 5 });

/** Some rows, all of the same width, at least one column. */
export const anyRows = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(anyCell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 20 }));

export function textSchema(columnCount: number): Schema {
  return { columns: Array.from({ length: columnCount }, (_, index) => ({ name: `c${index}`, type: 'string', isNullable: true })) };
}
