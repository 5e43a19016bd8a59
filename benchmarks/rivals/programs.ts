import { delimiter, join } from 'node:path';
import { isExecutable } from '../../test/support/executable.ts';

/** Where a program is on this machine; undefined: nowhere. */
export function programPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** The first of these programs that is installed; the first of all if none is, for `unlessInstalled` to tell. */
export function firstInstalled(...programs: readonly [string, ...string[]]): string {
  return programs.find((program) => programPath(program) !== undefined) ?? programs[0];
}

/** For a contestant that needs all of these programs. */
export function unlessInstalled(...programs: readonly string[]): { readonly absent?: string } {
  const missing = programs.filter((program) => programPath(program) === undefined);
  return missing.length === 0 ? {} : { absent: `absent: ${missing.join(' and ')} is not installed` };
}
