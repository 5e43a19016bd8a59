import type { Job } from '../job/load-job.ts';
import { taskOf } from '../ledger/events.ts';
import { quarantineCells, quarantineSchema } from '../ledger/quarantine.ts';
import type { ContentState, TaskState } from '../ledger/run-state.ts';
import { type ContentReport, reportedError, sumOf, type TargetReport, type TaskReport } from '../report/report.ts';
import { asDrayError, DrayError, type Guarantee, type Json, type Split, type WriteIntent } from '../sdk/index.ts';
import type { TaskCounters, TaskSpec, TaskTally } from '../task/spec.ts';
import { guaranteeOf } from './guarantee.ts';
import { dirtyBefore, type SharedLimits, targetLimits, taskSpecs } from './limits.ts';
import { moveRows } from './move-rows.ts';
import { type OpenPlan, prepareTarget } from './plan.ts';
import { resumedTarget } from './resumed-plan.ts';
import type { ContentContext } from './run-content.ts';
import { type EarlierTask, isOfRun, TargetTasks } from './target-tasks.ts';

/** A target of a content, and its numbers in the run. */
export interface PlannedTarget {
  readonly plan: OpenPlan;
  /** Number under which the journal knows it, from 0: each target is a content there. */
  readonly content: number;
  /** Number of its first task. */
  readonly firstTask: number;
}

/** Numbers of the tasks that fill the writer of the quarantine, behind those of the run and of replays. */
const quarantineTask = 2_000_000;

/** One target of a content on its way: what is promised and written there, and what becomes of it at the end. */
export class ContentTarget {
  readonly plan: OpenPlan;
  readonly #content: number;
  readonly #firstTask: number;
  readonly #context: ContentContext;
  readonly #earlier: ContentState | undefined;
  readonly #limits: SharedLimits;
  #guarantee: Guarantee | undefined;
  #intent: WriteIntent | undefined;
  #tasks: TargetTasks | undefined;
  /** Of preparing it, or behind its tasks. */
  #failure: DrayError | undefined;
  #isPublished = false;
  #isKept = false;
  #isDiscarded = false;

  constructor({ plan, content, firstTask }: PlannedTarget, context: ContentContext) {
    this.plan = plan;
    this.#content = content;
    this.#firstTask = firstTask;
    this.#context = context;
    const { ledger, limits } = context;
    this.#earlier = plan.resumed === undefined ? undefined : ledger.earlier?.contents.get(content);
    this.#limits = plan.content.fanOut === undefined ? limits : targetLimits(limits, dirtyBefore(ledger, [content]));
  }

  get content(): number {
    return this.#content;
  }

  get taskIds(): number[] {
    const { splits, resumed } = this.plan;
    const numbered = resumed ?? { splits, firstTask: this.#firstTask };
    return splits.map((_, place) => taskOf(numbered, place));
  }

  /** Once they run. */
  get tasks(): TargetTasks | undefined {
    return this.#tasks;
  }

  get reports(): readonly TaskReport[] {
    return this.#tasks?.results.reports ?? [];
  }

  /** Why it was left out, or has failed at its end. */
  get failure(): DrayError | undefined {
    return this.#failure ?? this.#tasks?.failure;
  }

  get isPublished(): boolean {
    return this.#isPublished;
  }

  /** What it has committed is there for `dray resume`. */
  get isKept(): boolean {
    return this.#isKept;
  }

  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }

  get writerName(): string {
    return this.plan.content.writer.plugin.name;
  }

  /** Whether an earlier process of the run has committed the task of this place. */
  isCommitted(place: number): boolean {
    return this.#context.ledger.earlier?.tasks.get(this.taskIds[place]!)?.committed !== undefined;
  }

  /** Decides what is promised, and writes its plan down, unless that stands there. */
  async begin(): Promise<void> {
    const { job, ledger, listener } = this.#context;
    const { content, writer, resumed, source, splits } = this.plan;
    const facts = { name: this.writerName, warn: listener.warn };
    const guarantee = this.#earlier?.plan?.guarantee ?? (await guaranteeOf((content.fanOut ?? job).guarantee, writer, facts));
    this.#guarantee = guarantee;
    this.#intent = { guarantee, mode: this.#earlier?.target === undefined ? 'run' : 'resume' };
    if (resumed !== undefined) return;
    // An earlier process of the run may have made the target ready, and have written nothing that counts.
    if (ledger.epoch > 1) await writer.discard?.();
    const names = { reader: content.reader.plugin.name, writer: this.writerName };
    ledger.note({ type: 'planned', content: this.#content, ...names, source, splits, firstTask: this.#firstTask, guarantee });
  }

  /** Makes the target ready for its tasks. @param width of them side by side; `flowsOf` is the shared memory of the limits of the servers of a split */
  async prepare(width: number, flowsOf: (split: Split) => readonly SharedArrayBuffer[]): Promise<void> {
    const { stop, ledger, job, listener } = this.#context;
    const intent = this.#intent!;
    const { plan } = this;
    const before = this.#earlier?.target;
    const target =
      before === undefined ? await prepareTarget(plan, intent, stop.signal) : await resumedTarget(plan, before, intent, stop.signal);
    await ledger.append({ type: 'prepared', content: this.#content, target });
    const { taskIds } = this;
    const numbers = { run: ledger.run, content: this.#content, taskIds };
    const { guarantee } = intent;
    const specs = taskSpecs(job, { ...numbers, flowsOf, channels: width, plan, target, guarantee, limits: this.#limits });
    const earlier = earlierTasks(specs, ledger.earlier?.tasks);
    tellInDoubt(specs, ledger.earlier?.tasks, guarantee, listener.warn);
    const { entry, fanOut } = plan.content;
    this.#tasks = new TargetTasks(specs, earlier, { ledger, stop, listener, entry, fanOut });
  }

  /** True if the share of dirty records would be too big even if there were twice the rows that are thought to come, all of them clean. */
  failIfHopeless({ rowsDirty, rowsRead }: TaskCounters): void {
    const { estimatedRows } = this.plan;
    const { maxDirtyShare } = this.#dirtyLimits;
    if (maxDirtyShare === undefined || estimatedRows === undefined || this.failure !== undefined) return;
    if (rowsDirty > maxDirtyShare * Math.max(rowsRead, 2 * estimatedRows))
      this.#tasks?.fail(dirtyShareError(maxDirtyShare, rowsDirty, rowsRead));
  }

  /** What stands against publishing, and what has to be done before. @throws DrayError */
  async finish(): Promise<void> {
    const [poison] = this.#tasks!.results.setAside;
    if (poison !== undefined) throw poison;
    const { maxDirtyShare } = this.#dirtyLimits;
    const { read, dirty } = sumOf(this.reports).rows;
    if (maxDirtyShare !== undefined && read > 0 && dirty / read > maxDirtyShare) throw dirtyShareError(maxDirtyShare, dirty, read);
    await this.#quarantine();
  }

  async publish(): Promise<void> {
    const { commits } = this.#tasks!.results;
    let published: Json;
    try {
      published = (await this.plan.writer.publish?.(commits, this.#intent!)) ?? null;
    } catch (error) {
      throw asDrayError(error, { side: 'target' });
    }
    await this.#context.ledger.append({ type: 'published', content: this.#content, published });
    this.#isPublished = true;
  }

  /** It fails alone, if it may: the others go on. @throws DrayError if it may not */
  leaveOut(error: unknown): void {
    const { stop, listener } = this.#context;
    const { fanOut } = this.plan.content;
    const fault = asDrayError(error);
    if (stop.signal.aborted || fanOut?.onFailure !== 'go-on' || isOfRun(fault)) throw error;
    this.#failure = fault;
    listener.warn(`target ${fanOut.target + 1} is left out, and the others go on: ${fault.message}`);
  }

  /** Removes what is unfinished; but not what is to be kept for `dray resume`. */
  async undo(isKept: boolean): Promise<void> {
    const { ledger, listener } = this.#context;
    this.#isKept = isKept;
    // A process that was asleep may fail by anything: what is there belongs to the one that goes on.
    if (isKept || !(await ledger.isOwned())) return;
    try {
      await this.plan.writer.discard?.();
      this.#isDiscarded = true;
      await ledger.append({ type: 'discarded', content: this.#content });
    } catch (fault) {
      listener.warn(`what the failed job left at the target could not all be removed: ${asDrayError(fault).message}`);
    }
  }

  /** @param failure of the whole content */
  report(failure: DrayError | undefined): ContentReport & Pick<TargetReport, 'error'> {
    const { reader, fanOut } = this.plan.content;
    const why = this.#isPublished ? undefined : (this.failure ?? failure);
    return {
      reader: reader.plugin.name,
      writer: this.writerName,
      state: why === undefined ? 'done' : 'failed',
      tasks: this.reports.length,
      ...sumOf(this.reports),
      ...(this.#guarantee === undefined ? {} : { guarantee: this.#guarantee }),
      ...(why === undefined || fanOut === undefined ? {} : { error: reportedError(why) }),
    };
  }

  get #dirtyLimits(): Pick<Job, 'maxDirtyShare'> {
    return this.plan.content.fanOut ?? this.#context.job;
  }

  /** Gives the dirty records to the writer that the job names for them. */
  async #quarantine(): Promise<void> {
    const { job, ledger, plugins } = this.#context;
    if (job.quarantineWriter === undefined) return;
    const { winners } = this.#tasks!.results;
    const isCounted = (row: { content: number; task: number; attempt: number }) =>
      row.content === this.#content && winners.get(row.task) === row.attempt;
    const rows = (await ledger.quarantine.rows()).filter(isCounted);
    if (rows.length === 0) return;
    const { refused } = await moveRows({
      rows: rows.map((row) => quarantineCells(ledger.run, row)),
      schema: quarantineSchema,
      writer: job.quarantineWriter,
      task: quarantineTask + this.#content,
      attempt: ledger.epoch,
      guarantee: 'at-least-once',
      mode: 'replay',
      context: plugins,
    });
    if (refused[0] === undefined) return;
    throw new DrayError('ROW_REJECTED', `the quarantine of the job refuses a dirty record: ${refused[0].cause}`, { side: 'target' });
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

function dirtyShareError(maxShare: number, dirty: number, read: number): DrayError {
  return new DrayError(
    'DIRTY_LIMIT',
    `${dirty} of ${read} records are dirty, ${((100 * dirty) / read).toFixed(2)} %, and ${100 * maxShare} % are allowed (job.setting.errorLimit)`,
  );
}
