import { closePlan, inspectTarget, openPlan, type Plan } from '../../controller/plan.ts';
import type { Job } from '../../job/load-job.ts';
import { reportedError } from '../../report/report.ts';
import { asDrayError, type Column, type Target } from '../../sdk/index.ts';
import { nameOf, wayOf } from '../content-way.ts';
import { count, plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { type JobCommandOptions, loadForCommand } from '../job-command.ts';
import { Looking } from '../looking.ts';
import { Screen } from '../screen.ts';
import { shardCount, shardWords } from '../shard-words.ts';
import type { StateOptions } from '../state.ts';

export interface CheckOptions extends JobCommandOptions, StateOptions {
  readonly offline: boolean;
}

interface Checked {
  readonly file: string;
  readonly isValid: boolean;
  readonly contents: readonly object[];
  readonly error?: object;
}

/** `dray check`: looks at every file, and returns the exit code of the first mistake. */
export async function checkJobs(files: readonly string[], options: CheckOptions): Promise<number> {
  let exitCode = 0;
  const results: Checked[] = [];
  const screen = new Screen();
  for (const file of files) {
    const contents: object[] = [];
    try {
      const job = await loadForCommand(file, options, screen);
      if (!options.offline) contents.push(...(await checkContents(job, options, screen)));
      if (!options.json) screen.result(`${file}: ok, ${plural(new Set(job.contents.map(({ entry }) => entry)).size, 'content')}\n`);
      results.push({ file, isValid: true, contents });
    } catch (thrown) {
      const error = asDrayError(thrown);
      results.push({ file, isValid: false, contents, error: reportedError(error) });
      screen.error(error.toWire());
      if (exitCode === 0) exitCode = error.exitCode;
    }
  }
  if (options.json) screen.json(results);
  return exitCode;
}

async function checkContents(job: Job, options: CheckOptions, screen: Screen): Promise<object[]> {
  const interrupt = onInterrupt((message) => screen.line(message));
  const { signal } = interrupt;
  const looking = new Looking(job, options, { screen, signal });
  const found: object[] = [];
  try {
    for (const content of job.contents) {
      const targets = job.contents.filter(({ entry }) => entry === content.entry);
      const plan = await openPlan(content, await looking.options(targets));
      try {
        const target = await inspectTarget(plan, signal);
        if (!options.json) screen.result(contentText(plan, target));
        found.push({
          tasks: plan.splits.length,
          tables: plan.parts.length,
          shards: shardCount(plan.parts),
          estimatedRows: plan.estimatedRows,
          source: plan.source,
          delivered: plan.delivered,
          target: target.schema,
        });
      } finally {
        await closePlan(plan);
      }
    }
    return found;
  } finally {
    looking.stop();
    interrupt.release();
  }
}

function contentText({ content, delivered, splits, parts, estimatedRows }: Plan, target: Target): string {
  const rows = estimatedRows === undefined ? 'an unknown number of rows' : `about ${plural(estimatedRows, 'row')}`;
  const lines = [
    `${nameOf(content)}: ${wayOf(content)}, ${rows} in ${plural(splits.length, 'task')}${shardWords(parts)}`,
    ...splits.slice(0, 5).map(({ name, estimatedRows: part }) => `  task   ${name}${part === undefined ? '' : ` (~${count(part)} rows)`}`),
    ...(splits.length > 5 ? [`  task   … and ${splits.length - 5} more`] : []),
    ...delivered.columns.map((column, at) => `  column ${typeOf(column)} → ${typeOf(target.schema.columns[at]!)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function typeOf({ name, type, nativeType, isNullable }: Column): string {
  const native = nativeType === undefined || nativeType === type ? '' : ` (${nativeType})`;
  return `${name} ${type}${native}${isNullable ? '' : ' not null'}`;
}
