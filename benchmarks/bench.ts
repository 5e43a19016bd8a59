import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { Arena } from './arena.ts';
import { fileLanes, fileMemoryLanes, fileMemoryRows, fileMemoryRuns } from './files/file-lanes.ts';
import { type Lane, lanes, memoryLanes, memoryRows, memoryRuns, smallRows, smallRuns } from './lanes.ts';
import { type BenchOptions, parseBenchOptions, usage } from './options.ts';
import type { BenchResult, LaneResult } from './results.ts';
import { type LaneContext, runFileLane, runLatencyLane, runMemoryLane, runThroughputLane } from './run-lane.ts';
import { resultTables } from './tables.ts';
import { transformerLanes } from './transformers/transformer-lanes.ts';

const say = (text: string) => void process.stderr.write(`${text}\n`);

async function bench(options: BenchOptions, signal: AbortSignal): Promise<BenchResult> {
  const loadBefore = loadavg()[0] ?? 0;
  const arena = await Arena.open(signal, say);
  try {
    const results = await runLanes(options, { arena, signal, say });
    const machine = {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      node: process.versions.node,
      servers: arena.versions,
      loadBefore,
    };
    return { machine, lanes: results };
  } finally {
    await arena.close();
  }
}

async function runLanes(options: BenchOptions, context: LaneContext): Promise<LaneResult[]> {
  const results: LaneResult[] = [];
  for (const name of options.lanes) {
    const lane = lanes.find((one) => one.name === name);
    if (lane !== undefined) results.push(await runLane(lane, options, context));
    const fileLane = [...fileLanes, ...transformerLanes].find((one) => one.name === name);
    if (fileLane !== undefined) results.push(await runFileLane(fileLane, 'files', options, context));
  }
  if (!options.hasMemory) return results;
  if (options.hasFiles) {
    const size = { rows: fileMemoryRows, runs: fileMemoryRuns };
    for (const lane of fileMemoryLanes) results.push(await runFileLane(lane, 'memory', size, context));
  } else {
    for (const lane of memoryLanes) for (const rows of memoryRows) results.push(await runMemoryLane(lane, rows, memoryRuns, context));
  }
  return results;
}

function runLane(lane: Lane, { rows, runs }: BenchOptions, context: LaneContext): Promise<LaneResult> {
  switch (lane.type) {
    case 'throughput':
      return runThroughputLane(lane, rows, runs, context);
    case 'latency':
      return runLatencyLane(lane, smallRows, smallRuns, context);
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
  let options: BenchOptions | 'help';
  try {
    options = parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const signal = interruptSignal();
  try {
    const result = await bench(options, signal);
    const tables = resultTables(result);
    process.stdout.write(`\n${tables}\n`);
    if (options.markdownFile !== undefined) await writeFile(options.markdownFile, `${tables}\n`);
    if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
    return result.lanes.some(({ failure }) => failure !== undefined) ? 1 : 0;
  } catch (error) {
    say(signal.aborted ? `${(error as Error).message} Nothing is left running.` : `The bench failed: ${(error as Error).stack}`);
    return signal.aborted ? 130 : 1;
  }
}

process.exitCode = await main();
