import type { Job } from '../job/load-job.ts';
import { taskOf } from '../ledger/events.ts';
import { quarantineCells, quarantineSchema } from '../ledger/quarantine.ts';
import type { ContentState, TaskState } from '../ledger/run-state.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { type ContentReport, type RowCounts, sumOf, type TaskReport } from '../report/report.ts';
import { asDrayError, DrayError, type Guarantee, type Json, type PluginContext, type WriteIntent } from '../sdk/index.ts';
import type { Executor, TaskCounters, TaskSpec, TaskTally } from '../task/spec.ts';
import type { Budgets, Stay } from './budgets.ts';
import { guaranteeOf } from './guarantee.ts';
import { type SharedLimits, taskSpecs } from './limits.ts';
import type { Machine } from './machine.ts';
import { moveRows } from './move-rows.ts';
import { Pace } from './pace.ts';
import { closeReader, type OpenPlan, prepareTarget, verifySource } from './plan.ts';
import { resumedTarget } from './resumed-plan.ts';
import type { RunHandle } from './run-handle.ts';
import type { RunListener } from './run-job.ts';
import { type EarlierTask, TaskRunner } from './run-tasks.ts';
import type { Schedule, ScheduledContent } from './schedule.ts';
import { ContentSnapshot } from './snapshot.ts';

/** What a content needs to know of the run it is part of. */
export interface ContentContext {
  readonly job: Job;
  readonly ledger: RunLedger;
  readonly plugins: PluginContext;
  /** Number of the content, from 0. */
  readonly content: number;
  /** Number of its first task. */
  readonly firstTask: number;
  readonly limits: SharedLimits;
  readonly executor: (tasks: number, channels: number) => Executor;
  readonly schedule: Schedule;
  readonly budgets: Budgets;
  readonly machine: Pick<Machine, 'remark'> | undefined;
  readonly handle: RunHandle;
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
  const run = new ContentRun(plan, context);
  let failure: DrayError | undefined;
  try {
    await run.toEnd();
  } catch (error) {
    failure = asDrayError(stop.signal.aborted ? stop.signal.reason : error);
    await run.undo(failure);
  }
  listener.contentEnds(content);
  return { report: run.report(failure === undefined ? 'done' : 'failed'), tasks: run.tasks, failure };
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

/** Numbers of the tasks that fill the writer of the quarantine, behind those of the run and of replays. */
const quarantineTask = 2_000_000;

class ContentRun {
  readonly #plan: OpenPlan;
  readonly #context: ContentContext;
  readonly #earlier: ContentState | undefined;
  #guarantee: Guarantee | undefined;
  #tasks: TaskRunner | undefined;
  #snapshot: ContentSnapshot | undefined;
  #scheduled: ScheduledContent | undefined;
  #pace: Pace | undefined;
  #stay: Stay | undefined;
  #missed: ContentReport['missed'];

  constructor(plan: OpenPlan, context: ContentContext) {
    this.#plan = plan;
    this.#context = context;
    this.#earlier = plan.resumed === undefined ? undefined : context.ledger.earlier?.contents.get(context.content);
  }

  get tasks(): readonly TaskReport[] {
    return this.#tasks?.results.reports ?? [];
  }

  async toEnd(): Promise<void> {
    const { stop, content, schedule, budgets, job, listener } = this.#context;
    const plan = this.#plan;
    stop.signal.throwIfAborted();
    const stay = budgets.join(plan, job, listener.decided);
    this.#stay = stay;
    const { resources, bounds } = stay;
    const facts = { content, taskIds: this.#taskIds, resources, bounds, isCommitted: (task: number) => this.#isCommitted(task) };
    const scheduled = await schedule.content(plan, facts);
    this.#scheduled = scheduled;
    try {
      // Nothing is touched, nor a connection held by a snapshot, before a task can start.
      await scheduled.turns?.first(stop.signal);
      await this.#move(scheduled);
    } finally {
      scheduled.turns?.close();
      await stay.leave();
    }
  }

  get #taskIds(): number[] {
    const { splits, resumed } = this.#plan;
    const numbered = resumed ?? { splits, firstTask: this.#context.firstTask };
    return splits.map((_, place) => taskOf(numbered, place));
  }

  #isCommitted(task: number): boolean {
    return this.#context.ledger.earlier?.tasks.get(task)?.committed !== undefined;
  }

  async #move(scheduled: ScheduledContent): Promise<void> {
    const { stop, ledger, content } = this.#context;
    const plan = this.#plan;
    await verifySource(plan, stop.signal);
    const guarantee = await this.#promised();
    const intent: WriteIntent = { guarantee, mode: this.#earlier?.target === undefined ? 'run' : 'resume' };
    if (plan.resumed === undefined) {
      // An earlier process of the run may have made the target ready, and have written nothing that counts.
      if (ledger.epoch > 1) await plan.writer.discard?.();
      const { source, splits } = plan;
      ledger.note({ type: 'planned', content, ...this.#names, source, splits, firstTask: this.#context.firstTask, guarantee });
    }
    const before = this.#earlier?.target;
    const target =
      before === undefined ? await prepareTarget(plan, intent, stop.signal) : await resumedTarget(plan, before, intent, stop.signal);
    await ledger.append({ type: 'prepared', content, target });
    const specs = taskSpecs(this.#context.job, {
      ...this.#context,
      channels: scheduled.width,
      taskIds: this.#taskIds,
      flows: this.#stay?.flows ?? [],
      plan,
      target,
      guarantee,
      run: ledger.run,
    });
    await this.#runTasks(specs, scheduled);
    stop.signal.throwIfAborted();
    const { commits, setAside } = this.#tasks!.results;
    if (setAside[0] !== undefined) throw setAside[0];
    checkDirtyShare(this.#context.job, sumOf(this.tasks).rows);
    await this.#quarantine();
    await ledger.checkOwned();
    // A snapshot that is still held, in the same database, would not see the exchanged table, and makes the writer wait for its end.
    await this.#stay?.leave();
    await closeReader(plan);
    await ledger.append({ type: 'published', content, published: await publish(plan, commits, intent) });
    this.#missed = this.#pace?.missedBy();
    await this.#learn();
  }

  /** What is promised of the rows: what an earlier process of the run has promised, or what the target can do. */
  async #promised(): Promise<Guarantee> {
    const { job, listener } = this.#context;
    const facts = { name: this.#names.writer, warn: listener.warn };
    const guarantee = this.#earlier?.plan?.guarantee ?? (await guaranteeOf(job.guarantee, this.#plan.writer, facts));
    this.#guarantee = guarantee;
    return guarantee;
  }

  async #runTasks(specs: readonly TaskSpec[], { turns, width, isFixed }: ScheduledContent): Promise<void> {
    const { job, stop, listener, ledger, content, plugins, handle } = this.#context;
    const earlier = earlierTasks(specs, ledger.earlier?.tasks);
    tellInDoubt(specs, ledger.earlier?.tasks, this.#guarantee!, listener.warn);
    const executor = this.#context.executor(specs.length, width);
    const { maxAttempts, maxRetryWaitMs } = job;
    const { estimatedRows } = this.#plan;
    const snapshot = new ContentSnapshot(this.#plan, {
      wanted: job.snapshot,
      executor,
      width,
      context: plugins,
      splits: specs.filter(({ id }) => !earlier.has(id)).map(({ split }) => split),
      isContinued: earlier.size > 0,
      maxAttempts,
      maxRetryWaitMs,
      onTaken: (position) => ledger.note({ type: 'snapshot', content, ...(position === undefined ? {} : { position }) }),
    });
    this.#snapshot = snapshot;
    const tasks = new TaskRunner(specs, earlier, executor, {
      ledger,
      maxAttempts,
      maxRetryWaitMs,
      stop,
      listener,
      progress: (sum) => {
        if (isHopeless(job, sum, estimatedRows)) stop.abort(dirtyShareError(job, sum.rowsDirty, sum.rowsRead));
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
    this.#tasks = tasks;
    const pace = new Pace(job, {
      estimatedRows,
      width,
      widen: isFixed ? undefined : (wanted) => tasks.setWidth(wanted),
      decided: listener.decided,
    });
    this.#pace = pace;
    listener.contentStarts(content, { ...this.#names, tasks: specs.length, estimatedRows });
    try {
      if (turns !== undefined) await snapshot.take();
      if (earlier.size > 0 && earlier.size < specs.length && snapshot.report !== undefined)
        listener.warn(`${earlier.size} of ${specs.length} tasks were committed before; the others read at a new point in time`);
      handle.estimatedRows = estimatedRows;
      handle.tasks += specs.length;
      handle.runs((wanted) => tasks.setWidth(wanted));
      if (turns !== undefined) await tasks.run(turns);
    } finally {
      await executor.close();
      await snapshot.close();
    }
  }

  /** Gives the dirty records to the writer that the job names for them. */
  async #quarantine(): Promise<void> {
    const { job, content, ledger, plugins } = this.#context;
    if (job.quarantineWriter === undefined) return;
    const { winners } = this.#tasks!.results;
    const rows = (await ledger.quarantine.rows()).filter((row) => row.content === content && winners.get(row.task) === row.attempt);
    if (rows.length === 0) return;
    const { refused } = await moveRows({
      rows: rows.map((row) => quarantineCells(ledger.run, row)),
      schema: quarantineSchema,
      writer: job.quarantineWriter,
      task: quarantineTask + content,
      attempt: ledger.epoch,
      guarantee: 'at-least-once',
      mode: 'replay',
      context: plugins,
    });
    if (refused[0] === undefined) return;
    throw new DrayError('ROW_REJECTED', `the quarantine of the job refuses a dirty record: ${refused[0].cause}`, { side: 'target' });
  }

  #remark(): string | undefined {
    const { machine, handle } = this.#context;
    // Fewer slots are no news to a content whose tasks all have one.
    const remarks = [this.#pace?.remark, this.#stay?.remark(), handle.slots.waiting > 0 ? machine?.remark : undefined];
    return remarks.filter((one) => one !== undefined).join('; ') || undefined;
  }

  /** What this run has shown of the speed between these systems. */
  async #learn(): Promise<void> {
    const done = this.tasks.filter(({ state, isFromEarlierProcess }) => state === 'done' && isFromEarlierProcess !== true);
    const seconds = done.reduce((sum, task) => sum + task.seconds, 0);
    const bytes = sumOf(done).bytes.read;
    const { bytesPerSecond, recordsPerSecond } = this.#context.job;
    // Threads have to start, and connections; and a limit says nothing of what the systems can do.
    if (seconds < minLearnedSeconds || bytes === 0 || bytesPerSecond > 0 || recordsPerSecond > 0) return;
    await this.#context.ledger.speeds.learn(this.#context.schedule.pairOf(this.#plan), bytes / seconds);
  }

  /** Removes what is unfinished at the target; but not what `dray resume` can go on with. */
  async undo(failure: DrayError): Promise<void> {
    const { ledger, listener, content } = this.#context;
    // A process that was asleep may fail by anything: what is there belongs to the one that goes on.
    if (isWorthResuming(failure, this.tasks) || !(await ledger.isOwned())) return;
    try {
      await this.#plan.writer.discard?.();
      await ledger.append({ type: 'discarded', content });
    } catch (fault) {
      listener.warn(`what the failed job left at the target could not all be removed: ${asDrayError(fault).message}`);
    }
  }

  report(state: 'done' | 'failed'): ContentReport {
    const guarantee = this.#guarantee === undefined ? {} : { guarantee: this.#guarantee };
    const points = this.#earlier?.snapshots ?? 0;
    const read = this.#snapshot?.report;
    const snapshot = read === undefined ? {} : { snapshot: { ...read, points: read.points + points } };
    const missed = this.#missed === undefined ? {} : { missed: this.#missed };
    const { width, why } = this.#scheduled ?? {};
    const schedule = width === undefined ? {} : { channels: width, channelsWhy: why! };
    return { ...this.#names, state, tasks: this.tasks.length, ...schedule, ...sumOf(this.tasks), ...guarantee, ...snapshot, ...missed };
  }

  get #names() {
    const { reader, writer } = this.#plan.content;
    return { reader: reader.plugin.name, writer: writer.plugin.name };
  }
}

/** Tasks that an earlier process of the run has committed. */
function earlierTasks(specs: readonly TaskSpec[], states: ReadonlyMap<number, TaskState> | undefined): Map<number, EarlierTask> {
  const earlier = new Map<number, EarlierTask>();
  for (const { id } of specs) {
    const committed = states?.get(id)?.committed;
    if (committed === undefined) continue;
    const { attempt, ...counters } = committed.tally as unknown as TaskTally;
    earlier.set(id, { counters, attempt, commit: committed.commit });
  }
  return earlier;
}

/** Under `at-least-once` only the user can tell whether this is bad. */
function tellInDoubt(
  specs: readonly TaskSpec[],
  states: ReadonlyMap<number, TaskState> | undefined,
  guarantee: Guarantee,
  warn: (message: string) => void,
): void {
  if (guarantee === 'exactly-once') return;
  const inDoubt = specs.filter(({ id }) => states?.get(id)?.isInDoubt);
  if (inDoubt.length === 0) return;
  const names = inDoubt.map(({ id, split }) => `${id} (${split.name})`).join(', ');
  warn(`the process died while these tasks committed, and their rows may be written twice (at-least-once): ${names}`);
}

async function publish({ writer }: OpenPlan, commits: readonly Json[], intent: WriteIntent): Promise<Json> {
  try {
    return (await writer.publish?.(commits, intent)) ?? null;
  } catch (error) {
    throw asDrayError(error, { side: 'target' });
  }
}

function checkDirtyShare(job: Job, { read, dirty }: RowCounts): void {
  if (job.maxDirtyShare === undefined || read === 0 || dirty / read <= job.maxDirtyShare) return;
  throw dirtyShareError(job, dirty, read);
}

/** True if the share would be too big even if there were twice the rows that are thought to come, all of them clean. */
function isHopeless({ maxDirtyShare }: Job, { rowsDirty, rowsRead }: TaskCounters, estimatedRows: number | undefined): boolean {
  if (maxDirtyShare === undefined || estimatedRows === undefined) return false;
  return rowsDirty > maxDirtyShare * Math.max(rowsRead, 2 * estimatedRows);
}

function dirtyShareError({ maxDirtyShare = 0 }: Job, dirty: number, read: number): DrayError {
  return new DrayError(
    'DIRTY_LIMIT',
    `${dirty} of ${read} records are dirty, ${((100 * dirty) / read).toFixed(2)} %, and ${100 * maxDirtyShare} % are allowed (job.setting.errorLimit)`,
  );
}
