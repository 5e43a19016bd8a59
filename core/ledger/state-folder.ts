import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DrayError } from '../sdk/index.ts';

/**
 * Where runs are written down: the folder that is named, else `DRAY_STATE_DIR`, else `dray` in the user's state folder (XDG Base Directory Specification:
 * `$XDG_STATE_HOME`, by default `~/.local/state`).
 */
export function stateFolder(named: string | undefined, environment: NodeJS.ProcessEnv): string {
  const { DRAY_STATE_DIR: own, XDG_STATE_HOME: xdg } = environment;
  if (named !== undefined) return resolve(named);
  if (own !== undefined && own !== '') return resolve(own);
  return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.local', 'state'), 'dray');
}

/** Makes the folder, for this user alone: quarantined rows are data. @throws DrayError STATE_UNUSABLE */
export async function makeStateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

export function unusable(path: string, cause: unknown): DrayError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === 'ENOSPC' ? 'the disk is full' : message;
  return new DrayError('STATE_UNUSABLE', `the state of the run cannot be kept in ${path}: ${why}`, { cause, place: path });
}
