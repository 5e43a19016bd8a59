import type { Controller } from '../controller/controller.ts';
import type { Job } from '../job/load-job.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { dirtyWords, toldDirtyRecords } from '../report/dirty-words.ts';
import type { RunReport } from '../report/report.ts';
import { DrayError } from '../sdk/index.ts';
import type { TaskCounters } from '../task/spec.ts';
import { InlineExecutor } from '../worker/inline-executor.ts';
import { plural } from './format.ts';
import type { Interrupt } from './interrupt.ts';
import { Planning } from './planning.ts';
import { type ContentFacts, Progress } from './progress.ts';
import type { Screen } from './screen.ts';
import { summary } from './summary.ts';
import { readyThreads, threadExecutor } from './thread-pool.ts';

/** Where the progress of a content is shown. */
export interface ProgressView {
  update(counters: TaskCounters, remark?: string): void;
  stop(): void;
}

export interface RunOnceOptions {
  readonly controller: Controller;
  readonly channels?: number | undefined;
  readonly priority?: number | undefined;
  /** What is decided about each task is told. */
  readonly verbose?: boolean | undefined;
  /** Absent: a line or bar of its own. */
  readonly progress?: ((facts: ContentFacts) => ProgressView) | undefined;
  /** A job of one task may run in the thread of the program; not where others run beside it. */
  readonly mayRunInline?: boolean | undefined;
  readonly json: boolean;
  readonly screen: Screen;
  readonly interrupt: Interrupt;
}

/** Runs a job, or goes on with it, before the eyes of the user; prints the report and returns the exit code. */
export async function runOnce(job: Job, ledger: RunLedger, options: RunOnceOptions): Promise<number> {
  const { controller, channels, priority, verbose, json, screen, interrupt, mayRunInline = true } = options;
  const showProgress = options.progress ?? ((facts) => new Progress(facts, screen));
  let planning: Planning | undefined;
  let progress: ProgressView | undefined;
  let dirtyTold = 0;
  const isInline = (tasks: number) => tasks === 1 && mayRunInline;
  const report = await controller.run(job, {
    ledger,
    channels,
    priority,
    signal: interrupt.signal,
    getReady: (tasks, width, content) => {
      if (!isInline(tasks)) readyThreads(Math.min(tasks, width), content);
    },
    executor: (tasks, width) => (isInline(tasks) ? new InlineExecutor() : threadExecutor(tasks, width)),
    listener: {
      // Several jobs side by side tell what they do on the board.
      begins: () => {
        if (options.progress === undefined) planning = new Planning(screen);
      },
      note: (message) => screen.note(message),
      planning: (message) => planning?.update(message),
      contentStarts(_content, { reader, writer, tasks, estimatedRows }) {
        planning?.stop();
        progress = showProgress({ title: `${job.name} ${reader} → ${writer} (${plural(tasks, 'task')})`, estimatedRows });
      },
      progress: (_content, counters, remark) => progress?.update(counters, remark),
      decided: (message) => {
        if (verbose === true) screen.line(`${job.name}: ${message}`);
      },
      contentEnds: () => progress?.stop(),
      dirty(record) {
        if (++dirtyTold <= toldDirtyRecords) screen.warn(`dirty record: ${dirtyWords(record)}`);
        if (dirtyTold === toldDirtyRecords + 1) screen.warn('more dirty records follow; they are counted, not listed');
      },
      warn: (message) => screen.warn(message),
      print: (text) => (json ? process.stderr : process.stdout).write(text),
    },
  });
  planning?.stop();
  if (json) screen.json(report);
  else screen.line(summary(report));
  return endOf(report, screen, interrupt.exitCode());
}

/** Prints the failure, if there is one, and returns the exit code. */
export function endOf({ run, error, isResumable }: RunReport, screen: Screen, signalCode: number | undefined): number {
  if (error === undefined) return 0;
  screen.error(error);
  if (isResumable)
    screen.line(`What is committed is kept: \`dray resume ${run}\` goes on with the rest, \`dray discard ${run}\` gives it up.`);
  return signalCode ?? DrayError.fromWire(error).exitCode;
}
