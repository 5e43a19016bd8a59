import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baselineFile } from './baseline.ts';
import type { Lane } from './lane.ts';
import { defaultGroups, groups, lanesNamed } from './lanes.ts';

export interface BenchOptions {
  readonly rows: number;
  readonly runs: number;
  readonly channels: readonly number[];
  /** In the order they run; undefined: none were named. */
  readonly lanes: readonly Lane[] | undefined;
  readonly cacheFolder: string;
  readonly jsonFile: string | undefined;
  readonly markdownFile: string | undefined;
  readonly svgFile: string | undefined;
  readonly baselineFile: string;
  /** What is done with the baseline. */
  readonly baseline: 'none' | 'write' | 'check';
}

export const usage = `npm run bench -- [options]

  --lanes a,b       lanes or groups of lanes (default ${defaultGroups.join(',')}); the groups are
                    ${Object.keys(groups).join(', ')}
  --list            the lanes of each group
  --rows N          rows of orders in a lane; other fixtures take as many as make about as many bytes (default 1000000)
  --runs N          runs of each command, in turn (default 5)
  --channels 1,2,4  numbers of channels that dray is run with (default 1,2)
  --memory, --grow  the groups memory and growth, too
  --cache DIR       where generated rows are kept from one bench to the next (default dray-bench-cache in the temporary folder)
  --json FILE       every single measurement
  --markdown FILE   the tables, for README.md
  --svg FILE        a chart of the ratios, and of memory over time where memory lanes ran
  --write-baseline  puts the ratios of the lanes that ran into the baseline
  --check           runs the lanes of the baseline (or those of --lanes) as they were run for it, and fails if one is more than 15 % worse
  --baseline FILE   the baseline (default benchmarks/baseline.json)
  --help

Examples:
  npm run bench -- --lanes postgres-postgres --runs 3
  npm run bench -- --lanes files,costs --markdown table.md --json all.json --svg ratios.svg
  npm run bench -- --lanes fixtures --channels 1,2,4
  npm run bench -- --lanes tiny,plan --rows 100000
  npm run bench -- --lanes memory
  npm run bench:check -- --lanes mysql-postgres`;

/** @throws Error with a sentence for the user */
export function parseBenchOptions(args: readonly string[]): BenchOptions | 'help' | 'list' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      lanes: { type: 'string' },
      list: { type: 'boolean', default: false },
      rows: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '5' },
      channels: { type: 'string', default: '1,2' },
      memory: { type: 'boolean', default: false },
      grow: { type: 'boolean', default: false },
      cache: { type: 'string', default: join(tmpdir(), 'dray-bench-cache') },
      json: { type: 'string' },
      markdown: { type: 'string' },
      svg: { type: 'string' },
      baseline: { type: 'string', default: baselineFile },
      'write-baseline': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  const writes = values['write-baseline'];
  if (writes && values.check) throw new Error('--write-baseline and --check do not go together.');
  const named = [
    ...(values.lanes === undefined ? [] : listed(values.lanes)),
    ...(values.memory ? ['memory'] : []),
    ...(values.grow ? ['growth'] : []),
  ];
  const isNamed = values.lanes !== undefined || values.memory || values.grow;
  return {
    rows: wholeNumber('rows', values.rows),
    runs: wholeNumber('runs', values.runs),
    channels: listed(values.channels).map((text) => wholeNumber('channels', text)),
    lanes: isNamed ? lanesNamed(values.lanes === undefined ? [...defaultGroups, ...named] : named) : undefined,
    cacheFolder: values.cache,
    jsonFile: values.json,
    markdownFile: values.markdown,
    svgFile: values.svg,
    baselineFile: values.baseline,
    baseline: writes ? 'write' : values.check ? 'check' : 'none',
  };
}

/** The lanes of each group, for `--list`. */
export function laneList(): string {
  return Object.entries<readonly Lane[]>(groups)
    .map(([group, lanes]) => `${group}\n${lanes.map(({ name }) => `  ${name}\n`).join('')}`)
    .join('\n');
}

function listed(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number, at least 1.`);
  return value;
}
