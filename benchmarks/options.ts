import { parseArgs } from 'node:util';
import { fileLaneNames } from './files/file-lanes.ts';
import { laneNames } from './lanes.ts';
import { transformerLaneNames } from './transformers/transformer-lanes.ts';

export interface BenchOptions {
  readonly rows: number;
  readonly runs: number;
  /** Names of lanes, in the order they run. */
  readonly lanes: readonly string[];
  readonly hasMemory: boolean;
  /** The lanes with files, if none are named. */
  readonly hasFiles: boolean;
  readonly jsonFile: string | undefined;
  readonly markdownFile: string | undefined;
}

export const usage = `npm run bench -- [options]

  --rows N          rows of the table in the throughput lanes (default 1000000)
  --runs N          runs of each command in the throughput lanes (default 5)
  --files           the lanes with files instead of those between databases
  --lanes a,b       only these lanes: ${laneNames.join(', ')};
                    with files: ${fileLaneNames.join(', ')};
                    with transformers: ${transformerLaneNames.join(', ')}
  --memory          also the memory lanes: peak memory at 1 and at 4 million rows, with --files at 10 (--lanes "" --memory: only these)
  --json FILE       every single measurement
  --markdown FILE   the tables, for README.md
  --help`;

/** @throws Error with a sentence for the user */
export function parseBenchOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '5' },
      lanes: { type: 'string' },
      files: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      json: { type: 'string' },
      markdown: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const all = [...laneNames, ...fileLaneNames, ...transformerLaneNames];
  const lanes = values.lanes?.split(',').filter((name) => name !== '') ?? (values.files ? fileLaneNames : laneNames);
  for (const name of lanes) {
    if (!all.includes(name)) throw new Error(`There is no lane "${name}". The lanes are ${all.join(', ')}.`);
  }
  return {
    rows: wholeNumber('rows', values.rows),
    runs: wholeNumber('runs', values.runs),
    lanes,
    hasMemory: values.memory,
    hasFiles: values.files,
    jsonFile: values.json,
    markdownFile: values.markdown,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number, at least 1.`);
  return value;
}
