import { jobOfRun } from '../controller/begin-run.ts';
import type { Job } from '../job/load-job.ts';
import type { RunState } from '../ledger/run-state.ts';
import { findRun, type RunLedger, reopenRun, type StoredRun } from '../ledger/run-store.ts';
import { asDrayError, type PluginContext } from '../sdk/index.ts';
import { onInterrupt } from './interrupt.ts';
import { type JobCommandOptions, loadOptions, type RunCommandOptions } from './job-command.ts';
import { Screen } from './screen.ts';
import { stateOf } from './state.ts';

/** What a command about a run that has ended works with. */
export interface Reopened {
  readonly stored: StoredRun;
  readonly job: Job;
  readonly ledger: RunLedger;
  readonly context: PluginContext;
  readonly screen: Screen;
}

/**
 * Takes a run that has ended, does something about it, and lets it go again; prints what goes wrong. Returns the exit code.
 * @param check refuses a run before its job is loaded or anything is taken
 */
export async function withStoredRun(
  run: string,
  options: RunCommandOptions,
  work: (reopened: Reopened) => Promise<number>,
  check: (stored: StoredRun) => void = () => undefined,
): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    const stored = await findRun(stateOf(options), run);
    check(stored);
    const job = await storedJob(stored, options, screen);
    const ledger = await reopenRun(stored, (text) => screen.mask.apply(text));
    const context: PluginContext = {
      run,
      job: job.name,
      warn: (message) => screen.warn(message),
      print: (text) => process.stdout.write(text),
      signal: interrupt.signal,
    };
    try {
      return await work({ stored, job, ledger, context, screen });
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

/**
 * Loads the job of a run once more, as it was given.
 * @throws DrayError RUN_NOT_RESUMABLE if its file says something else now, or came from standard input and was not given again
 */
export function storedJob(stored: RunState, options: JobCommandOptions & Pick<RunCommandOptions, 'job'>, screen: Screen): Promise<Job> {
  return jobOfRun(stored, loadOptions(options, screen), options.job);
}
