import { newRunId } from '../../controller/run-job.ts';
import { jobNameOf } from '../../job/job-source.ts';
import { reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError } from '../../sdk/index.ts';
import { type Interrupt, onInterrupt } from '../interrupt.ts';
import { loadForCommand, type RunCommandOptions } from '../job-command.ts';
import { runOnce } from '../run-once.ts';
import { Screen } from '../screen.ts';
import { beginLedger } from '../state.ts';
import { checkJobs } from './check.ts';

/** `dray run`: returns the exit code, that of the first job that failed; jobs behind it do not run. */
export async function runJobs(files: readonly string[], options: RunCommandOptions): Promise<number> {
  let screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    for (const [index, file] of files.entries()) {
      screen = new Screen();
      const exitCode = await runFile(file, { options, screen, interrupt });
      if (exitCode !== 0) return exitCode;
      const isLast = index === files.length - 1;
      if (!isLast && interrupt.signal.aborted) return interrupt.exitCode() ?? 0;
    }
    return 0;
  } finally {
    interrupt.release();
  }
}

interface Around {
  readonly options: RunCommandOptions;
  readonly screen: Screen;
  readonly interrupt: Interrupt;
}

async function runFile(file: string, { options, screen, interrupt }: Around): Promise<number> {
  const run = newRunId();
  try {
    const job = await loadForCommand(file, options, screen);
    if (job.isDryRun) return await checkJobs([file], { ...options, offline: false });
    const ledger = await beginLedger(run, job, { ...options, screen });
    return await runOnce(job, ledger, { ...options, screen, interrupt });
  } catch (error) {
    const failure = asDrayError(error);
    if (options.json) screen.json(reportWithoutRun({ run, job: jobNameOf(file), error: reportedError(failure) }));
    screen.error(failure.toWire());
    return failure.exitCode;
  }
}
