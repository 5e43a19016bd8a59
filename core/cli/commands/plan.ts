import { entriesOf } from '../../controller/open-targets.ts';
import { closePlan, type Plan, planContent } from '../../controller/plan.ts';
import type { Job } from '../../job/load-job.ts';
import { reportedError, round } from '../../report/report.ts';
import { asDrayError, type Split } from '../../sdk/index.ts';
import { rangeText } from '../../splitter/ranges.ts';
import { splitBytesAt } from '../../splitter/size.ts';
import { type PartPlan, rowsLeftOut } from '../../splitter/split-plan.ts';
import { wayOf } from '../content-way.ts';
import { bytes, count, duration, plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { type JobCommandOptions, loadForCommand } from '../job-command.ts';
import { Looking } from '../looking.ts';
import { Screen } from '../screen.ts';
import { shardCount, shardWords } from '../shard-words.ts';
import type { StateOptions } from '../state.ts';

/** Splits told one by one to a person, unless all are asked for; `--json` always has all. */
const toldSplits = 20;

export interface PlanCommandOptions extends JobCommandOptions, StateOptions {
  readonly all: boolean;
}

/** `dray plan`: how the sources of a job would be cut, without moving or changing anything. Returns the exit code. */
export async function planJob(file: string, options: PlanCommandOptions): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  const startedAt = performance.now();
  try {
    const job = await loadForCommand(file, options, screen);
    const plans = await planContents(job, options, screen, interrupt.signal);
    const seconds = (performance.now() - startedAt) / 1000;
    if (options.json) screen.json({ contents: plans.map(contentJson), seconds: round(seconds) });
    else
      screen.result([...plans.map((plan, index) => contentText(plan, index, options.all)), `planned in ${duration(seconds)}\n`].join('\n'));
    return 0;
  } catch (thrown) {
    const error = asDrayError(interrupt.signal.aborted ? interrupt.signal.reason : thrown);
    if (options.json) screen.json({ contents: [], seconds: round((performance.now() - startedAt) / 1000), error: reportedError(error) });
    screen.error(error.toWire());
    return interrupt.exitCode() ?? error.exitCode;
  } finally {
    interrupt.release();
  }
}

/** A plan, and what it was made with. */
interface Planned extends Plan {
  readonly bytesPerSecond: number | undefined;
}

async function planContents(job: Job, options: PlanCommandOptions, screen: Screen, signal: AbortSignal): Promise<Planned[]> {
  const looking = new Looking(job, options, { screen, signal });
  const plans: Planned[] = [];
  try {
    for (const targets of entriesOf(job)) {
      const contents = targets.map(({ content }) => content);
      const planOptions = await looking.options(contents);
      const plan = await planContent(contents[0]!, planOptions);
      await closePlan(plan);
      plans.push({ ...plan, bytesPerSecond: job.splitBytes === undefined ? planOptions.bytesPerSecond : undefined });
    }
    return plans;
  } finally {
    looking.stop();
  }
}

/** The stable form for machines. `key` and `method` are those of the first table; `tables` has them for each. */
function contentJson({ parts, splits, estimatedRows, estimatedBytes, bytesPerSecond }: Planned): object {
  const [first] = parts;
  const leftOut = rowsLeftOut(splits);
  return {
    table: parts.map(({ name }) => name).join(', '),
    key: first?.key ?? null,
    why: first?.why ?? null,
    method: first?.method ?? 'whole',
    estimatedRows: estimatedRows ?? null,
    estimatedBytes: estimatedBytes ?? null,
    bytesPerSecond: bytesPerSecond ?? null,
    tables: parts.map(partJson),
    shards: shardCount(parts),
    ...(leftOut === 0 ? {} : { leftOut }),
    splits: splits.map(splitJson),
  };
}

function partJson({ name, shard, key, evenness, estimatedRows, estimatedBytes, ...rest }: PartPlan): object {
  return {
    table: name,
    shard: shard ?? null,
    key: key ?? null,
    estimatedRows: estimatedRows ?? null,
    estimatedBytes: estimatedBytes ?? null,
    evenness: round(evenness),
    ...rest,
  };
}

function splitJson({ name, range, members, estimatedRows, estimatedBytes }: Split): object {
  const { state: _state, ...bounds } = range ?? {};
  return {
    name,
    range: range === undefined ? null : bounds,
    ...(members === undefined ? {} : { members: members.map(splitJson) }),
    estimatedRows: estimatedRows ?? null,
    estimatedBytes: estimatedBytes ?? null,
  };
}

function contentText(plan: Planned, index: number, isAll: boolean): string {
  const { content, splits, parts, estimatedRows, estimatedBytes, bytesPerSecond } = plan;
  const told = isAll ? splits.length : toldSplits;
  const lines = [
    `content ${index + 1}: ${wayOf(content)}, ${amount(estimatedRows, estimatedBytes)} in ${plural(splits.length, 'task')}${shardWords(parts)}`,
    ...(bytesPerSecond === undefined
      ? []
      : [
          `  a thread has moved ${bytes(bytesPerSecond)}/s between these systems: no task should read more than ${bytes(splitBytesAt(bytesPerSecond))}`,
        ]),
    ...parts.slice(0, told).flatMap(partLines),
    ...more(parts.length - told, 'table'),
    ...splits.slice(0, told).map(splitLine),
    ...more(splits.length - told, 'task'),
  ];
  return `${lines.join('\n')}\n`;
}

function more(rest: number, noun: string): string[] {
  return rest > 0 ? [`  … and ${plural(rest, noun)} more (--all lists them)`] : [];
}

function partLines({ name, key, why, method, splits, evenness, dives, seeks, notes, estimatedRows, estimatedBytes }: PartPlan): string[] {
  const size = `  table ${name}: ${amount(estimatedRows, estimatedBytes)}`;
  const effort = dives + seeks === 0 ? '' : ` (${plural(dives, 'index dive')}, ${plural(seeks, 'lookup')})`;
  const how =
    method === 'whole'
      ? `read as a whole${key === undefined ? '' : `, not cut by ${key}`}: ${why}`
      : `cut by ${key} (${why}) into ${plural(splits, 'range')}, by ${method}${effort}; the largest is ${evenness.toFixed(2)} × the mean`;
  return [size, `    ${how}`, ...notes.map((note) => `    note: ${note}`)];
}

function splitLine({ name, range, estimatedRows, estimatedBytes }: Split, index: number): string {
  const what = range === undefined ? name : rangeText(range);
  const rows = range?.excludesFrom === true ? 'rows still to come' : amount(estimatedRows, estimatedBytes);
  return `  task ${index}: ${what}, ${rows}`;
}

function amount(rows: number | undefined, size: number | undefined): string {
  if (rows === undefined) return size === undefined ? 'size not known' : `about ${bytes(size)}`;
  return `about ${count(rows)} rows${size === undefined ? '' : `, ${bytes(size)}`}`;
}
