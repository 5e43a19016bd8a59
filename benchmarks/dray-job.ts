import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BenchDatabase } from './bench-database.ts';
import type { Kind } from './lanes.ts';
import type { Command } from './measured-run.ts';

/** This module runs as dist/benchmarks/dray-job.js. */
const cli = resolve(import.meta.dirname, '..', 'core', 'cli', 'main.js');

const pluginPrefix: Record<Kind, string> = { postgres: 'postgresql', mysql: 'mysql' };

/** A job file that moves `source.<table>` to `target.orders`; everything that is not a must is left to dray. */
export async function writeJobFile(folder: string, source: BenchDatabase, target: BenchDatabase, table: string): Promise<string> {
  const job = {
    job: {
      content: [
        {
          reader: { name: `${pluginPrefix[source.kind]}reader`, parameter: endOf(source, 'source', table) },
          writer: { name: `${pluginPrefix[target.kind]}writer`, parameter: endOf(target, 'target', 'orders') },
        },
      ],
    },
  };
  const path = join(folder, `${source.kind}-${target.kind}-${table}.json`);
  await writeFile(path, JSON.stringify(job, null, 2));
  return path;
}

function endOf({ kind, port, user }: BenchDatabase, database: 'source' | 'target', table: string): object {
  return {
    username: user,
    password: `\${env:${passwordVariable(database)}}`,
    column: ['*'],
    connection: [{ jdbcUrl: `jdbc:${pluginPrefix[kind]}://127.0.0.1:${port}/${database}`, table: [table] }],
  };
}

const passwordVariable = (database: 'source' | 'target') => `DRAY_BENCH_${database.toUpperCase()}_PASSWORD`;

/** @param channels undefined: what dray chooses by itself */
export function drayCommand(jobFile: string, source: BenchDatabase, target: BenchDatabase, channels?: number): Command {
  return {
    words: [process.execPath, cli, 'run', jobFile, ...(channels === undefined ? [] : ['--channels', String(channels)])],
    env: { [passwordVariable('source')]: source.password, [passwordVariable('target')]: target.password },
  };
}
