import { replayRows } from '../../controller/replay.ts';
import { DrayError } from '../../sdk/index.ts';
import { plural } from '../format.ts';
import type { RunCommandOptions } from '../job-command.ts';
import { withStoredRun } from '../stored-run.ts';

/** `dray replay`: loads the quarantined rows of a run; exit code 5 if some were refused again. */
export function replayRun(run: string, options: RunCommandOptions): Promise<number> {
  return withStoredRun(run, options, async ({ job, ledger, context, screen }) => {
    const results = await replayRows(job, ledger, context);
    const loaded = results.reduce((sum, one) => sum + one.loaded, 0);
    const filtered = results.reduce((sum, one) => sum + one.filtered, 0);
    const refused = results.flatMap((one) => one.refused);
    if (options.json) screen.json({ run, loaded, filtered, refused, quarantine: ledger.quarantine.path });
    else {
      for (const { id, cause } of refused.slice(0, 10)) screen.warn(`row ${id} was refused again: ${cause}`);
      screen.line(
        `${run}: ${plural(loaded, 'row')} loaded,${filtered === 0 ? '' : ` ${filtered} filtered,`} ${refused.length} refused again; the quarantine is ${ledger.quarantine.path}`,
      );
    }
    return refused.length === 0 ? 0 : new DrayError('DIRTY_LIMIT', '').exitCode;
  });
}
