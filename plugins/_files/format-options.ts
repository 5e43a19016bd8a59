import { choice, integer, z } from 'dray/sdk';

/*
 * Options of formats that readers and writers share.
 */

export const fileFormatNames = ['csv', 'text', 'copy', 'jsonl', 'parquet'] as const;

export const fieldDelimiter = z
  .string()
  .min(1)
  .refine((text) => !/^\\([tnr0]|u[0-9a-f]{4}|x[0-9a-f]{2}|0\d\d)$/i.test(text), {
    error: 'Expected a delimiter, and here stand a backslash and letters: JSON has one backslash in "\\t" and "\\u0001"',
  })
  .default(',')
  .describe('Between cells; one or more characters');
export const nullFormat = z.string().default('\\N').describe('What stands for NULL');
export const encoding = z
  .string()
  .transform((name) => (name.trim() === '' ? 'UTF-8' : name))
  .prefault('UTF-8');

export const compress = choice(['none', 'gzip', 'zstd', ''], (name) =>
  /^(bzip2|zip)$/i.test(name)
    ? `Expected none, gzip or zstd: ${name} files are read, and not written`
    : 'Expected none, gzip or zstd: dray cannot pack anything else',
);

export const unpack = choice(
  ['none', 'gzip', 'zstd', 'bzip2', 'zip', ''],
  () => 'Expected none, gzip, zstd, bzip2 or zip: dray cannot unpack anything else',
);

/** DataX's names of formats that are no text, and what to do about them. */
const otherFormats: Record<string, string> = {
  orc: 'ORC files can be neither read nor written here; use "parquet"',
  excel: 'Excel files cannot be read here; save them as CSV',
  binary: 'files that are not tables cannot be copied here',
  sql: 'files of INSERT statements are not written here; write into the database itself, or "csv"',
};

/** Blank, as in DataX: left out. */
export const fileFormat = choice([...fileFormatNames, ''], (name) => otherFormats[name]).transform((name) => (name === '' ? 'csv' : name));

const asciiFault = 'Expected one ASCII character other than a backslash';

/** The code of a character, as DataX's documentation writes characters. */
export const characterCode = z
  .int()
  .min(1)
  .max(0xffff)
  .transform((code) => String.fromCharCode(code));

/** One character of ASCII, which stands for itself, or its code. */
export const oneCharacter = z
  .union([z.string(), characterCode], { error: asciiFault })
  .refine((text) => /^[!-[\]-~]$/.test(text), { error: asciiFault });

/** A number that DataX takes as 1 or "1". */
export function oneOf(...numbers: readonly number[]) {
  return integer().refine((value) => numbers.includes(value), { error: `Expected ${numbers.join(' or ')}` });
}

export const textQualifier = oneCharacter.default('"');
