import type { KeyRange } from '../../core/sdk/index.ts';
import { dataxRanges, dataxSlices, integerPoints, textPoints } from './datax-formula.ts';
import type { Distribution } from './distributions.ts';
import { planRuns, withMembers } from './dray-plan.ts';
import { evennessOf } from './evenness.ts';
import type { SplitContext } from './split-context.ts';
import { keyColumn, rowsPerInsert, type SplitDatabase } from './split-database.ts';
import type { DistributionResult, Planned } from './split-results.ts';

interface Subject {
  readonly database: SplitDatabase;
  readonly distribution: Distribution;
  readonly table: string;
  readonly rows: number;
}

/** Fills a table, lets dray and DataX's formula cut it, counts every part, and drops it. */
export async function runDistribution(
  database: SplitDatabase,
  distribution: Distribution,
  rows: number,
  context: SplitContext,
): Promise<DistributionResult> {
  const { signal } = context;
  const say = (text: string) => context.say(`${database.kind}, ${distribution.name}: ${text}`);
  const subject: Subject = { database, distribution, rows, table: `t_${distribution.name}` };
  const result = { engine: database.kind, distribution: distribution.name, rows };
  let dray: Planned | undefined;
  let datax: Planned | undefined;
  try {
    signal.throwIfAborted();
    await createTable(subject, say);
    dray = await planOfDray(subject, { ...context, say });
    datax = await planOfDatax(subject, { ...context, say });
    await database.dropTable(subject.table);
    const failure = dray.counted === rows ? undefined : `dray's parts hold ${dray.counted} rows instead of ${rows}.`;
    return { ...result, dray, datax, ...(failure === undefined ? {} : { failure }) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof Error ? error.message : String(error);
    say(`FAILED. ${failure}`);
    await database.dropTable(subject.table);
    return { ...result, dray, datax, failure };
  }
}

async function createTable({ database, distribution, table, rows }: Subject, say: SplitContext['say']): Promise<void> {
  say(`loading ${rows.toLocaleString('en-US')} rows`);
  const startedAt = performance.now();
  await database.createTable(table, distribution, rows, (loaded) => {
    if (loaded < rows && loaded % (5 * rowsPerInsert) === 0) say(`${loaded.toLocaleString('en-US')} rows are in`);
  });
  say(`loaded in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

async function planOfDray({ database, distribution, table }: Subject, context: SplitContext): Promise<Planned> {
  const runs = await planRuns(database, [table], context);
  const { content } = runs[0]!;
  const parts = content.splits.flatMap(withMembers);
  const counts: number[] = [];
  let counted = 0;
  for (const { range } of parts) {
    const count = await database.count(table, distribution.kind, range);
    counted += count;
    if (range?.excludesFrom !== true) counts.push(count);
  }
  const [facts] = content.tables;
  context.say(`dray, ${content.method}: ${told(counts)}, ${runs.map(({ seconds }) => `${seconds.toFixed(2)} s`).join(', ')}`);
  return {
    planner: 'dray',
    method: content.method,
    counts,
    counted,
    seconds: runs.map(({ seconds }) => seconds),
    wallSeconds: runs.map(({ wallSeconds }) => wallSeconds),
    dives: facts?.dives ?? 0,
    lookups: facts?.seeks ?? 0,
    notes: facts?.notes ?? [],
  };
}

async function planOfDatax({ database, distribution, table }: Subject, { channels, runs, say }: SplitContext): Promise<Planned> {
  const seconds: number[] = [];
  let bounds = { min: '', max: '' };
  for (let run = 1; run <= runs; run++) {
    const startedAt = performance.now();
    bounds = await database.bounds(table);
    seconds.push((performance.now() - startedAt) / 1000);
  }
  const slices = dataxSlices(1, channels);
  const points =
    distribution.kind === 'integer'
      ? integerPoints(BigInt(bounds.min), BigInt(bounds.max), slices).map(String)
      : textPoints(bounds.min, bounds.max, slices);
  const ranges: KeyRange[] = dataxRanges(keyColumn, points);
  const counts: number[] = [];
  for (const range of ranges) counts.push(await database.count(table, distribution.kind, range));
  const refusals = new Set(points.flatMap((point) => database.refusesPoint(point) ?? []));
  say(`DataX’s formula: ${told(counts)}`);
  return {
    planner: 'DataX’s formula',
    method: distribution.kind === 'integer' ? 'equal widths' : 'equal widths, base 128',
    counts,
    counted: counts.reduce((sum, count) => sum + count, 0),
    seconds,
    wallSeconds: null,
    dives: null,
    lookups: null,
    notes: [...refusals].map((what) => `its points have ${what}: counted here as if it did`),
  };
}

function told(counts: readonly number[]): string {
  return `${counts.length} parts, the largest ${evennessOf(counts)?.largestToMean.toFixed(2) ?? '–'} × the mean`;
}
