import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BenchDatabase } from './bench-database.ts';
import type { Contestant } from './course.ts';
import type { Kind } from './lanes.ts';
import type { Command } from './measured-run.ts';

/** This module runs as dist/benchmarks/dray-job.js. */
const cli = resolve(import.meta.dirname, '..', 'bundle', 'core', 'cli', 'main.js');

const pluginPrefix: Record<Kind, string> = { postgres: 'postgresql', mysql: 'mysql' };

/** One side of a content, as it stands in a job file. */
export interface Plugin {
  readonly name: string;
  readonly parameter: object;
}

/** A job file that moves `source.<table>` to `target.orders`; everything that is not a must is left to dray. */
export function writeJobFile(folder: string, source: BenchDatabase, target: BenchDatabase, table: string): Promise<string> {
  const sides = { reader: tableReader(source, 'source', table), writer: tableWriter(target, 'target', 'orders') };
  return writeJob(join(folder, `${source.kind}-${target.kind}-${table}.json`), sides);
}

/** @returns `path` */
export async function writeJob(
  path: string,
  sides: { readonly reader: Plugin; readonly writer: Plugin; readonly transformer?: readonly Plugin[] },
): Promise<string> {
  await writeFile(path, JSON.stringify({ job: { content: [sides] } }, null, 2));
  return path;
}

type Database = 'source' | 'target';

export function tableReader(database: BenchDatabase, name: Database, table: string): Plugin {
  return { name: `${pluginPrefix[database.kind]}reader`, parameter: endOf(database, name, table) };
}

export function tableWriter(database: BenchDatabase, name: Database, table: string): Plugin {
  return { name: `${pluginPrefix[database.kind]}writer`, parameter: endOf(database, name, table) };
}

function endOf({ kind, port, user }: BenchDatabase, database: Database, table: string): object {
  return {
    username: user,
    password: `\${env:${passwordVariable(database)}}`,
    column: ['*'],
    connection: [{ jdbcUrl: `jdbc:${pluginPrefix[kind]}://127.0.0.1:${port}/${database}`, table: [table] }],
  };
}

const passwordVariable = (database: Database) => `DRAY_BENCH_${database.toUpperCase()}_PASSWORD`;

/** @param channels undefined: what dray chooses by itself */
export function drayCommand(jobFile: string, source: BenchDatabase, target: BenchDatabase, channels?: number): Command {
  return runCommand(jobFile, { ...passwordOf(source, 'source'), ...passwordOf(target, 'target') }, channels);
}

/** What the job file of a database takes from the environment. */
export function passwordOf({ password }: BenchDatabase, name: Database): Record<string, string> {
  return { [passwordVariable(name)]: password };
}

export function runCommand(jobFile: string, env: Readonly<Record<string, string>>, channels?: number): Command {
  return { words: [process.execPath, cli, 'run', jobFile, ...(channels === undefined ? [] : ['--channels', String(channels)])], env };
}

/** dray, with so many channels. */
export function drayContestant(
  jobFile: string,
  env: Readonly<Record<string, string>>,
  { channels, title = `dray, ${channels} channel${channels === 1 ? '' : 's'}` }: { readonly channels: number; readonly title?: string },
): Contestant {
  return { title, isRival: false, command: runCommand(jobFile, env, channels) };
}
