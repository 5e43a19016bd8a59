import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { KeyRange } from '../../core/sdk/index.ts';
import type { SplitContext } from './split-context.ts';
import type { SplitDatabase } from './split-database.ts';

/** This module runs as dist/benchmarks/split/dray-plan.js. */
const cli = resolve(import.meta.dirname, '..', '..', 'bundle', 'core', 'cli', 'main.js');
const passwordVariable = 'DRAY_BENCH_PASSWORD';

export interface PrintedSplit {
  readonly name: string;
  readonly range: KeyRange | null;
  readonly members?: readonly PrintedSplit[];
}

/** What is used of what `dray plan --json` prints of a content. */
export interface PrintedContent {
  readonly method: string;
  readonly key: string | null;
  readonly why: string | null;
  readonly tables: readonly {
    readonly table: string;
    readonly evenness: number;
    readonly dives: number;
    readonly seeks: number;
    readonly notes: readonly string[];
  }[];
  readonly splits: readonly PrintedSplit[];
}

export interface PlanRun {
  readonly content: PrintedContent;
  /** As dray tells: connecting, looking at the tables and cutting. */
  readonly seconds: number;
  /** From shell to shell. */
  readonly wallSeconds: number;
}

/** Plans a job that reads these tables, several times. */
export async function planRuns(database: SplitDatabase, tables: readonly string[], context: SplitContext): Promise<PlanRun[]> {
  const jobFile = await writePlanJob(context.folder, database, tables);
  const runs: PlanRun[] = [];
  for (let run = 1; run <= context.runs; run++) runs.push(await planWithDray(jobFile, database, context));
  return runs;
}

/** The parts of a split: those of a pack, else itself. */
export function withMembers(split: PrintedSplit): PrintedSplit[] {
  return split.members === undefined ? [split] : split.members.flatMap(withMembers);
}

/** A job file that reads `tables` of the database `source` and throws the rows away. */
async function writePlanJob(folder: string, { kind, port, user }: SplitDatabase, tables: readonly string[]): Promise<string> {
  const engine = kind === 'mysql' ? 'mysql' : 'postgresql';
  const reader = {
    username: user,
    password: `\${env:${passwordVariable}}`,
    column: ['*'],
    connection: [{ jdbcUrl: `jdbc:${engine}://127.0.0.1:${port}/source`, table: tables }],
  };
  const content = [
    { reader: { name: `${engine}reader`, parameter: reader }, writer: { name: 'streamwriter', parameter: { print: false } } },
  ];
  const path = join(folder, `${kind}-${tables[0]}.json`);
  await writeFile(path, JSON.stringify({ job: { content } }, null, 2));
  return path;
}

/** Lets the real command line plan a job. */
async function planWithDray(
  jobFile: string,
  { password }: SplitDatabase,
  { channels, signal }: Pick<SplitContext, 'channels' | 'signal'>,
): Promise<PlanRun> {
  const startedAt = performance.now();
  const printed = await new Promise<string>((fulfil, reject) => {
    execFile(
      process.execPath,
      [cli, 'plan', jobFile, '--json', '--channels', String(channels)],
      { env: { ...process.env, [passwordVariable]: password }, maxBuffer: 256 << 20, signal },
      (error, stdout, stderr) => {
        if (error === null) fulfil(stdout);
        else reject(new Error(`dray plan failed: ${stderr.trim()}`, { cause: error }));
      },
    );
  });
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const { contents, seconds } = JSON.parse(printed) as { contents: PrintedContent[]; seconds: number };
  return { content: contents[0]!, seconds, wallSeconds };
}
