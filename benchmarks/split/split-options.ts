import { parseArgs } from 'node:util';
import type { Kind } from '../bench-database.ts';
import { distributions } from './distributions.ts';

const engines: readonly Kind[] = ['mysql', 'postgres'];
const smallTables = 'small';
const names = [...distributions.map(({ name }) => name), smallTables];

export interface SplitOptions {
  readonly rows: number;
  readonly runs: number;
  readonly channels: number;
  readonly engines: readonly Kind[];
  /** In the order they run. */
  readonly distributions: readonly string[];
  readonly hasSmallTables: boolean;
  readonly jsonFile: string | undefined;
  readonly markdownFile: string | undefined;
}

export const splitUsage = `npm run bench:split -- [options]

  --rows N              rows of each table (default 10000000)
  --runs N              plans of each table by dray; the median counts (default 3)
  --channels N          for how many channels (default 4)
  --engines a,b         only these: ${engines.join(', ')}
  --distributions a,b   only these: ${names.join(', ')} (1,000 tables of 100 rows)
  --json FILE           every single measurement
  --markdown FILE       the tables, for README.md
  --help`;

/** @throws Error with a sentence for the user */
export function parseSplitOptions(args: readonly string[]): SplitOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '10000000' },
      runs: { type: 'string', default: '3' },
      channels: { type: 'string', default: '4' },
      engines: { type: 'string', default: engines.join(',') },
      distributions: { type: 'string', default: names.join(',') },
      json: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const chosen = listed('distribution', values.distributions, names);
  return {
    rows: wholeNumber('rows', values.rows),
    runs: wholeNumber('runs', values.runs),
    channels: wholeNumber('channels', values.channels),
    engines: listed('engine', values.engines, engines),
    distributions: chosen.filter((name) => name !== smallTables),
    hasSmallTables: chosen.includes(smallTables),
    jsonFile: values.json,
    markdownFile: values.markdown,
  };
}

function listed<T extends string>(what: string, text: string, known: readonly T[]): T[] {
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const found = known.find((one) => one === name);
      if (found === undefined) throw new Error(`There is no ${what} "${name}". Known are ${known.join(', ')}.`);
      return found;
    });
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number, at least 1.`);
  return value;
}
