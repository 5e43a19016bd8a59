import type { SplitPlan } from '../../../core/splitter/split-plan.ts';
import { lostOrTwice, type SplitSource } from '../../support/split-source.ts';

export interface Measured {
  /** Rows of the largest split ÷ mean; the one for rows that are still to come does not count. */
  readonly largest: number;
  /** Of all splits. */
  readonly fault: string | undefined;
}

/** Reads all splits of a plan and counts. */
export async function measured(source: SplitSource, { splits }: SplitPlan, ids: readonly string[]): Promise<Measured> {
  const counts: number[] = [];
  const all: string[] = [];
  for (const split of splits) {
    const rows = await source.read(split);
    all.push(...rows);
    if (split.range?.excludesFrom !== true) counts.push(rows.length);
  }
  return { largest: (Math.max(...counts) * counts.length) / all.length, fault: lostOrTwice(ids, all) };
}
