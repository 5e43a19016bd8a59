import { Controller } from '../../controller/controller.ts';
import { newRunId } from '../../controller/run-job.ts';
import { jobNameOf } from '../../job/job-source.ts';
import type { Job } from '../../job/load-job.ts';
import { reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError } from '../../sdk/index.ts';
import { Board } from '../board.ts';
import { type Interrupt, onInterrupt } from '../interrupt.ts';
import { loadForCommand, type RunCommandOptions } from '../job-command.ts';
import { type RunOnceOptions, runOnce } from '../run-once.ts';
import { Screen } from '../screen.ts';
import { beginLedger } from '../state.ts';
import { endThreads } from '../thread-pool.ts';
import { checkJobs } from './check.ts';

interface Around {
  readonly options: RunCommandOptions;
  readonly controller: Controller;
  readonly interrupt: Interrupt;
}

/** `dray run`: runs jobs side by side; returns the exit code, that of the first file whose job failed. */
export async function runJobs(files: readonly string[], options: RunCommandOptions): Promise<number> {
  const first = new Screen();
  const interrupt = onInterrupt((message) => first.line(message));
  const controller = new Controller({ slots: options.slots, pools: options.pool });
  const around = { options, controller, interrupt };
  try {
    const screens = files.map((_, index) => (index === 0 ? first : new Screen()));
    // All are read before any runs: a mistake in the last one should not be found in the middle of the night.
    const jobs: (Job | number)[] = [];
    for (const [index, file] of files.entries()) jobs.push(await loaded(file, around, screens[index]!));
    const refused = jobs.find((job) => typeof job === 'number' && job !== 0);
    if (refused !== undefined) return refused as number;
    const board = files.length > 1 ? new Board(first, files.length) : undefined;
    const exitCodes = await Promise.all(
      jobs.map(async (job, index) => {
        if (typeof job === 'number') return job;
        const view = board?.forJob();
        const exitCode = await runLoaded(job, around, { screen: screens[index]!, ...view });
        view?.ended(exitCode);
        return exitCode;
      }),
    );
    board?.stop();
    return exitCodes.find((code) => code !== 0) ?? 0;
  } finally {
    controller.close();
    await endThreads();
    interrupt.release();
  }
}

/** @returns the job; or the exit code if there is nothing to run: it was refused, or only checked */
async function loaded(file: string, { options, controller }: Around, screen: Screen): Promise<Job | number> {
  try {
    const job = await loadForCommand(file, options, screen);
    controller.checkPool(job);
    return job.isDryRun ? await checkJobs([file], { ...options, offline: false }) : job;
  } catch (error) {
    return refusal(newRunId(), file, error, options, screen);
  }
}

async function runLoaded(
  job: Job,
  { options, controller, interrupt }: Around,
  view: Pick<RunOnceOptions, 'screen' | 'progress' | 'mayRunInline'>,
): Promise<number> {
  const run = newRunId();
  try {
    const ledger = await beginLedger(run, job, { ...options, screen: view.screen });
    return await runOnce(job, ledger, { ...options, controller, interrupt, ...view });
  } catch (error) {
    return refusal(run, job.file, error, options, view.screen);
  }
}

function refusal(run: string, file: string, error: unknown, { json }: RunCommandOptions, screen: Screen): number {
  const failure = asDrayError(error);
  if (json) screen.json(reportWithoutRun({ run, job: jobNameOf(file), error: reportedError(failure) }));
  screen.error(failure.toWire());
  return failure.exitCode;
}
