import { basename, extname } from 'node:path';
import { newRunId, runJob } from '../../controller/run-job.ts';
import { type Job, loadJob } from '../../job/load-job.ts';
import { type RunReport, reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import type { DirtyRecord, TaskCounters } from '../../task/spec.ts';
import { InlineExecutor } from '../../worker/inline-executor.ts';
import { plural } from '../format.ts';
import { type Interrupt, onInterrupt } from '../interrupt.ts';
import { Planning } from '../planning.ts';
import { Progress } from '../progress.ts';
import { Screen } from '../screen.ts';
import { summary } from '../summary.ts';
import { checkJobs } from './check.ts';

/** Dirty records told one by one; the rest is counted. */
const toldDirtyRecords = 10;

export interface JobCommandOptions {
  readonly param: Record<string, string>;
  readonly channels?: number;
  readonly json: boolean;
  readonly lenient: boolean;
}

/** `dray run`: returns the exit code, that of the first job that failed; jobs behind it do not run. */
export async function runJobs(files: readonly string[], options: JobCommandOptions): Promise<number> {
  let screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    for (const [index, file] of files.entries()) {
      screen = new Screen();
      const exitCode = await runOne(file, { options, screen, interrupt });
      if (exitCode !== 0) return exitCode;
      const isLast = index === files.length - 1;
      if (!isLast && interrupt.signal.aborted) return interrupt.exitCode() ?? 0;
    }
    return 0;
  } finally {
    interrupt.release();
  }
}

/** Loads a job file with the options of the command line. */
export async function loadForCommand(file: string, options: JobCommandOptions, screen: Screen): Promise<Job> {
  return loadJob(file, {
    parameters: options.param,
    environment: process.env,
    isLenient: options.lenient,
    mask: screen.mask,
    warn: (message) => screen.warn(message),
  });
}

interface Around {
  readonly options: JobCommandOptions;
  readonly screen: Screen;
  readonly interrupt: Interrupt;
}

async function runOne(file: string, { options, screen, interrupt }: Around): Promise<number> {
  let job: Job;
  try {
    job = await loadForCommand(file, options, screen);
  } catch (error) {
    const failure = asDrayError(error);
    if (options.json) screen.json(reportWithoutRun({ run: newRunId(), job: basename(file, extname(file)), error: reportedError(failure) }));
    screen.error(failure.toWire());
    return failure.exitCode;
  }
  if (job.isDryRun) return checkJobs([file], { ...options, offline: false });
  const planning = new Planning(screen);
  let progress: Progress | undefined;
  let dirtyTold = 0;
  const report = await runJob(job, {
    channels: options.channels,
    signal: interrupt.signal,
    executor: (tasks, channels) => (tasks === 1 ? new InlineExecutor() : lazyPool(Math.min(tasks, channels))),
    listener: {
      note: (message) => screen.note(message),
      planning: (message) => planning.update(message),
      contentStarts(_content, { reader, writer, tasks, estimatedRows }) {
        planning.stop();
        progress = new Progress({ title: `${job.name} ${reader} → ${writer} (${plural(tasks, 'task')})`, estimatedRows }, screen);
      },
      progress: (_content: number, counters: TaskCounters) => progress?.update(counters),
      contentEnds: () => progress?.stop(),
      dirty(record) {
        if (++dirtyTold <= toldDirtyRecords) screen.warn(dirtySentence(record));
        if (dirtyTold === toldDirtyRecords + 1) screen.warn('more dirty records follow; they are counted, not listed');
      },
      warn: (message) => screen.warn(message),
      print: (text) => (options.json ? process.stderr : process.stdout).write(text),
    },
  });
  planning.stop();
  if (options.json) screen.json(report);
  else screen.line(summary(report));
  return endOf(report, screen, interrupt.exitCode());
}

/** Prints the failure, if there is one, and returns the exit code. */
function endOf(report: RunReport, screen: Screen, signalCode: number | undefined): number {
  if (report.error === undefined) return 0;
  screen.error(report.error);
  return signalCode ?? DrayError.fromWire(report.error).exitCode;
}

function dirtySentence({ side, task, split, row, column, cause }: DirtyRecord): string {
  const where = column === undefined ? '' : `, column ${column}`;
  return `dirty record: row ${row} of ${split} (task ${task}${where}) was refused by the ${side}: ${cause}`;
}

/** A pool whose module (piscina) is loaded only now: jobs of one task do without it. */
function lazyPool(threads: number) {
  const pool = import('../../worker/pool-executor.ts').then(({ PoolExecutor }) => new PoolExecutor(threads));
  return {
    run: async (...call: Parameters<InlineExecutor['run']>) => (await pool).run(...call),
    close: async () => (await pool).close(),
  };
}
