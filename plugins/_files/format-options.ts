import { integer, z } from 'dray/sdk';

/*
 * Options of formats that readers and writers share.
 */

export const fileFormatNames = ['csv', 'text', 'copy', 'jsonl', 'parquet'] as const;

export const fieldDelimiter = z.string().min(1).default(',').describe('Between cells; one or more characters');
export const nullFormat = z.string().default('\\N').describe('What stands for NULL');
export const encoding = z.string().default('UTF-8');

/** A number that DataX takes as 1 or "1". */
export function oneOf(...numbers: readonly number[]) {
  return integer().refine((value) => numbers.includes(value), { error: `Expected ${numbers.join(' or ')}` });
}

export const textQualifier = z
  .string()
  .regex(/^[!-[\]-~]$/, 'Expected one ASCII character other than a backslash')
  .default('"');
