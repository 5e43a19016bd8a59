import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisMachine } from '../core/bench/this-machine.ts';
import { distributions } from './split/distributions.ts';
import { runDistribution } from './split/run-distribution.ts';
import { runSmallTables } from './split/run-small-tables.ts';
import type { SplitContext } from './split/split-context.ts';
import type { SplitDatabase } from './split/split-database.ts';
import { startSplitMysql } from './split/split-mysql.ts';
import { parseSplitOptions, type SplitOptions, splitUsage } from './split/split-options.ts';
import { startSplitPostgres } from './split/split-postgres.ts';
import type { DistributionResult, SmallTablesResult, SplitBenchResult } from './split/split-results.ts';
import { splitTables } from './split/split-tables.ts';

const smallTables = { tables: 1000, rowsPerTable: 100 };

const say = (text: string) => void process.stderr.write(`${text}\n`);

async function bench(options: SplitOptions, signal: AbortSignal): Promise<SplitBenchResult> {
  const loadBefore = loadavg()[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'dray-bench-split-'));
  const servers: string[] = [];
  const results: DistributionResult[] = [];
  const small: SmallTablesResult[] = [];
  try {
    for (const engine of options.engines) {
      signal.throwIfAborted();
      const database = await (engine === 'mysql' ? startSplitMysql(options.rows) : startSplitPostgres());
      // A statement that runs for minutes ends with its server.
      const stop = () => void database.stop().catch(() => undefined);
      signal.addEventListener('abort', stop, { once: true });
      try {
        servers.push(database.version);
        say(`${database.version} is running`);
        await runEngine(database, options, { folder, channels: options.channels, runs: options.runs, signal, say }, { results, small });
      } finally {
        signal.removeEventListener('abort', stop);
        await database.stop();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { machine: thisMachine(servers, loadBefore), channels: options.channels, distributions: results, smallTables: small };
}

async function runEngine(
  database: SplitDatabase,
  options: SplitOptions,
  context: SplitContext,
  { results, small }: { results: DistributionResult[]; small: SmallTablesResult[] },
): Promise<void> {
  for (const name of options.distributions) {
    const distribution = distributions.find((one) => one.name === name)!;
    results.push(await runDistribution(database, distribution, options.rows, context));
  }
  if (options.hasSmallTables) small.push(await runSmallTables(database, smallTables, context));
}

function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(`The bench was stopped by ${name}.`));
    });
  }
  return stop.signal;
}

async function main(): Promise<number> {
  let options: SplitOptions | 'help';
  try {
    options = parseSplitOptions(process.argv.slice(2));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${splitUsage}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(`${splitUsage}\n`);
    return 0;
  }
  const signal = interruptSignal();
  try {
    const result = await bench(options, signal);
    const tables = splitTables(result);
    process.stdout.write(`\n${tables}\n`);
    if (options.markdownFile !== undefined) await writeFile(options.markdownFile, `${tables}\n`);
    if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
    return [...result.distributions, ...result.smallTables].some(({ failure }) => failure !== undefined) ? 1 : 0;
  } catch (error) {
    say(signal.aborted ? `${(signal.reason as Error).message} Nothing is left running.` : `The bench failed: ${(error as Error).stack}`);
    return signal.aborted ? 130 : 1;
  }
}

process.exitCode = await main();
