import fc from 'fast-check';
import type { Cell } from '../../../../../core/sdk/index.ts';
import { fieldDelimiter } from '../../../../../plugins/_files/format-options.ts';
import { anyText } from '../../../../support/arbitraries.ts';

export const delimiter = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(',', '|', '\t', ' ', 'a', '\\', 'N', '\u0001', '，', '😀'), minLength: 1, maxLength: 3 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).filter((text) => !/["\r\n]/.test(text) && !/\p{Surrogate}/u.test(text)),
  )
  .filter((text) => fieldDelimiter.safeParse(text).success);
export const nullText = fc.constantFrom('\\N', '', 'NULL', 'a', 'null ');

/** Texts near to what delimiters, quotes and NULL texts are made of. */
const trickyText = fc.string({ unit: fc.constantFrom(',', '"', '|', '\t', '\n', '\r', '\\', 'N', 'a', ' ', '\ufeff', '，'), maxLength: 6 });
const cell: fc.Arbitrary<Cell> = fc.option(fc.oneof(anyText, trickyText, fc.constantFrom('', '\\N', 'NULL', 'null', '\ufeff', '""')), {
  freq: 5,
});
export const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));

export const isReadable = (separator: string, nothing: string) => `${nothing}${separator}`.indexOf(separator) === nothing.length;
