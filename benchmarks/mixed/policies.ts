import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { MixedJob } from './mixed-jobs.ts';

/** This module runs as dist/benchmarks/mixed/policies.js. */
const cli = resolve(import.meta.dirname, '..', '..', 'bundle', 'core', 'cli', 'main.js');

/** When each job was done, in seconds since all were submitted, by its name. */
export type Ends = ReadonlyMap<string, number>;

export interface Policy {
  readonly name: string;
  run(jobs: readonly MixedJob[], environment: NodeJS.ProcessEnv): Promise<Ends>;
}

/** One controller for all of them. */
export const controlled: Policy = {
  name: 'one controller (`dray run *.json`)',
  async run(jobs, environment) {
    const startedAt = performance.now();
    const ends = new Map<string, number>();
    await dray(
      jobs.map(({ file }) => file),
      environment,
      (job) => ends.set(job, seconds(startedAt)),
    );
    return ends;
  },
};

/** What a scheduler without a controller does: jobs in their order, so many at once, each with the same number of channels. */
export function fixedCount(atOnce: number, channels: number): Policy {
  return {
    name: `in their order, ${atOnce} at once, ${channels} channels each`,
    async run(jobs, environment) {
      const startedAt = performance.now();
      const ends = new Map<string, number>();
      const waiting = [...jobs];
      const worker = async () => {
        for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
          await dray(['--channels', `${channels}`, job.file], environment, (name) => ends.set(name, seconds(startedAt)));
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      return ends;
    },
  };
}

async function dray(args: readonly string[], environment: NodeJS.ProcessEnv, onDone: (job: string) => void): Promise<void> {
  const child = spawn(process.execPath, [cli, 'run', '--json', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const report = JSON.parse(line) as { job: string; state: string; error?: { message: string } };
    if (report.state !== 'done') throw new Error(`${report.job} has failed: ${report.error?.message}`);
    onDone(report.job);
  }
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}
