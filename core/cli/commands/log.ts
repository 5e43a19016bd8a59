import { eventsOf, findRun } from '../../ledger/run-store.ts';
import { logEntries } from '../log-entries.ts';
import { Screen } from '../screen.ts';
import { type StateOptions, stateOf } from '../state.ts';

export interface LogOptions extends StateOptions {
  readonly json: boolean;
}

/** `dray log`: what was decided and happened in a run, in its order. */
export async function printLog(run: string, options: LogOptions): Promise<void> {
  const screen = new Screen();
  const entries = logEntries(await eventsOf(await findRun(stateOf(options), run)));
  if (options.json) screen.json({ run, events: entries });
  else screen.result(entries.map(({ at, message }) => `${at?.slice(0, 23).replace('T', ' ') ?? ''.padEnd(23)}  ${message}\n`).join(''));
}
