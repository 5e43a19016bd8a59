import type { Job } from '../job/load-job.ts';
import type { RunState } from '../ledger/run-state.ts';
import { findRun, type RunLedger, reopenRun, type StoredRun } from '../ledger/run-store.ts';
import { asDrayError, DrayError, type PluginContext } from '../sdk/index.ts';
import { onInterrupt } from './interrupt.ts';
import { loadForCommand, type RunCommandOptions } from './job-command.ts';
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
    const ledger = await reopenRun(stored);
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
export async function storedJob({ begun }: RunState, options: Omit<RunCommandOptions, 'stateDir'>, screen: Screen): Promise<Job> {
  const missing = begun.secretParameters.filter((name) => options.param[name] === undefined);
  if (missing.length > 0) {
    throw new DrayError('JOB_VARIABLE', `the run was given secrets with -p, which are not kept: ${missing.join(', ')}`, {
      remedy: `Give them again: ${missing.map((name) => `-p ${name}=…`).join(' ')}`,
    });
  }
  if (begun.file === '-' && options.job === undefined) {
    throw new DrayError('RUN_NOT_RESUMABLE', `the job of the run ${begun.run} came from standard input, and is not kept`, {
      remedy: 'Give the same job again: --job FILE, or --job - for standard input.',
    });
  }
  const file = options.job ?? begun.file;
  const job = await loadForCommand(file, { ...options, param: { ...begun.parameters, ...options.param } }, screen);
  if (job.digest === begun.digest) return job;
  throw new DrayError('RUN_NOT_RESUMABLE', `the job file ${file} is not what it was when the run began`, {
    place: file,
    remedy: 'Bring the file back as it was (environment variables in it, too), or start anew with `dray run`.',
  });
}
