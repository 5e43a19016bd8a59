import type { Job } from '../job/load-job.ts';
import { type ContentReport, type RowCounts, round, sumOf, type TaskReport, tallyOf } from '../report/report.ts';
import { asDrayError, DrayError, type Json } from '../sdk/index.ts';
import { type Executor, type TaskCounters, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import { type SharedLimits, taskSpecs } from './limits.ts';
import { type OpenPlan, prepareTarget, verifySource } from './plan.ts';
import type { RunListener } from './run-job.ts';

/** What a content needs to know of the run it is part of. */
export interface ContentContext {
  readonly job: Job;
  readonly run: string;
  /** Number of the content, from 0. */
  readonly content: number;
  /** Number of its first task. */
  readonly firstTask: number;
  readonly channels: number;
  readonly limits: SharedLimits;
  readonly executor: (tasks: number, channels: number) => Executor;
  readonly listener: RunListener;
  /** Aborted by the user, and by the first task that fails. */
  readonly stop: AbortController;
}

export interface ContentResult {
  readonly report: ContentReport;
  readonly tasks: readonly TaskReport[];
  readonly failure: DrayError | undefined;
}

/** Moves one content: prepares the target, runs the tasks, publishes; or discards what is unfinished. Never rejects. */
export async function runContent(plan: OpenPlan, context: ContentContext): Promise<ContentResult> {
  const { stop, listener, content } = context;
  const names = { reader: plan.content.reader.plugin.name, writer: plan.content.writer.plugin.name };
  let tasks: TaskReport[] = [];
  let failure: DrayError | undefined;
  try {
    stop.signal.throwIfAborted();
    await verifySource(plan, stop.signal);
    const target = await prepareTarget(plan, stop.signal);
    const specs = taskSpecs(context.job, { ...context, plan, target });
    tasks = specs.map((spec) => taskReport(spec, 'not started', zeroCounters(), 0));
    listener.contentStarts(content, { ...names, tasks: specs.length, estimatedRows: plan.estimatedRows });
    const commits = await runTasks(specs, context, tasks);
    stop.signal.throwIfAborted();
    checkDirtyShare(context.job, sumOf(tasks).rows);
    await publish(plan, commits);
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
    await plan.writer.discard?.().catch((fault: unknown) => {
      listener.warn(`what the failed job left at the target could not all be removed: ${asDrayError(fault).message}`);
    });
  }
  listener.contentEnds(content);
  const state = failure === undefined ? 'done' : 'failed';
  return { report: { ...names, state, tasks: tasks.length, ...sumOf(tasks) }, tasks, failure };
}

/** Runs all tasks, as many at a time as there are channels, and puts each one's report into its place. Returns what they committed. */
async function runTasks(specs: readonly TaskSpec[], context: ContentContext, reports: TaskReport[]): Promise<Json[]> {
  const { stop, listener, content, channels } = context;
  const live = specs.map(zeroCounters);
  const commits: Json[] = [];
  const executor = context.executor(specs.length, channels);
  const runOne = async (spec: TaskSpec, slot: number) => {
    const startedAt = performance.now();
    const progress = (counters: TaskCounters) => {
      live[slot] = counters;
      listener.progress(content, addUp(live));
    };
    const outcome = await executor.run(spec, { ...listener, progress }, stop.signal);
    reports[slot] = taskReport(spec, outcome.state, outcome.counters, (performance.now() - startedAt) / 1000);
    if (outcome.state === 'done') commits[slot] = outcome.commit;
    else if (!stop.signal.aborted) stop.abort(DrayError.fromWire(outcome.error));
  };
  let next = 0;
  const channel = async () => {
    while (next < specs.length && !stop.signal.aborted) {
      const slot = next++;
      await runOne(specs[slot]!, slot);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(channels, specs.length) }, channel));
  } finally {
    await executor.close();
  }
  return commits;
}

function taskReport(
  { id, content, split }: TaskSpec,
  state: TaskReport['state'],
  counters: TaskOutcome['counters'],
  seconds: number,
): TaskReport {
  return { id, content, split: split.name, state, seconds: round(seconds), ...tallyOf(counters, state === 'done') };
}

async function publish({ writer }: OpenPlan, commits: readonly Json[]): Promise<void> {
  try {
    await writer.publish?.(commits);
  } catch (error) {
    throw asDrayError(error, { side: 'target' });
  }
}

function checkDirtyShare({ maxDirtyShare }: Job, { read, dirty }: RowCounts): void {
  if (maxDirtyShare === undefined || read === 0 || dirty / read <= maxDirtyShare) return;
  throw new DrayError(
    'DIRTY_LIMIT',
    `${dirty} of ${read} records are dirty, ${((100 * dirty) / read).toFixed(2)} %, and ${100 * maxDirtyShare} % are allowed (job.setting.errorLimit)`,
  );
}

function addUp(all: readonly TaskCounters[]): TaskCounters {
  const sum = zeroCounters();
  for (const one of all) for (const key of Object.keys(sum) as (keyof TaskCounters)[]) sum[key] += one[key];
  return sum;
}
