import { lostOrTwice, type Method, openSource } from '../../support/split-source.ts';
import type { Database } from '../types/databases.ts';
import { idsOf, leastRanges } from './key-tables.ts';

/** What went wrong, by the column that a table was cut by; empty if nothing did. */
export type Faults = Record<string, string>;

/** Cuts a table by each of these columns, reads the ranges, and compares with what is there. */
export async function faultsByColumn(database: Database, table: string, columns: readonly string[], method: Method): Promise<Faults> {
  const faults: Faults = {};
  const ids = await idsOf(database, table);
  const source = await openSource(database, table);
  try {
    for (const column of columns) {
      const { splits, parts } = await source.cut({ key: column, method });
      const [part] = parts;
      const least = method === 'blocks' ? 1 : await leastRanges(database, table, column);
      const wrong = lostOrTwice(ids, await source.readAll(splits));
      if (wrong !== undefined) faults[column] = `${wrong} in ${splits.length} splits by ${part!.method}`;
      else if (part!.splits < least) faults[column] = `is cut into ${part!.splits} ranges (${part!.method}: ${part!.why})`;
      else if (least > 1 && part!.method !== method) faults[column] = `is cut by ${part!.method}`;
    }
  } finally {
    await source.close();
  }
  return faults;
}
