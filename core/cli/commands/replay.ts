import { replayRows } from '../../controller/replay.ts';
import { findRun, reopenRun } from '../../ledger/run-store.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import { plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { Screen } from '../screen.ts';
import { stateOf } from '../state.ts';
import { storedJob } from './resume.ts';
import type { RunCommandOptions } from './run.ts';

/** `dray replay`: loads the quarantined rows of a run; exit code 5 if some were refused again. */
export async function replayRun(run: string, options: RunCommandOptions): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    const stored = await findRun(stateOf(options), run);
    const job = await storedJob(stored, options, screen);
    const ledger = await reopenRun(stored);
    const warn = (message: string) => screen.warn(message);
    try {
      const results = await replayRows(job, ledger, {
        ...{ run, job: job.name, warn, signal: interrupt.signal },
        print: (text) => process.stdout.write(text),
      });
      const loaded = results.reduce((sum, one) => sum + one.loaded, 0);
      const refused = results.flatMap((one) => one.refused);
      if (options.json) screen.json({ run, loaded, refused, quarantine: ledger.quarantine.path });
      else {
        for (const { id, cause } of refused.slice(0, 10)) screen.warn(`row ${id} was refused again: ${cause}`);
        screen.line(
          `${run}: ${plural(loaded, 'row')} loaded, ${refused.length} refused again; the quarantine is ${ledger.quarantine.path}`,
        );
      }
      return refused.length === 0 ? 0 : new DrayError('DIRTY_LIMIT', '').exitCode;
    } finally {
      await ledger.close();
    }
  } catch (error) {
    const failure = asDrayError(error, { side: 'target' });
    if (options.json) screen.json({ run, error: { code: failure.code, message: failure.message } });
    screen.error(failure.toWire());
    return failure.exitCode;
  } finally {
    interrupt.release();
  }
}
