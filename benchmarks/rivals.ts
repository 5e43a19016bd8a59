import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { BenchDatabase } from './bench-database.ts';
import type { RivalName } from './lanes.ts';
import type { Command } from './measured-run.ts';

interface Rival {
  /** For people. */
  readonly title: string;
  /** Any of these will do. */
  readonly programs: readonly string[];
  /** True if it reads a file written beforehand, and does not read the source at all. */
  readonly needsReadyFile: boolean;
}

export const rivals: Record<RivalName, Rival> = {
  'psql-file': { title: 'psql \\copy of a ready file', programs: ['psql'], needsReadyFile: true },
  'psql-pipe': { title: 'psql COPY piped into psql COPY', programs: ['psql'], needsReadyFile: false },
  'load-data': { title: 'LOAD DATA LOCAL of a ready file', programs: ['mariadb', 'mysql'], needsReadyFile: true },
};

/** The program of the rival on this machine, or undefined. */
export function programOf(name: RivalName): string | undefined {
  return rivals[name].programs.map(programPath).find((path) => path !== undefined);
}

/** Where a program is on this machine; undefined: nowhere. */
export function programPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

/** For a contestant that needs all of these programs. */
export function unlessInstalled(...programs: readonly string[]): { readonly absent?: string } {
  const missing = programs.filter((program) => programPath(program) === undefined);
  return missing.length === 0 ? {} : { absent: `absent: ${missing.join(' and ')} is not installed` };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface RivalTask {
  readonly name: RivalName;
  readonly program: string;
  readonly source: BenchDatabase;
  readonly target: BenchDatabase;
  readonly table: string;
  readonly readyFile: string;
}

export function rivalCommand({ name, program, source, target, table, readyFile }: RivalTask): Command {
  switch (name) {
    case 'psql-file':
      return { words: [program, ...psqlOptions, '-c', `\\copy orders from '${readyFile}'`], env: psqlEnv(target, 'target') };
    case 'psql-pipe':
      // One server and one password: the environment of both ends differs in the database only.
      return {
        words: [
          '/bin/sh',
          '-c',
          `PGDATABASE=source "$@" -c 'copy ${table} to stdout' | "$@" -c 'copy orders from stdin'`,
          'sh',
          program,
          ...psqlOptions,
        ],
        env: psqlEnv(source, 'target'),
      };
    case 'load-data':
      return {
        words: [
          program,
          ...['--no-defaults', '--local-infile=1', '--host=127.0.0.1', `--port=${target.port}`, `--user=${target.user}`],
          ...['--execute', `SET time_zone = '+00:00'; LOAD DATA LOCAL INFILE '${readyFile}' INTO TABLE orders CHARACTER SET binary`],
          'target',
        ],
        env: { MYSQL_PWD: target.password },
      };
  }
}

export const psqlOptions = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'];

export function psqlEnv({ port, user, password }: BenchDatabase, database: string): Record<string, string> {
  return { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database, PGSSLMODE: 'disable' };
}
