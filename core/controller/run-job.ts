import { randomBytes } from 'node:crypto';
import type { Content, Job } from '../job/load-job.ts';
import { type ContentReport, type RunReport, reportedError, round, sumOf } from '../report/report.ts';
import { asDrayError, type DrayError, type PluginContext } from '../sdk/index.ts';
import type { DirtyRecord, Executor, TaskCounters } from '../task/spec.ts';
import { defaultChannels, sharedLimits } from './limits.ts';
import { closePlan, type OpenPlan, openPlan } from './plan.ts';
import { type ContentResult, runContent } from './run-content.ts';

/** What a run tells whoever watches it. */
export interface RunListener {
  /** What planning is about to do that takes long, and what people should know of the source. */
  readonly note: (message: string) => void;
  /** How far planning is. */
  readonly planning: (message: string) => void;
  /** A content's tasks are known and about to start. */
  contentStarts(content: number, facts: { reader: string; writer: string; tasks: number; estimatedRows: number | undefined }): void;
  /** Sum over the content's tasks so far. */
  progress(content: number, counters: TaskCounters): void;
  contentEnds(content: number): void;
  dirty(record: DirtyRecord): void;
  readonly warn: (message: string) => void;
  readonly print: (text: string) => void;
}

export interface RunOptions {
  /** Overrides the job file. */
  readonly channels: number | undefined;
  /** Makes the place where tasks run, once it is known how many there are. */
  readonly executor: (tasks: number, channels: number) => Executor;
  readonly listener: RunListener;
  /** Aborted by the user; its reason is a DrayError CANCELLED. */
  readonly signal: AbortSignal;
}

/** A run id sorts by time and is safe in names of files and tables: `20261121-030405-a1b2c3`. */
export function newRunId(): string {
  const [date, time] = new Date().toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return `${date}-${time}-${randomBytes(3).toString('hex')}`;
}

/** Runs a job to its end: contents one after the other, the tasks of a content side by side. Never rejects: failure is in the report. */
export async function runJob(job: Job, { channels: wanted, executor, listener, signal }: RunOptions): Promise<RunReport> {
  const run = newRunId();
  const startedAt = performance.now();
  const channels = wanted ?? job.channels ?? defaultChannels();
  const stop = new AbortController();
  const onCancel = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onCancel, { once: true });
  if (signal.aborted) onCancel();
  const context: PluginContext = { run, job: job.name, warn: listener.warn, print: listener.print, signal: stop.signal };
  const limits = sharedLimits(job);
  const planOptions = { channels, splitBytes: job.splitBytes, context, note: listener.note, planning: listener.planning };
  const plans: OpenPlan[] = [];
  const results: ContentResult[] = [];
  let failure: DrayError | undefined;
  try {
    // All sources are looked at before anything is changed anywhere.
    for (const content of job.contents) plans.push(await openPlan(content, planOptions));
    for (const [content, plan] of plans.entries()) {
      const firstTask = results.reduce((sum, { tasks }) => sum + tasks.length, 0);
      const result = await runContent(plan, { job, run, content, firstTask, channels, limits, executor, listener, stop });
      results.push(result);
      failure = result.failure;
      if (failure !== undefined) break;
    }
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    signal.removeEventListener('abort', onCancel);
    await Promise.all(plans.map(closePlan));
  }
  const tasks = results.flatMap((result) => result.tasks);
  const total = sumOf(tasks);
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    run,
    job: job.name,
    state: failure === undefined ? 'done' : failure.code === 'CANCELLED' ? 'cancelled' : 'failed',
    ...total,
    seconds: round(seconds),
    rowsPerSecond: Math.round(total.rows.written / seconds),
    guarantee: 'at-least-once',
    channels,
    contents: job.contents.map((content, index) => results[index]?.report ?? notStarted(content)),
    tasks,
    ...(failure === undefined ? {} : { error: reportedError(failure) }),
  };
}

function notStarted({ reader, writer }: Content): ContentReport {
  return { reader: reader.plugin.name, writer: writer.plugin.name, state: 'not started', tasks: 0, ...sumOf([]) };
}
