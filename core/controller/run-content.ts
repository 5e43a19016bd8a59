import type { Job } from '../job/load-job.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { reportOfTargets } from '../report/fan-out.ts';
import { type ContentReport, sumOf, type TaskReport } from '../report/report.ts';
import { asDrayError, type DrayError, type PluginContext } from '../sdk/index.ts';
import { rowsLeftOut } from '../splitter/split-plan.ts';
import type { Executor, TaskCounters } from '../task/spec.ts';
import type { Budgets, Stay } from './budgets.ts';
import { ContentTarget, type PlannedTarget } from './content-target.ts';
import type { SharedLimits } from './limits.ts';
import type { Machine } from './machine.ts';
import { Pace } from './pace.ts';
import { closeReader, verifySource } from './plan.ts';
import type { RunHandle } from './run-handle.ts';
import type { RunListener } from './run-job.ts';
import { TaskRunner } from './run-tasks.ts';
import { pairOf, type Schedule, type ScheduledContent } from './schedule.ts';
import { ContentSnapshot } from './snapshot.ts';
import type { TargetTasks } from './target-tasks.ts';

/** What a content needs to know of the run it is part of. */
export interface ContentContext {
  readonly job: Job;
  readonly ledger: RunLedger;
  readonly plugins: PluginContext;
  readonly limits: SharedLimits;
  readonly executor: (tasks: number, channels: number) => Executor;
  readonly schedule: Schedule;
  readonly budgets: Budgets;
  readonly machine: Pick<Machine, 'remark'> | undefined;
  readonly handle: RunHandle;
  readonly listener: RunListener;
  /** Aborted by the user, and by the first task that fails. */
  readonly stop: AbortController;
  /** Nothing of the run has been given up so far: `dray resume` may go on with what is kept. */
  readonly mayResume: boolean;
}

export interface ContentResult {
  readonly report: ContentReport;
  readonly tasks: readonly TaskReport[];
  readonly failure: DrayError | undefined;
  /** The failure ends the run: nobody said that it may be left out. */
  readonly isOver: boolean;
  /** Something of it was given up, so that the run cannot be resumed; or is there for a process that resumes it. */
  readonly isDiscarded: boolean;
  readonly isKept: boolean;
}

/**
 * Moves one content: prepares the targets, runs the tasks, publishes; or discards what is unfinished. Never rejects.
 * @param planned its targets; those that an earlier process of the run has published are not among them
 */
export async function runContent(planned: readonly [PlannedTarget, ...PlannedTarget[]], context: ContentContext): Promise<ContentResult> {
  const { stop, listener } = context;
  const run = new ContentRun(planned, context);
  let failure: DrayError | undefined;
  try {
    await run.toEnd();
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
  }
  await run.undo(failure);
  listener.contentEnds(planned[0].content);
  return run.result(failure);
}

const passing: readonly string[] = ['CANCELLED', 'SNAPSHOT_LOST', 'POISON_TASK', 'COMMIT_UNKNOWN'];

/** Whether `dray resume` may well succeed where the run has failed, and has anything to gain: what is committed is then kept. */
export function isWorthResuming(failure: DrayError, tasks: readonly TaskReport[]): boolean {
  // The server goes on with it by itself, and a task in flight is as good as not begun.
  if (failure.code === 'SERVER_STOPPED') return true;
  return tasks.some(({ state }) => state === 'done') && (failure.isRetryable || passing.includes(failure.code));
}

/** Shorter work tells nothing of a speed. */
const minLearnedSeconds = 1;
/** What it took to move less says more of how a task begins and ends; no task that was cut for its bytes is smaller. */
const minLearnedBytes = 2 << 20;

class ContentRun {
  readonly #targets: readonly [ContentTarget, ...ContentTarget[]];
  readonly #context: ContentContext;
  #snapshot: ContentSnapshot | undefined;
  #scheduled: ScheduledContent | undefined;
  #pace: Pace | undefined;
  #stay: Stay | undefined;
  #missed: ContentReport['missed'];

  constructor([first, ...beside]: readonly [PlannedTarget, ...PlannedTarget[]], context: ContentContext) {
    this.#targets = [new ContentTarget(first, context), ...beside.map((one) => new ContentTarget(one, context))];
    this.#context = context;
  }

  /** Targets that have not been left out. */
  get #living(): ContentTarget[] {
    return this.#targets.filter(({ failure }) => failure === undefined);
  }

  get #plan() {
    return this.#targets[0].plan;
  }

  get #plans() {
    const [first, ...beside] = this.#targets;
    return [first.plan, ...beside.map(({ plan }) => plan)] as const;
  }

  async toEnd(): Promise<void> {
    const { stop, schedule, budgets, job, listener, handle } = this.#context;
    const [first] = this.#targets;
    stop.signal.throwIfAborted();
    const writers = this.#targets.map(({ plan }) => plan.writer);
    const stay = budgets.join(first.plan, writers, job, listener.decided);
    this.#stay = stay;
    handle.remarks = { remark: () => this.#remark(), fullBudget: () => stay.full() };
    const { resourcesOf, bounds } = stay;
    const places = new Map(first.taskIds.map((id, place) => [id, place]));
    const isCommitted = (task: number) => this.#targets.every((target) => target.isCommitted(places.get(task)!));
    const facts = { content: first.content, taskIds: first.taskIds, resourcesOf, bounds, isCommitted };
    const scheduled = await schedule.content(this.#plans, facts);
    this.#scheduled = scheduled;
    try {
      // Nothing is touched, nor a connection held by a snapshot, before a task can start.
      await scheduled.turns?.first(stop.signal);
      await this.#move(scheduled);
    } finally {
      handle.remarks = undefined;
      scheduled.turns?.close();
      await stay.leave();
    }
  }

  async #move(scheduled: ScheduledContent): Promise<void> {
    const { stop, ledger } = this.#context;
    await verifySource(this.#plan, stop.signal);
    await this.#each((target) => target.begin());
    await this.#each((target) => target.prepare(scheduled.width, this.#stay!.flowsOf));
    const tasks = this.#living.map((target) => target.tasks!);
    if (tasks.length > 0) await this.#runTasks(tasks, scheduled);
    stop.signal.throwIfAborted();
    await this.#each((target) => target.finish());
    await ledger.checkOwned();
    // A snapshot that is still held, in the same database, would not see the exchanged table, and makes the writer wait for its end.
    await this.#stay?.leave();
    await closeReader(this.#plan);
    await this.#each((target) => target.publish());
    this.#missed = this.#pace?.missedBy();
    if (this.#living.length === this.#targets.length) await this.#learn();
  }

  /** One target after the other. One that fails is left out, where that is allowed. */
  async #each(step: (target: ContentTarget) => Promise<void>): Promise<void> {
    for (const target of this.#living) {
      try {
        await step(target);
      } catch (error) {
        target.leaveOut(error);
      }
    }
  }

  async #runTasks(targets: readonly TargetTasks[], { turns, width, isFixed }: ScheduledContent): Promise<void> {
    const { job, stop, listener, ledger, plugins, handle } = this.#context;
    const [{ specs }] = targets as [TargetTasks];
    const isDone = (place: number) => targets.every(({ specs: own, results }) => results.winners.has(own[place]!.id));
    const missing = specs.filter((_, place) => !isDone(place));
    const earlier = specs.length - missing.length;
    const executor = this.#context.executor(specs.length, width);
    const { maxAttempts, maxRetryWaitMs } = job;
    const { estimatedRows } = this.#plan;
    const snapshot = new ContentSnapshot(this.#plan, {
      wanted: job.snapshot,
      executor,
      width,
      context: plugins,
      splits: missing.map(({ split }) => split),
      isContinued: targets.some(({ results }) => results.winners.size > 0),
      maxAttempts,
      maxRetryWaitMs,
      onTaken: (position) => {
        for (const { content } of this.#targets)
          ledger.note({ type: 'snapshot', content, ...(position === undefined ? {} : { position }) });
      },
    });
    this.#snapshot = snapshot;
    const [{ content }] = this.#targets;
    const tasks = new TaskRunner(this.#targets[0].taskIds, targets, executor, {
      ledger,
      maxAttempts,
      maxRetryWaitMs,
      stop,
      listener,
      moved: () => {
        for (const target of this.#living) target.failIfHopeless(target.tasks!.counters);
        const sum = slowestOf(targets);
        handle.counters = sum;
        pace.update(sum.rowsRead);
        listener.progress(content, sum, this.#remark());
      },
      stay: this.#stay!,
      width,
      content,
      maxLanes: () => snapshot.maxLanes,
      joinLate: (lane) => snapshot.joinLate(lane),
      renewSnapshot: () => snapshot.renew(),
    });
    const pace = new Pace(job, {
      estimatedRows,
      width,
      widen: isFixed ? undefined : (wanted) => tasks.setWidth(wanted),
      decided: listener.decided,
    });
    this.#pace = pace;
    const writer = this.#targets.map(({ writerName }) => writerName).join(' + ');
    listener.contentStarts(content, { reader: this.#plan.content.reader.plugin.name, writer, tasks: specs.length, estimatedRows });
    try {
      if (turns !== undefined) await snapshot.take();
      if (earlier > 0 && missing.length > 0 && snapshot.report !== undefined)
        listener.warn(`${earlier} of ${specs.length} tasks were committed before; the others read at a new point in time`);
      handle.estimatedRows = estimatedRows;
      handle.tasks += specs.length;
      handle.runs((wanted) => tasks.setWidth(wanted));
      if (turns !== undefined) await tasks.run(turns);
    } finally {
      await executor.close();
      await snapshot.close();
    }
  }

  #remark(): string | undefined {
    const { machine, handle } = this.#context;
    // Fewer slots are no news to a content whose tasks all have one.
    const remarks = [this.#pace?.remark, this.#stay?.remark(), handle.slots.waiting > 0 ? machine?.remark : undefined];
    return remarks.filter((one) => one !== undefined).join('; ') || undefined;
  }

  /** What this run has shown of the speed between these systems. */
  async #learn(): Promise<void> {
    const done = this.#targets[0].reports.filter(
      ({ state, isFromEarlierProcess, bytes }) => state === 'done' && isFromEarlierProcess !== true && bytes.read >= minLearnedBytes,
    );
    const seconds = done.reduce((sum, task) => sum + task.seconds, 0);
    const bytes = sumOf(done).bytes.read;
    const { bytesPerSecond, recordsPerSecond } = this.#context.job;
    // Threads have to start, and connections; and a limit says nothing of what the systems can do.
    if (seconds < minLearnedSeconds || bytes === 0 || bytesPerSecond > 0 || recordsPerSecond > 0) return;
    await this.#context.ledger.speeds.learn(pairOf(this.#plans.map(({ content }) => content)), bytes / seconds);
  }

  /**
   * Removes what is unfinished at the targets; but not what `dray resume` can go on with. That is possible only where nothing is given up: a target that was left
   * out is kept as long as the others are not all published; and where one is published, the others are only a step away.
   */
  async undo(failure: DrayError | undefined): Promise<void> {
    const { mayResume } = this.#context;
    const isPublished = this.#targets.some((target) => target.isPublished);
    const all = this.#targets.flatMap(({ reports }) => reports);
    for (const target of this.#targets) {
      const why = target.failure ?? failure;
      if (target.isPublished || why === undefined) continue;
      const isComplete = target.reports.length > 0 && target.reports.every(({ state }) => state === 'done');
      const tasks = failure === undefined ? target.reports : all;
      await target.undo(mayResume && (isWorthResuming(failure ?? why, tasks) || (isPublished && isComplete)));
    }
  }

  result(failure: DrayError | undefined): ContentResult {
    const reports = this.#targets.map((target) => target.report(failure));
    const tasks = this.#targets.map((target) => target.reports);
    const [{ content, plan }] = this.#targets;
    const points = plan.resumed === undefined ? 0 : (this.#context.ledger.earlier?.contents.get(content)?.snapshots ?? 0);
    const read = this.#snapshot?.report;
    const { width, why } = this.#scheduled ?? {};
    const leftOut = rowsLeftOut(plan.splits);
    const common = {
      ...(width === undefined ? {} : { channels: width, channelsWhy: why! }),
      ...(read === undefined ? {} : { snapshot: { ...read, points: read.points + points } }),
      ...(leftOut === 0 ? {} : { leftOut }),
      ...(this.#missed === undefined ? {} : { missed: this.#missed }),
    };
    return {
      report: plan.content.fanOut === undefined ? { ...reports[0]!, ...common } : { ...reportOfTargets(reports, tasks), ...common },
      tasks: tasks.flat(),
      failure: failure ?? this.#targets.find((target) => target.failure !== undefined)?.failure,
      isOver: failure !== undefined,
      isDiscarded: this.#targets.some((target) => target.isDiscarded),
      isKept: this.#targets.some((target) => target.isKept),
    };
  }
}

/** How far the target is that has got fewest rows. */
function slowestOf(targets: readonly TargetTasks[]): TaskCounters {
  const living = targets.filter(({ failure }) => failure === undefined);
  const settled = ({ rowsWritten, rowsFiltered, rowsDirty }: TaskCounters) => rowsWritten + rowsFiltered + rowsDirty;
  const sums = (living.length === 0 ? targets : living).map(({ counters }) => counters);
  return sums.reduce((slowest, one) => (settled(one) < settled(slowest) ? one : slowest));
}
