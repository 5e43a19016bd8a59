import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { defaultAgingMs, Scheduler } from '../core/scheduler/scheduler.ts';
import { runningChart, waitChart } from './scheduler/chart.ts';
import { DealtPolicy } from './scheduler/dealt-policy.ts';
import { measureDecisions } from './scheduler/decision-cost.ts';
import { FifoPolicy } from './scheduler/fifo-policy.ts';
import { costTable, nightTable } from './scheduler/night-table.ts';
import { parseSchedulerOptions, type SchedulerBenchOptions, schedulerUsage } from './scheduler/scheduler-options.ts';
import { type NightResult, Simulation } from './scheduler/simulate.ts';
import { makeWorkload } from './scheduler/workload.ts';

/** What somebody would write into every job who has to write something. */
const fixedChannels = 64;

/** Jobs, and tasks that wait. */
const costs = [
  [20, 2000],
  [200, 20_000],
  [2000, 200_000],
  [20_000, 2_000_000],
  [2000, 2_000_000],
  [200_000, 2_000_000],
] as const;

const say = (text: string) => void process.stderr.write(`${text}\n`);

async function bench({ scale, isCostOnly, svgFolder, markdownFile }: SchedulerBenchOptions): Promise<void> {
  const parts = [machine()];
  const measured = costs.map(([jobs, tasks]) => {
    const cost = measureDecisions(jobs, tasks);
    say(`${jobs} jobs, ${tasks} tasks: ${cost.decisionUs.toFixed(1)} µs`);
    return cost;
  });
  parts.push(costTable(measured));
  if (!isCostOnly) {
    const workload = makeWorkload(scale);
    const fixed = { channels: fixedChannels, slotsPerHost: scale.slotsPerHost };
    const policies = {
      dray: () => new Scheduler({ agingMs: defaultAgingMs }),
      [`FIFO, ${fixedChannels} channels a job`]: () => new FifoPolicy(fixed),
      'DataX’s deal, the same': () => new DealtPolicy(fixed),
    };
    const nights: NightResult[] = [];
    for (const [name, make] of Object.entries(policies)) {
      nights.push(new Simulation(workload, make()).run(name));
      say(`${name}: ${nights.at(-1)!.seconds.toFixed(1)} s`);
    }
    parts.push(nightTable(nights, workload));
    if (svgFolder !== undefined) {
      await writeFile(join(svgFolder, 'running.svg'), runningChart(nights));
      await writeFile(join(svgFolder, 'waits.svg'), waitChart(nights));
    }
  }
  const text = parts.join('\n\n');
  process.stdout.write(`\n${text}\n`);
  if (markdownFile !== undefined) await writeFile(markdownFile, `${text}\n`);
}

function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `${date}; ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}); Node ${process.versions.node}; load before: ${(loadavg()[0] ?? 0).toFixed(2)}`;
}

async function main(): Promise<number> {
  try {
    const options = parseSchedulerOptions(process.argv.slice(2));
    if (options === 'help') process.stdout.write(`${schedulerUsage}\n`);
    else await bench(options);
    return 0;
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${schedulerUsage}`);
    return 2;
  }
}

process.exitCode = await main();
