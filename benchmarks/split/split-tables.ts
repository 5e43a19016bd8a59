import { median } from '../../core/bench/results.ts';
import { evennessOf } from './evenness.ts';
import type { DistributionResult, Planned, SmallTablesResult, SplitBenchResult } from './split-results.ts';

/** Planning should not take longer. */
const wantedSeconds = 2;

/** The result as Markdown tables, padded so that they can also be read as they are. */
export function splitTables({ machine, channels, distributions, smallTables }: SplitBenchResult): string {
  const { date, cpu, cores, memoryBytes, servers, node, loadBefore } = machine;
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return [
    `${date}; ${cores} cores (${cpu}), ${memory}, shared with ${servers.join(' and ')}; Node ${node}; channels: ${channels}; load before: ${loadBefore.toFixed(2)}`,
    ...(distributions.length === 0 ? [] : [table(distributionHead, distributions.flatMap(distributionLines))]),
    ...(smallTables.length === 0 ? [] : [table(smallTablesHead, smallTables.map(smallTablesLine))]),
    ...list([...distributions.flatMap(notes), ...distributions.flatMap(slowness), ...smallTables.flatMap(slownessOfSmall)]),
    ...list([
      ...distributions.flatMap(({ engine, distribution, failure }) => failed(`${engine}, ${distribution}`, failure)),
      ...smallTables.flatMap(({ engine, failure }) => failed(`${engine}, small tables`, failure)),
    ]),
  ].join('\n\n');
}

const distributionHead = [
  'table',
  'planner',
  'parts',
  'largest ÷ mean',
  '99th percentile ÷ mean',
  'rows read',
  'seconds',
  'with start of Node',
  'index dives',
  'lookups',
];

function distributionLines({ engine, distribution, rows, dray, datax }: DistributionResult): string[][] {
  const name = `${engine}, ${distribution}, ${rows.toLocaleString('en-US')} rows`;
  return [dray, datax].flatMap((planned, index) => {
    const first = index === 0 ? name : '';
    return planned === undefined ? [[first, 'failed', ...distributionHead.slice(2).map(() => '')]] : [[first, ...cells(planned, rows)]];
  });
}

function cells({ planner, method, counts, counted, seconds, wallSeconds, dives, lookups }: Planned, rows: number): string[] {
  const evenness = evennessOf(counts);
  return [
    `${planner}: ${method}`,
    String(counts.length),
    evenness?.largestToMean.toFixed(2) ?? '–',
    evenness?.percentile99ToMean.toFixed(2) ?? '–',
    rowsRead(counted, rows, planner),
    median(seconds).toFixed(3),
    wallSeconds === null ? '–' : median(wallSeconds).toFixed(2),
    dives === null ? '–' : String(dives),
    lookups === null ? '–' : String(lookups),
  ];
}

function rowsRead(counted: number, rows: number, planner: Planned['planner']): string {
  if (counted === rows) return 'each once';
  const difference = Math.abs(counted - rows);
  const share = ((100 * difference) / rows).toFixed(1);
  const what = `${difference.toLocaleString('en-US')} (${share} %) ${counted > rows ? 'twice' : 'lost'}`;
  return planner === 'dray' ? `WRONG: ${what}` : what;
}

const smallTablesHead = ['tables', 'seconds', 'with start of Node', 'tasks', 'tasks of DataX'];

function smallTablesLine({ engine, tables, rowsPerTable, tasks, seconds, wallSeconds, dataxTasks, failure }: SmallTablesResult): string[] {
  const name = `${engine}, ${tables.toLocaleString('en-US')} tables of ${rowsPerTable} rows`;
  if (failure !== undefined) return [name, 'WRONG', '', '', ''];
  return [name, median(seconds).toFixed(3), median(wallSeconds).toFixed(2), String(tasks), dataxTasks.toLocaleString('en-US')];
}

function notes({ engine, distribution, dray, datax }: DistributionResult): string[] {
  return [dray, datax].flatMap((planned) =>
    (planned?.notes ?? []).map((note) => `${engine}, ${distribution}, ${planned!.planner}: ${note}`),
  );
}

function slowness({ engine, distribution, dray }: DistributionResult): string[] {
  return slow(`${engine}, ${distribution}`, dray?.seconds ?? []);
}

function slownessOfSmall({ engine, seconds }: SmallTablesResult): string[] {
  return slow(`${engine}, small tables`, seconds);
}

function slow(name: string, seconds: readonly number[]): string[] {
  return median(seconds) > wantedSeconds ? [`SLOW: ${name}: planning took more than ${wantedSeconds} s`] : [];
}

function failed(name: string, failure: string | undefined): string[] {
  return failure === undefined ? [] : [`WRONG: ${name}: ${failure}`];
}

function list(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [lines.map((line) => `- ${line}`).join('\n')];
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const print = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [print(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.map(print)].join('\n');
}
