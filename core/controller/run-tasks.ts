import { cutSplit } from '../ledger/run-state.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { DrayError, type ErrorWire } from '../sdk/index.ts';
import { type Executor, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import { waitBefore } from './backoff.ts';
import type { Stay } from './budgets.ts';
import type { RunListener } from './run-job.ts';
import { startWords } from './start-words.ts';
import type { TargetTask, TargetTasks } from './target-tasks.ts';
import type { CutRequest, Turn, Turns } from './turns.ts';

/** A task whose thread died so often is not started again: it would only kill more. */
const maxDeaths = 3;

/** What running tasks needs of the content they belong to. */
export interface TasksContext {
  readonly ledger: RunLedger;
  readonly maxAttempts: number;
  readonly maxRetryWaitMs: number;
  readonly stop: AbortController;
  /** A task has moved. */
  readonly moved: () => void;
  readonly listener: Pick<RunListener, 'decided' | 'warn'>;
  readonly stay: Pick<Stay, 'taskStarted'>;
  readonly content: number;
  /** Tasks side by side at first. */
  readonly width: number;
  /** Lanes that may read in the snapshot. */
  readonly maxLanes: () => number;
  /** Has a lane join the snapshot that was not there when it was taken. */
  readonly joinLate: (lane: number) => Promise<ErrorWire | undefined>;
  /** All lanes have lost their snapshot, and tasks are left. Resolves when they have joined a new one; rejects if there must not be one. */
  readonly renewSnapshot: () => Promise<void>;
}

/** A task on its way. */
interface Underway {
  /** Its number at the scheduler: that of its first target. */
  readonly id: number;
  /** By target. */
  readonly branches: readonly TargetTask[];
  /** Where it runs. */
  lane?: number | undefined;
  /** That a part of it was given away is being written down: before that it must not commit. */
  cut?: Promise<void> | undefined;
  /** Its place in the reports. */
  readonly place: number;
  deaths: number;
}

/** A target that a task has failed at. */
interface Failed {
  readonly target: TargetTasks;
  readonly branch: TargetTask;
  readonly error: DrayError;
}

/**
 * Runs all tasks of a content on the lanes of an executor. A task that fails by something that can pass is started again after a pause; anything else stops the run
 * (`stop`), but for a task that kills its threads: that one is set aside; and for a target that may be left out. A task with several targets reads once for all
 * of them, and is done when each has committed; only those that have not are started again.
 */
export class TaskRunner {
  readonly #executor: Executor;
  readonly #context: TasksContext;
  readonly #tasks: Map<number, Underway>;
  readonly #targets: readonly TargetTasks[];
  readonly #running = new Set<Promise<void>>();
  /** Lanes that run nothing. */
  #idle: number[] = [];
  /** Lanes that run tasks, or would; fewer once one has lost its snapshot. */
  #lanes = 0;
  /** Lanes that have been used, or have at least been joined to the snapshot. */
  #opened = 0;
  #unsettled: number;
  #turns: Turns | undefined;

  /** @param taskIds by place, as the scheduler knows the tasks */
  constructor(taskIds: readonly number[], targets: readonly TargetTasks[], executor: Executor, context: TasksContext) {
    this.#targets = targets;
    this.#executor = executor;
    this.#context = context;
    const open = taskIds.flatMap((id, place): [number, Underway][] => {
      const branches = targets.map((target) => target.taskAt(place));
      return branches.every(({ isDone }) => isDone) ? [] : [[id, { id, branches, place, deaths: 0 }]];
    });
    this.#tasks = new Map(open);
    this.#unsettled = open.length;
  }

  /** Resolves when every task is done or set aside, or `stop` has fired and none runs any more. */
  async run(turns: Turns): Promise<void> {
    const { stop } = this.#context;
    this.#turns = turns;
    turns.onCut = (request) => void this.#cutLongest(request);
    const onStop = () => turns.close();
    stop.signal.addEventListener('abort', onStop, { once: true });
    if (stop.signal.aborted || this.#unsettled === 0) turns.close();
    this.#takeLanes();
    try {
      for (let turn = await turns.next(); turn !== undefined; turn = await turns.next()) {
        const running = this.#run(turn).catch((error: unknown) => stop.abort(error));
        this.#running.add(running);
        void running.finally(() => this.#running.delete(running));
      }
      await Promise.all(this.#running);
    } finally {
      stop.signal.removeEventListener('abort', onStop);
    }
  }

  /**
   * Changes how many tasks run side by side. Tasks that run above a smaller number go on to their end.
   * @returns how many it will be: no more than there are lanes, and tasks, and readers that the snapshot lets in
   */
  setWidth(wanted: number): number {
    const width = Math.max(1, Math.min(wanted, this.#executor.lanes, this.#context.maxLanes()));
    for (; this.#opened < width; this.#opened++, this.#lanes++) this.#idle.unshift(this.#opened);
    this.#turns?.setWidth(Math.min(width, this.#lanes));
    return Math.min(width, this.#lanes);
  }

  #takeLanes(): void {
    this.#lanes = this.#context.width;
    this.#opened = this.#lanes;
    this.#idle = Array.from({ length: this.#lanes }, (_, index) => this.#lanes - 1 - index);
    this.#turns?.setWidth(this.#lanes);
  }

  async #run({ task, why }: Turn): Promise<void> {
    const { stop, maxAttempts } = this.#context;
    const turns = this.#turns!;
    const job = this.#tasks.get(task);
    // Targets may have been left out since it was submitted.
    if (job === undefined) return turns.ended(task);
    if (this.#openBranches(job).length === 0) return this.#settle(task);
    const lane = this.#idle.pop()!;
    job.lane = lane;
    const failed = await this.#attempt(lane, job, why);
    job.lane = undefined;
    if (failed.length === 0 || stop.signal.aborted) {
      this.#idle.push(lane);
      this.#settle(task);
    } else if (failed.some(({ error }) => error.code === 'SNAPSHOT_LOST') && failuresOf(failed[0]!) < maxAttempts) {
      // Lanes that still have it run the rest.
      turns.setWidth(--this.#lanes);
      turns.again(task, 0);
      if (this.#lanes === 0) await this.#renew();
    } else {
      this.#idle.push(lane);
      if (failed.every(wasStraight)) this.#goCarefully(task, failed[0]!.error);
      else this.#failed(job, failed);
    }
  }

  /** A table with one row that is refused has more of them. */
  #goCarefully(task: number, { message }: DrayError): void {
    this.#context.listener.decided(`task ${task} starts again, and all go batch by batch from now on: ${message}`);
    for (const { branches } of this.#tasks.values())
      for (const branch of branches) branch.spec = { ...branch.spec, isStraight: false, agreed: undefined };
    this.#turns!.again(task, 0);
  }

  /** Targets that a task has still to be brought to. */
  #openBranches({ branches }: Underway): { target: TargetTasks; branch: TargetTask }[] {
    return branches
      .map((branch, index) => ({ target: this.#targets[index]!, branch }))
      .filter(({ target, branch }) => !branch.isDone && target.failure === undefined);
  }

  async #renew(): Promise<void> {
    try {
      await this.#context.renewSnapshot();
      this.#takeLanes();
    } catch (error) {
      this.#context.stop.abort(error);
    }
  }

  /** An idle slot asks for work: the task with most rows left gives away half of the parts it has not begun. */
  async #cutLongest(request: CutRequest): Promise<void> {
    const [longest] = [...this.#tasks.values()]
      .filter(({ id, lane, branches, cut }) => request.isFor(id) && lane !== undefined && cut === undefined && canBeCut(branches))
      .sort((a, b) => this.#rowsLeft(b) - this.#rowsLeft(a));
    const keeps = longest === undefined ? undefined : await this.#executor.cut(longest.lane!);
    if (longest === undefined || keeps === undefined || this.#context.stop.signal.aborted) return request.none();
    const [target] = this.#targets as [TargetTasks];
    const [branch] = longest.branches as [TargetTask];
    const { spec } = branch;
    const { kept, given } = cutSplit(spec.split, keeps);
    const rest = nextCutOff(this.#context.ledger);
    branch.spec = { ...spec, split: kept };
    const cut = target.written({ type: 'cut', content: this.#context.content, task: spec.id, keeps, rest });
    longest.cut = cut.finally(() => {
      longest.cut = undefined;
    });
    const cutOff: TaskSpec = { ...spec, id: rest, split: given };
    const place = target.results.reports.length;
    target.add(cutOff);
    this.#tasks.set(rest, { id: rest, branches: [{ spec: cutOff, attempts: [], isDone: false }], place, deaths: 0, cut });
    this.#unsettled++;
    this.#context.listener.decided(
      `task ${spec.id} (${spec.split.name}) gives ${given.members!.length} of its parts to task ${rest}: a thread is idle`,
    );
    this.#turns!.add({ id: rest, weightMs: 1000 }, longest.id);
  }

  #rowsLeft({ branches, place }: Underway): number {
    return (branches[0]!.spec.split.estimatedRows ?? 0) - this.#targets[0]!.live[place]!.rowsRead;
  }

  #settle(task: number): void {
    this.#turns!.ended(task);
    if (--this.#unsettled === 0) this.#turns!.close();
  }

  /** Runs a task once, and writes down how it ended. @returns the targets that it has failed at */
  async #attempt(lane: number, job: Underway, why: Turn['why']): Promise<Failed[]> {
    const { listener, moved } = this.#context;
    const start = startWords(why, lane);
    listener.decided(`task ${job.id} (${job.branches[0]!.spec.split.name}) → ${start}`);
    const begun = this.#openBranches(job).map((one) => ({
      ...one,
      ...one.target.begin(one.branch, job.place, { start, moved, ready: () => job.cut }),
    }));
    const [first, ...beside] = begun;
    const outcome =
      beside.length === 0
        ? await this.#runOn(lane, first!.spec, first!.listener)
        : await this.#runOn(
            lane,
            { ...first!.spec, beside: beside.map(({ spec }) => spec) },
            { ...first!.listener, beside: (task) => beside.find(({ spec }) => spec.id === task)!.listener },
          );
    const failed: Failed[] = [];
    for (const [index, { target, branch, ended }] of begun.entries()) {
      const error = await ended(index === 0 ? outcome : (outcome.beside?.[index - 1] ?? outcome));
      if (error !== undefined) failed.push({ target, branch, error });
    }
    return failed;
  }

  async #runOn(lane: number, spec: TaskSpec, listener: TaskListener): Promise<TaskOutcome> {
    const { width, joinLate, stop, stay } = this.#context;
    const ended = stay.taskStarted(spec.split);
    try {
      const fault = lane < width ? undefined : await joinLate(lane);
      if (fault !== undefined) return { state: 'failed', counters: zeroCounters(), error: fault };
      return await this.#executor.run(lane, spec, listener, stop.signal);
    } finally {
      ended();
    }
  }

  /** A task that failed: again, aside, without a target, or the end of the run. */
  #failed(job: Underway, failed: readonly Failed[]): void {
    const { stop, maxAttempts, maxRetryWaitMs, listener } = this.#context;
    const [{ branch, error }] = failed as [Failed];
    const failures = failuresOf(failed[0]!);
    const { name } = branch.spec.split;
    if (error.code === 'WORKER_DIED') job.deaths++;
    if (job.deaths >= maxDeaths) {
      const message = `task ${job.id} was set aside after it had ended its thread ${job.deaths} times: ${error.message}`;
      const poison = new DrayError('POISON_TASK', message, { place: name });
      listener.warn(`${poison.message} (${name}); the other tasks go on`);
      for (const { target } of failed) target.results.setAside.push(poison);
      this.#settle(job.id);
      return;
    }
    const mayPass = (one: Failed) => one.error.isRetryable && failures < maxAttempts;
    // Of targets that end all of them, the others have its error, or are in doubt because of it.
    const final = failed.filter((one) => !mayPass(one)).sort((a, b) => Number(isInDoubt(a)) - Number(isInDoubt(b)));
    const decisive = final.filter(({ target }) => target.onFailure === 'fail-all');
    for (const { target, error: why } of decisive.length > 0 ? decisive : final) target.fail(why);
    if (stop.signal.aborted || failed.length === final.length) {
      this.#settle(job.id);
      return;
    }
    const passing = failed.find(mayPass)!;
    const waitMs = waitBefore(failures, maxRetryWaitMs, Math.random());
    listener.warn(
      `task ${passing.branch.spec.id} (${name}) failed and starts again in ${(waitMs / 1000).toFixed(1)} s, attempt ${failures + 1}: ${passing.error.message}`,
    );
    this.#turns!.again(job.id, waitMs);
  }
}

/** Of those that say something of the systems. */
function failuresOf({ branch: { attempts } }: Failed): number {
  return attempts.filter(({ error }) => error?.code !== 'NOT_STRAIGHT').length;
}

/** The first time, which then was its only one. */
function wasStraight({ error, branch: { attempts } }: Failed): boolean {
  return error.code === 'NOT_STRAIGHT' && attempts.filter((one) => one.error?.code === 'NOT_STRAIGHT').length === 1;
}

function isInDoubt({ error }: Failed): boolean {
  return error.code === 'COMMIT_UNKNOWN';
}

/** Several targets would all have to give away the same parts. */
function canBeCut([first, ...further]: readonly TargetTask[]): boolean {
  return further.length === 0 && (first!.spec.split.members?.length ?? 0) > 1;
}

/** Numbers of tasks that are cut off others: behind those of all plans, before those of replays. */
const firstCutOff = 500_000;
const cutOffs = new WeakMap<RunLedger, number>();

function nextCutOff(ledger: RunLedger): number {
  const earlier = [...(ledger.earlier?.contents.values() ?? [])].flatMap(({ plan }) => plan?.cutOff ?? []);
  const number = (cutOffs.get(ledger) ?? Math.max(firstCutOff - 1, ...earlier)) + 1;
  cutOffs.set(ledger, number);
  return number;
}
