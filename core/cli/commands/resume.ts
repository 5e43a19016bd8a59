import type { Job } from '../../job/load-job.ts';
import type { RunState } from '../../ledger/run-state.ts';
import { findRun, takeOverRun } from '../../ledger/run-store.ts';
import { reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { runOnce } from '../run-once.ts';
import { Screen } from '../screen.ts';
import { stateOf } from '../state.ts';
import { loadForCommand, type RunCommandOptions } from './run.ts';

/** `dray resume`: goes on with a run that ended without being done; returns the exit code. */
export async function resumeRun(run: string, options: RunCommandOptions): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    const state = stateOf(options);
    const job = await storedJob(await findRun(state, run), options, screen);
    const ledger = await takeOverRun(state, run);
    await ledger.append({ type: 'resumed', epoch: ledger.epoch, at: new Date().toISOString() });
    const channels = options.channels ?? ledger.earlier?.begun.channels;
    return await runOnce(job, ledger, { ...options, channels, screen, interrupt });
  } catch (error) {
    const failure = asDrayError(error);
    if (options.json) screen.json(reportWithoutRun({ run, job: '', error: reportedError(failure) }));
    screen.error(failure.toWire());
    return failure.exitCode;
  } finally {
    interrupt.release();
  }
}

/** Loads the job of a run once more, as it was given. @throws DrayError RUN_NOT_RESUMABLE if its file says something else now */
export async function storedJob({ begun }: RunState, options: Omit<RunCommandOptions, 'stateDir'>, screen: Screen): Promise<Job> {
  const missing = begun.secretParameters.filter((name) => options.param[name] === undefined);
  if (missing.length > 0) {
    throw new DrayError('JOB_VARIABLE', `the run was given secrets with -p, which are not kept: ${missing.join(', ')}`, {
      remedy: `Give them again: ${missing.map((name) => `-p ${name}=…`).join(' ')}`,
    });
  }
  const job = await loadForCommand(begun.file, { ...options, param: { ...begun.parameters, ...options.param } }, screen);
  if (job.digest === begun.digest) return job;
  throw new DrayError('RUN_NOT_RESUMABLE', `the job file ${begun.file} is not what it was when the run began`, {
    place: begun.file,
    remedy: 'Bring the file back as it was (environment variables in it, too), or start anew with `dray run`.',
  });
}
