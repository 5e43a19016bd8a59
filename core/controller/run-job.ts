import { randomBytes } from 'node:crypto';
import type { Content, Job } from '../job/load-job.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { reportWithEarlier } from '../report/fan-out.ts';
import { type ContentReport, type RunReport, reportedError, round, sumOf } from '../report/report.ts';
import { asDrayError, type DrayError, type PluginContext } from '../sdk/index.ts';
import { watchDeadBuffers } from '../task/dead-buffers.ts';
import type { DirtyRecord, Executor, TaskCounters } from '../task/spec.ts';
import type { Budgets } from './budgets.ts';
import type { Dispatcher } from './dispatcher.ts';
import { channelsOf, dirtyBefore, sharedLimits } from './limits.ts';
import type { Machine } from './machine.ts';
import { entriesOf, type OpenTarget, openTargets } from './open-targets.ts';
import { closePlan } from './plan.ts';
import { type ContentResult, isWorthResuming, runContent } from './run-content.ts';
import type { RunHandle } from './run-handle.ts';
import { Schedule } from './schedule.ts';

/** What a run tells whoever watches it. */
export interface RunListener {
  /** The run has its turn: planning begins. */
  readonly begins?: () => void;
  /** What planning is about to do that takes long, and what people should know of the source. */
  readonly note: (message: string) => void;
  /** How far planning is. */
  readonly planning: (message: string) => void;
  /** A content's tasks are known and about to start. */
  contentStarts(content: number, facts: { reader: string; writer: string; tasks: number; estimatedRows: number | undefined }): void;
  /**
   * Sum over the content's tasks so far.
   * @param remark what people should know: that it will be late, or who slows it down
   */
  progress(content: number, counters: TaskCounters, remark: string | undefined): void;
  contentEnds(content: number): void;
  dirty(record: DirtyRecord): void;
  /** What was decided about its tasks, and why. */
  readonly decided: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly print: (text: string) => void;
}

export interface RunOptions {
  /** Where the run is written down; of a run that is resumed, with what its earlier processes have written. */
  readonly ledger: RunLedger;
  /** Overrides the job file. */
  readonly channels: number | undefined;
  /** Told how many tasks a content has before its target is looked at, so that threads may start beside that. Absent: they start when they are needed. */
  readonly getReady?: ((tasks: number, channels: number, content: Content) => void) | undefined;
  /** Makes the place where tasks run, once it is known how many there are. */
  readonly executor: (tasks: number, channels: number) => Executor;
  readonly listener: RunListener;
  /** Where its tasks get their turns, beside those of other runs. */
  readonly dispatcher: Dispatcher;
  readonly budgets: Budgets;
  /** undefined: what this machine can carry is not watched. */
  readonly machine?: Pick<Machine, 'remark'> | undefined;
  /** What is changed about it while it runs. */
  readonly handle: RunHandle;
  /** Waits for the turn to plan, beside other runs; returns what gives it back. Absent: nobody else plans. */
  readonly turnToPlan?: ((signal: AbortSignal) => Promise<() => void>) | undefined;
  /** Aborted by the user; its reason is a DrayError CANCELLED. */
  readonly signal: AbortSignal;
}

const cancelling: readonly string[] = ['CANCELLED', 'SERVER_STOPPED'];

/** A run id sorts by time and is safe in names of files and tables: `20261121-030405-a1b2c3`. */
export function newRunId(): string {
  const [date, time] = new Date().toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return `${date}-${time}-${randomBytes(3).toString('hex')}`;
}

/** Runs a job to its end: contents one after the other, the tasks of a content side by side. Never rejects: failure is in the report. */
export async function runJob(job: Job, options: RunOptions): Promise<RunReport> {
  const { channels: wanted, signal, ledger } = options;
  const startedAt = performance.now();
  const { channels, mayBeFewer } = channelsOf(job, wanted);
  const stop = new AbortController();
  const onCancel = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onCancel, { once: true });
  if (signal.aborted) onCancel();
  const results: (ContentResult | undefined)[] = [];
  let failure: DrayError | undefined;
  const endWatch = watchDeadBuffers();
  try {
    failure = await runContents(job, { ...options, channels, mayBeFewer, wanted: wanted ?? job.channels, stop, results });
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    signal.removeEventListener('abort', onCancel);
    endWatch();
  }
  const tasks = results.flatMap((result) => result?.tasks ?? []);
  const total = sumOf(results.flatMap((result) => result?.report ?? []));
  const seconds = (performance.now() - startedAt) / 1000;
  const contents = entriesOf(job).map((targets, entry) => {
    const notRun = targets.map(({ content, number }) => earlierOrNotStarted(content, number, ledger));
    const { report } = results[entry] ?? {};
    if (notRun.length === 1) return report ?? notRun[0]!;
    return reportWithEarlier(report, notRun);
  });
  const report: RunReport = {
    run: ledger.run,
    job: job.name,
    state: failure === undefined ? 'done' : cancelling.includes(failure.code) ? 'cancelled' : 'failed',
    ...total,
    seconds: round(seconds),
    rowsPerSecond: Math.round(total.rows.written / seconds),
    guarantee:
      contents.some(({ guarantee }) => guarantee === 'at-least-once') || job.contents.some(isAtLeastOnce(job))
        ? 'at-least-once'
        : 'exactly-once',
    channels,
    contents,
    tasks,
    ...(failure === undefined ? {} : { error: reportedError(failure) }),
    ...(failure !== undefined && isResumable(failure, results) ? { isResumable: true as const } : {}),
    ...(total.rows.dirty === 0 ? {} : { quarantine: ledger.quarantine.path }),
  };
  await writeEnd(report, options);
  return report;
}

interface RunContext extends RunOptions {
  readonly channels: number;
  readonly mayBeFewer: boolean;
  /** What the user wants it to be, if anything. */
  readonly wanted: number | undefined;
  readonly stop: AbortController;
  /** By content of the job file; undefined for those that an earlier process has published. */
  readonly results: (ContentResult | undefined)[];
}

/** @returns the failure that ends the run, or is left at its end */
async function runContents(job: Job, context: RunContext): Promise<DrayError | undefined> {
  const { ledger, listener, channels, mayBeFewer, stop, executor, results, dispatcher, handle, budgets, machine } = context;
  const plugins: PluginContext = { run: ledger.run, job: job.name, warn: listener.warn, print: listener.print, signal: stop.signal };
  const alone = job.contents.flatMap(({ fanOut }, number) => (fanOut === undefined ? [number] : []));
  const limits = sharedLimits(job, channels, dirtyBefore(ledger, alone));
  const schedule = new Schedule(job, { run: ledger.run, channels: context.wanted, dispatcher, handle, speeds: ledger.speeds });
  const { note, planning } = listener;
  const getReady = (tasks: number, content: Content) => context.getReady?.(tasks, channels, content);
  const planOptions = { channels, mayBeFewer, splitBytes: job.splitBytes, context: plugins, note, planning, getReady };
  const plans: OpenTarget[][] = [];
  const giveTurnBack = await context.turnToPlan?.(stop.signal);
  listener.begins?.();
  let failure: DrayError | undefined;
  const storedPlans = [...(ledger.earlier?.contents.values() ?? [])].flatMap(({ plan }) => plan ?? []);
  let nextTask = Math.max(0, ...storedPlans.map(({ firstTask, splits }) => firstTask + splits.length));
  try {
    // All sources are looked at before anything is changed anywhere.
    for (const targets of entriesOf(job)) {
      const open = targets.filter(({ number }) => ledger.earlier?.contents.get(number)?.isPublished !== true);
      plans.push(await openTargets(open, planOptions, ledger));
    }
    giveTurnBack?.();
    for (const [entry, targets] of plans.entries()) {
      const [first, ...beside] = targets.map(({ plan, number }) => {
        const firstTask = plan.resumed?.firstTask ?? nextTask;
        nextTask = Math.max(nextTask, firstTask + plan.splits.length);
        return { plan, content: number, firstTask };
      });
      if (first === undefined) continue;
      const mayResume = results.every((result) => result?.isDiscarded !== true);
      const context = { job, ledger, plugins, limits, schedule, budgets, machine, handle, executor, listener, stop, mayResume };
      const result = await runContent([first, ...beside], context);
      results[entry] = result;
      failure ??= result.failure;
      // A task that was set aside, or a target that was left out, is no reason to leave the other tables behind.
      if (result.isOver && result.failure?.code !== 'POISON_TASK') break;
    }
    return failure;
  } finally {
    giveTurnBack?.();
    await Promise.all(plans.flat().map(({ plan }) => closePlan(plan)));
  }
}

function isResumable(failure: DrayError, results: readonly (ContentResult | undefined)[]): boolean {
  const ran = results.flatMap((result) => result ?? []);
  if (ran.some(({ isDiscarded }) => isDiscarded)) return false;
  return (
    ran.some(({ isKept }) => isKept) ||
    isWorthResuming(
      failure,
      ran.flatMap(({ tasks }) => tasks),
    )
  );
}

function isAtLeastOnce(job: Job): (content: Content) => boolean {
  return ({ fanOut }) => (fanOut ?? job).guarantee === 'at-least-once';
}

async function writeEnd({ state, rows, error }: RunReport, { ledger, listener }: RunOptions): Promise<void> {
  const failed = error === undefined ? {} : { error: { code: error.code, message: error.message } };
  try {
    try {
      if (error?.code !== 'RUN_TAKEN_OVER')
        await ledger.append({ type: 'ended', state, at: new Date().toISOString(), rows: { ...rows }, ...failed });
    } finally {
      await ledger.close();
    }
  } catch (fault) {
    listener.warn(`how the run ended could not be written down: ${asDrayError(fault).message}`);
  }
}

function earlierOrNotStarted({ reader, writer }: Content, index: number, ledger: RunLedger): ContentReport {
  const before = ledger.earlier?.contents.get(index);
  const names = { reader: reader.plugin.name, writer: writer.plugin.name };
  if (before?.isPublished !== true) return { ...names, state: 'not started', tasks: 0, ...sumOf([]) };
  return { ...names, state: 'done', tasks: before.plan!.splits.length, ...sumOf([]), isFromEarlierProcess: true };
}
