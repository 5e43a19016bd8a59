import { DrayError } from 'dray/sdk';
import { expandRanges } from './name-patterns.ts';

/** `a, t_[08-10]` → `a`, `t_08`, `t_09`, `t_10`. */
export function expandTables(entries: readonly string[]): string[] {
  return entries
    .flatMap((entry) => entry.split(','))
    .flatMap((entry) => expandRanges(entry.trim()))
    .filter((name) => name !== '');
}

/** The one table of a writer. */
export function onlyTable(entries: readonly string[]): string {
  const [table, second] = expandTables(entries);
  if (table !== undefined && second === undefined) return table;
  throw new DrayError('JOB_INVALID', `the writer needs one table, and "table" lists ${table === undefined ? 'none' : 'several'}`, {
    remedy: 'Write one content per target table.',
  });
}

/** `where` as it can be joined to others: in brackets, without the semicolon people leave at the end. */
export function condition(where: string): string {
  return `(${where.trim().replace(/[;；]\s*$/, '')})`;
}
