import { DrayError } from 'dray/sdk';

/** `a, t_[08-10]` → `a`, `t_08`, `t_09`, `t_10`: DataX's lists and ranges, width of the first bound kept. */
export function expandTables(entries: readonly string[]): string[] {
  return entries
    .flatMap((entry) => entry.split(','))
    .flatMap((entry) => expandRange(entry.trim()))
    .filter((name) => name !== '');
}

function expandRange(name: string): string[] {
  const match = /^(.*)\[(\d+)-(\d+)\](.*)$/.exec(name);
  if (match === null) return [name];
  const [, before = '', from = '', to = '', after = ''] = match;
  const [low, high] = [Math.min(Number(from), Number(to)), Math.max(Number(from), Number(to))];
  const width = Math.min(from.length, to.length);
  return Array.from({ length: high - low + 1 }, (_, index) => `${before}${String(low + index).padStart(width, '0')}${after}`);
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
