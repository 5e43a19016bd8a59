import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { beginJob } from '../controller/begin-run.ts';
import type { Job } from '../job/load-job.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { makeStateFolder, stateFolder } from '../ledger/state-folder.ts';
import type { Screen } from './screen.ts';

export interface StateOptions {
  readonly stateDir?: string;
}

/** The state folder of a command that only looks. */
export function stateOf({ stateDir }: StateOptions): string {
  return stateFolder(stateDir, process.env);
}

/** Begins the journal of a run. @throws DrayError STATE_UNUSABLE if a folder that the user named cannot be used */
export async function beginLedger(
  run: string,
  job: Job,
  { stateDir, channels, screen }: StateOptions & { readonly channels?: number; readonly screen: Screen },
): Promise<RunLedger> {
  const state = await usableFolder(stateDir, screen);
  return beginJob(state, run, job, { channels, mask: screen.mask });
}

/** A home that cannot be written to must not keep jobs from running that never needed it. */
async function usableFolder(stateDir: string | undefined, screen: Screen): Promise<string> {
  const folder = stateFolder(stateDir, process.env);
  try {
    await makeStateFolder(folder);
    return folder;
  } catch (error) {
    const isNamed = stateDir !== undefined || (process.env.DRAY_STATE_DIR ?? '') !== '';
    if (isNamed) throw error;
    const other = join(tmpdir(), `dray-state-${userInfo().uid}`);
    await makeStateFolder(other);
    screen.warn(`${(error as Error).message}; it is kept in ${other} (--state-dir or DRAY_STATE_DIR name a better place)`);
    return other;
  }
}
