import { DrayError, integer, z } from 'dray/sdk';

/*
 * Options that the reader and the writer share, and the rules that hold between them.
 */

/** DataX's way to say UTF-8 differs from file to file. */
export const isUtf8Name = (encoding: string) => /^utf-?8$/i.test(encoding);

export const fieldDelimiter = z.string().min(1).default(',').describe('Between cells; one or more characters');
export const nullFormat = z.string().default('\\N').describe('What stands for NULL');
export const fileFormat = z.enum(['csv', 'text']);
export const compress = z.enum(['none', 'gzip', '']);
export const encoding = z.string().default('UTF-8');

/** A number that DataX takes as 1 or "1". */
export function oneOf(...numbers: readonly number[]) {
  return integer().refine((value) => numbers.includes(value), { error: `Expected ${numbers.join(' or ')}` });
}

export const textQualifier = z
  .string()
  .regex(/^[!-[\]-~]$/, 'Expected one ASCII character other than a backslash')
  .default('"');

/** Refuses delimiters, quotes and NULL texts that could not be told apart in a file. */
export function checkMarks(marks: { fieldDelimiter: string; nullFormat: string; quote: string | undefined }, side: 'read' | 'write'): void {
  const { fieldDelimiter: delimiter, nullFormat: nullText, quote } = marks;
  if (/[\r\n]/.test(delimiter)) throw new DrayError('JOB_INVALID', 'fieldDelimiter holds a line end, which ends a row');
  if (quote !== undefined && delimiter.includes(quote)) throw new DrayError('JOB_INVALID', 'fieldDelimiter holds the text qualifier');
  if (side === 'read') return;
  const isAmbiguous = `${nullText}${delimiter}`.indexOf(delimiter) !== nullText.length || /[\r\n]/.test(nullText);
  if (isAmbiguous || (quote !== undefined && nullText.includes(quote))) {
    throw new DrayError('JOB_INVALID', 'nullFormat holds a delimiter, a quote or a line end, so it could not be read back');
  }
}
