import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { type BenchResult, failuresOf, type LaneResult } from '../core/bench/results.ts';
import { resultTables } from '../core/bench/tables.ts';
import { thisMachine } from '../core/bench/this-machine.ts';
import { Arena } from './arena.ts';
import { readBaseline, writeBaseline } from './baseline.ts';
import { gate } from './gate.ts';
import { allLanes, defaultGroups, lanesNamed } from './lanes.ts';
import { type BenchOptions, laneList, parseBenchOptions, usage } from './options.ts';
import { type LaneSize, runLane } from './run-lane.ts';

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** Runs lanes as `work` asks for them, and ends the servers behind it, or as soon as `signal` fires. */
async function inArena(
  { cacheFolder }: BenchOptions,
  signal: AbortSignal,
  work: (run: (lane: string, size: LaneSize) => Promise<LaneResult>) => Promise<void>,
): Promise<BenchResult> {
  const loadBefore = loadavg()[0] ?? 0;
  const arena = await Arena.open({ cacheFolder, signal, say });
  // A statement that runs for minutes ends with its server.
  signal.addEventListener('abort', () => void arena.close().catch(() => undefined), { once: true });
  const lanes: LaneResult[] = [];
  try {
    await work(async (name, size) => {
      const result = await runLane(allLanes.find((lane) => lane.name === name)!, size, { arena, signal, say });
      lanes.push(result);
      return result;
    });
  } finally {
    await arena.close();
  }
  return { machine: thisMachine(arena.versions, loadBefore), lanes };
}

/** @returns whether all lanes are good */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<boolean> {
  const result = await inArena(options, signal, async (run) => {
    for (const { name } of options.lanes ?? lanesNamed(defaultGroups)) await run(name, options);
  });
  await tell(result, options);
  if (options.baseline === 'write') await writeBaseline(options.baselineFile, result, options);
  return result.lanes.every((lane) => failuresOf(lane).length === 0);
}

/** @returns whether no lane is worse than its baseline */
async function check(options: BenchOptions, signal: AbortSignal): Promise<boolean> {
  const baseline = await readBaseline(options.baselineFile);
  const lanes = options.lanes?.map(({ name }) => name) ?? Object.keys(baseline.lanes);
  if (lanes.length === 0) throw new Error('There is nothing to check: the baseline has no lanes.');
  const unknown = lanes.filter((name) => baseline.lanes[name] === undefined || allLanes.every((lane) => lane.name !== name));
  if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: not both in the baseline and among the lanes.`);
  let bad: readonly string[] = [];
  const result = await inArena(options, signal, async (run) => {
    const again = (lane: string, { rows, channels }: Pick<LaneSize, 'rows' | 'channels'>, runs: number) =>
      run(lane, { rows, channels, runs });
    bad = await gate(baseline, lanes, options.runs, again, say);
  });
  await tell(result, options);
  say(bad.length === 0 ? 'No lane is worse than its baseline.' : `Not as good as their baseline: ${bad.join(', ')}.`);
  return bad.length === 0;
}

async function tell(result: BenchResult, { markdownFile, jsonFile, svgFile }: BenchOptions): Promise<void> {
  const tables = resultTables(result);
  process.stdout.write(`\n${tables}\n`);
  if (markdownFile !== undefined) await writeFile(markdownFile, `${tables}\n`);
  if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  if (svgFile !== undefined) {
    const { resultChart } = await import('../core/bench/result-chart.ts');
    await writeFile(svgFile, resultChart(result));
  }
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
  let options: ReturnType<typeof parseBenchOptions>;
  try {
    options = parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === 'help' || options === 'list') {
    process.stdout.write(options === 'help' ? `${usage}\n` : laneList());
    return 0;
  }
  const signal = interruptSignal();
  try {
    return (await (options.baseline === 'check' ? check : bench)(options, signal)) ? 0 : 1;
  } catch (error) {
    const { message, stack } = error as Error;
    if (signal.aborted) say(`${(signal.reason as Error).message} Nothing is left running.`);
    else say(`The bench failed: ${process.env.DRAY_DEBUG === '1' ? stack : message}`);
    return signal.aborted ? 130 : 1;
  }
}

process.exitCode = await main();
