import { Controller } from '../../controller/controller.ts';
import { findRun, takeOverRun } from '../../ledger/run-store.ts';
import { reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError } from '../../sdk/index.ts';
import { onInterrupt } from '../interrupt.ts';
import type { RunCommandOptions } from '../job-command.ts';
import { runOnce } from '../run-once.ts';
import { Screen } from '../screen.ts';
import { stateOf } from '../state.ts';
import { storedJob } from '../stored-run.ts';
import { endThreads } from '../thread-pool.ts';
import { unpaused } from './change.ts';

/** `dray resume`: goes on with a run that ended without being done; returns the exit code. */
export async function resumeRun(run: string, options: RunCommandOptions): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    if (await unpaused(run, options)) return 0;
    const state = stateOf(options);
    const job = await storedJob(await findRun(state, run), options, screen);
    const ledger = await takeOverRun(state, run, (text) => screen.mask.apply(text));
    await ledger.append({ type: 'resumed', epoch: ledger.epoch, at: new Date().toISOString() });
    const channels = options.channels ?? ledger.earlier?.begun.channels;
    const controller = new Controller({ slots: options.slots, pools: options.pool });
    controller.checkPool(job);
    return await runOnce(job, ledger, { ...options, controller, channels, screen, interrupt });
  } catch (error) {
    const failure = asDrayError(error);
    if (options.json) screen.json(reportWithoutRun({ run, job: '', error: reportedError(failure) }));
    screen.error(failure.toWire());
    return failure.exitCode;
  } finally {
    await endThreads();
    interrupt.release();
  }
}
