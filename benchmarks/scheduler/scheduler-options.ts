import { parseArgs } from 'node:util';
import type { Scale } from './workload.ts';

export interface SchedulerBenchOptions {
  readonly scale: Scale;
  readonly isCostOnly: boolean;
  /** Folder for the curves. */
  readonly svgFolder: string | undefined;
  readonly markdownFile: string | undefined;
}

export const schedulerUsage = `npm run bench:scheduler -- [options]

  --share N         a night of one Nth of the size: hosts, jobs and tasks (default 1)
  --seed N          another night (default 1)
  --at-once         all jobs come within ten minutes of midnight
  --cost            only what a decision costs
  --svg FOLDER      the curves
  --markdown FILE   the tables, for README.md
  --help`;

/** @throws Error with a sentence for the user */
export function parseSchedulerOptions(args: readonly string[]): SchedulerBenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      share: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      'at-once': { type: 'boolean', default: false },
      cost: { type: 'boolean', default: false },
      svg: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const share = wholeNumber('share', values.share);
  const part = (whole: number) => Math.max(1, Math.round(whole / share));
  const scale = {
    hosts: part(1000),
    slotsPerHost: 32,
    jobs: part(20_000),
    tasks: part(2_000_000),
    seed: wholeNumber('seed', values.seed),
    isAtOnce: values['at-once'],
  };
  return { scale, isCostOnly: values.cost, svgFolder: values.svg, markdownFile: values.markdown };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number, at least 1.`);
  return value;
}
