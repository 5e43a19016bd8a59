import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Contestant } from '../core/bench/course.ts';
import type { Command } from '../core/bench/measured-run.ts';
import type { Arena } from './arena.ts';
import type { BenchDatabase, DatabaseName, Kind } from './bench-database.ts';

/** This module runs as dist/benchmarks/dray-job.js. */
const cli = resolve(import.meta.dirname, '..', 'bundle', 'core', 'cli', 'main.js');

const pluginPrefix: Record<Kind, string> = { postgres: 'postgresql', mysql: 'mysql' };

/** One side of a content, or what stands in between, as in a job file. */
export interface Plugin {
  readonly name: string;
  readonly parameter: object;
}

export interface Content {
  readonly reader: Plugin;
  readonly writer: Plugin;
  readonly transformer?: readonly Plugin[];
}

/** A job file, and what it takes from the environment. */
export interface Job {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Writes a job file into the folder of the arena; everything that is not a must is left to dray.
 * @param name of the file, without `.json`; another job needs another one
 */
export async function writeJob(
  arena: Arena,
  name: string,
  contents: Content | readonly Content[],
  env: Job['env'],
  setting: object = {},
): Promise<Job> {
  const file = join(arena.folder, `${name}.json`);
  await writeFile(file, JSON.stringify({ job: { setting, content: [contents].flat() } }, null, 2));
  // Runs of a bench are none of the user's.
  return { file, env: { ...env, DRAY_STATE_DIR: join(arena.folder, 'state') } };
}

export function tableReader(database: BenchDatabase, name: DatabaseName, table: string): Plugin {
  return { name: `${pluginPrefix[database.kind]}reader`, parameter: endOf(database, name, table) };
}

export function tableWriter(database: BenchDatabase, name: DatabaseName, table: string): Plugin {
  return { name: `${pluginPrefix[database.kind]}writer`, parameter: endOf(database, name, table) };
}

function endOf({ kind, port, user }: BenchDatabase, database: DatabaseName, table: string): object {
  return {
    username: user,
    password: `\${env:${passwordVariable(database)}}`,
    column: ['*'],
    connection: [{ jdbcUrl: `jdbc:${pluginPrefix[kind]}://127.0.0.1:${port}/${database}`, table: [table] }],
  };
}

const passwordVariable = (database: DatabaseName) => `DRAY_BENCH_${database.toUpperCase()}_PASSWORD`;

/** What the job file of a database takes from the environment. */
export function passwordOf({ password }: BenchDatabase, name: DatabaseName): Record<string, string> {
  return { [passwordVariable(name)]: password };
}

/** The command line of dray. */
export function drayCommand(words: readonly string[], env: Job['env'] = {}): Command {
  return { words: [process.execPath, cli, ...words], env };
}

/** `dray run`. @param channels undefined: as many as dray chooses by itself */
export function runCommand({ file, env }: Job, channels?: number): Command {
  return drayCommand(['run', file, ...(channels === undefined ? [] : ['--channels', String(channels)])], env);
}

/** dray, with so many channels. */
export function drayContestant(job: Job, channels: number, title = `dray, ${channels} channel${channels === 1 ? '' : 's'}`): Contestant {
  return { title, isRival: false, command: runCommand(job, channels) };
}
