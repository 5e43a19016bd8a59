import type { DirtyRecord } from '../task/spec.ts';

/** Dirty records that are told one by one; the rest is counted. */
export const toldDirtyRecords = 10;

/** Which row was refused, by whom, and why; never its values. */
export function dirtyWords({ side, task, split, row, column, cause }: DirtyRecord): string {
  const where = column === undefined ? '' : `, column ${column}`;
  return `row ${row} of ${split} (task ${task}${where}) was refused by the ${side}: ${cause}`;
}
