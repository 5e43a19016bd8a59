import { randomBytes } from 'node:crypto';
import type { Job } from '../job/load-job.ts';
import { type ContentReport, type RunReport, round, sumOf, type TaskReport, tallyOf } from '../report/report.ts';
import { asDrayError, DrayError, type PluginContext } from '../sdk/index.ts';
import { type DirtyRecord, type Executor, type TaskCounters, zeroCounters } from '../task/spec.ts';
import { defaultChannels, sharedLimits, taskSpecs } from './limits.ts';
import { closePlan, openPlan, type Plan, prepareTarget } from './plan.ts';

/** What a run tells whoever watches it. */
export interface RunListener {
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
export async function runJob(job: Job, options: RunOptions): Promise<RunReport> {
  const run = newRunId();
  const startedAt = performance.now();
  const channels = options.channels ?? job.channels ?? defaultChannels();
  const stop = new AbortController();
  const onCancel = () => stop.abort(options.signal.reason);
  options.signal.addEventListener('abort', onCancel, { once: true });
  if (options.signal.aborted) onCancel();
  const { listener } = options;
  const context: PluginContext = { run, warn: listener.warn, print: listener.print, signal: stop.signal };
  const tasks: TaskReport[] = [];
  const contents: ContentReport[] = [];
  const limits = sharedLimits(job);
  let failure: DrayError | undefined;
  const plans: Plan[] = [];
  try {
    // All sources are looked at before anything is changed anywhere.
    for (const content of job.contents) plans.push(await openPlan(content, channels, context));
    for (const [index, plan] of plans.entries()) {
      await runContent(index, plan);
    }
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
  } finally {
    options.signal.removeEventListener('abort', onCancel);
    await Promise.all(plans.map(closePlan));
  }
  const total = sumOf(tasks);
  const seconds = (performance.now() - startedAt) / 1000;
  const { stack: _, ...error } = failure?.toWire() ?? {};
  return {
    run,
    job: job.name,
    state: failure === undefined ? 'done' : failure.code === 'CANCELLED' ? 'cancelled' : 'failed',
    ...total,
    seconds: round(seconds),
    rowsPerSecond: Math.round(total.rows.written / seconds),
    guarantee: 'at-least-once',
    channels,
    contents: job.contents.map((content, index) => contents[index] ?? notStarted(content)),
    tasks,
    ...(failure === undefined ? {} : { error: error as Omit<ReturnType<DrayError['toWire']>, 'stack'> }),
  };

  async function runContent(index: number, plan: Plan): Promise<void> {
    const names = { reader: plan.content.reader.plugin.name, writer: plan.content.writer.plugin.name };
    const firstTask = tasks.length;
    let isDone = false;
    try {
      stop.signal.throwIfAborted();
      const target = await prepareTarget(plan, stop.signal);
      const specs = taskSpecs(job, { run, content: index, firstTask, plan, target, limits });
      listener.contentStarts(index, { ...names, tasks: specs.length, estimatedRows: plan.estimatedRows });
      const live = specs.map(zeroCounters);
      const executor = options.executor(specs.length, channels);
      const outcomes = await runAll(
        specs,
        Math.min(channels, specs.length),
        async (spec, slot) => {
          const taskStart = performance.now();
          const outcome = await executor.run(
            spec,
            {
              ...listener,
              progress: (counters) => {
                live[slot] = counters;
                listener.progress(index, addUp(live));
              },
            },
            stop.signal,
          );
          tasks[firstTask + slot] = {
            id: spec.id,
            content: index,
            split: spec.split.name,
            state: outcome.state,
            seconds: round((performance.now() - taskStart) / 1000),
            ...tallyOf(outcome.counters, outcome.state === 'done'),
          };
          if (outcome.state === 'failed' && !stop.signal.aborted) stop.abort(DrayError.fromWire(outcome.error));
          return outcome;
        },
        stop.signal,
      ).finally(() => executor.close());
      specs.forEach((spec, slot) => {
        tasks[firstTask + slot] ??= {
          id: spec.id,
          content: index,
          split: spec.split.name,
          state: 'not started',
          seconds: 0,
          ...tallyOf(zeroCounters(), false),
        };
      });
      stop.signal.throwIfAborted();
      checkDirtyShare(job, sumOf(tasks.slice(firstTask)).rows);
      await plan.writer.publish?.(outcomes.map((outcome) => (outcome.state === 'done' ? outcome.commit : null))).catch((error: unknown) => {
        throw asDrayError(error, { side: 'target' });
      });
      isDone = true;
    } catch (error) {
      await plan.writer.discard?.().catch((fault: unknown) => {
        listener.warn(`what the failed job left at the target could not all be removed: ${asDrayError(fault).message}`);
      });
      throw error;
    } finally {
      contents[index] = {
        ...names,
        state: isDone ? 'done' : 'failed',
        tasks: tasks.length - firstTask,
        ...sumOf(tasks.slice(firstTask)),
      };
      listener.contentEnds(index);
    }
  }
}

function notStarted({ reader, writer }: Job['contents'][number]): ContentReport {
  return { reader: reader.plugin.name, writer: writer.plugin.name, state: 'not started', tasks: 0, ...sumOf([]) };
}

/** Runs `work` over all items, `width` at a time, in order; starts no more once the signal has fired. Returns what has ended. */
async function runAll<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
  signal: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && !signal.aborted) {
      const index = next++;
      results[index] = await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

function checkDirtyShare({ maxDirtyShare }: Job, { read, dirty }: RunReport['rows']): void {
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
