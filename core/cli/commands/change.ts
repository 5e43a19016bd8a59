import { DrayError } from '../../sdk/index.ts';
import type { RunStatus } from '../../serve/run-status.ts';
import { Screen } from '../screen.ts';
import { ServerClient } from '../server-client.ts';
import type { StateOptions } from '../state.ts';
import { lineOf } from './status.ts';

interface ChangeOptions extends StateOptions {
  readonly json: boolean;
}

/** `dray cancel` and `dray pause`, of a run at the server. */
export async function changeRun(change: 'cancel' | 'pause', run: string, options: ChangeOptions): Promise<void> {
  const client = await ServerClient.find(options);
  const status = await client.ask<RunStatus>('POST', pathOf(run, change));
  print(status, options);
}

/** `dray tune`: another width or priority for a run at the server. */
export async function tuneRun(
  run: string,
  options: ChangeOptions & { readonly channels?: number; readonly priority?: number },
): Promise<void> {
  const { channels, priority } = options;
  if (channels === undefined && priority === undefined) {
    throw new DrayError('USAGE', 'dray tune was not told what to change', { remedy: 'Add --channels N, --priority N or both.' });
  }
  const client = await ServerClient.find(options);
  let status: RunStatus | undefined;
  if (priority !== undefined) status = await client.ask<RunStatus>('POST', pathOf(run, 'priority'), { priority });
  if (channels !== undefined) status = await client.ask<RunStatus>('POST', pathOf(run, 'channels'), { channels });
  print(status!, options);
  if (channels !== undefined && status!.channels !== undefined && status!.channels < channels) {
    new Screen().note(`no more than ${status!.channels} can run side by side now: its tasks, threads and the snapshot allow no more`);
  }
}

/** `dray resume` of a run that is paused at the server. @returns false if there is no such */
export async function unpaused(run: string, options: ChangeOptions): Promise<boolean> {
  const client = await ServerClient.ifAny(options);
  const { runs = [] } = (await client?.ask<{ runs: RunStatus[] }>('GET', '/runs')) ?? {};
  if (client === undefined || !runs.some((one) => one.run === run && one.state === 'paused')) return false;
  print(await client.ask<RunStatus>('POST', pathOf(run, 'resume')), options);
  return true;
}

function print(status: RunStatus, { json }: ChangeOptions): void {
  const screen = new Screen();
  if (json) screen.json(status);
  else screen.result(`${lineOf(status)}\n`);
}

function pathOf(run: string, what: string): string {
  return `/runs/${encodeURIComponent(run)}/${what}`;
}
