import { cutSplit } from '../ledger/run-state.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { type AttemptReport, reportedError, round, type TaskReport, tallyOf } from '../report/report.ts';
import { asDrayError, DrayError, type ErrorWire, type Json } from '../sdk/index.ts';
import {
  type DirtyRecord,
  type Executor,
  type TaskCounters,
  type TaskListener,
  type TaskOutcome,
  type TaskSpec,
  zeroCounters,
} from '../task/spec.ts';
import { waitBefore } from './backoff.ts';
import type { Stay } from './budgets.ts';
import type { RunListener } from './run-job.ts';
import { startWords } from './start-words.ts';
import type { Turn, Turns } from './turns.ts';

/** A task whose thread died so often is not started again: it would only kill more. */
const maxDeaths = 3;
/** Attempts of one process; those of the next one are all higher. */
const attemptsPerEpoch = 1000;

/** What running tasks needs of the content they belong to. */
export interface TasksContext {
  readonly ledger: RunLedger;
  readonly maxAttempts: number;
  readonly maxRetryWaitMs: number;
  readonly stop: AbortController;
  /** Sum of the counters of all tasks, whenever one of them has moved. */
  readonly progress: (sum: TaskCounters) => void;
  readonly listener: Omit<TaskListener, 'progress' | 'mayCommit'> & Pick<RunListener, 'decided'>;
  readonly stay: Pick<Stay, 'taskStarted' | 'taskEnded'>;
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
  spec: TaskSpec;
  /** Where it runs. */
  lane?: number | undefined;
  /** That a part of it was given away is being written down: before that it must not commit. */
  cut?: Promise<void> | undefined;
  /** Its place in the reports. */
  readonly place: number;
  readonly attempts: AttemptReport[];
  deaths: number;
}

export interface TaskResults {
  /** By place. */
  readonly reports: TaskReport[];
  /** By place; null for a task that committed nothing. */
  readonly commits: Json[];
  /** By number of the task, the attempt that was committed. */
  readonly winners: Map<number, number>;
  /** Why tasks were set aside while the others went on. */
  readonly setAside: DrayError[];
}

/** A committed task of an earlier process of the run. */
export interface EarlierTask {
  readonly attempt: number;
  readonly counters: Readonly<TaskCounters>;
  readonly commit: Json;
}

/**
 * Runs all tasks of a content on the lanes of an executor. A task that fails by something that can pass is started again after a pause; anything else stops the run
 * (`stop`), but for a task that kills its threads: that one is set aside.
 */
export class TaskRunner {
  readonly results: TaskResults;
  readonly #executor: Executor;
  readonly #context: TasksContext;
  readonly #tasks: Map<number, Underway>;
  readonly #live: TaskCounters[];
  readonly #running = new Set<Promise<void>>();
  /** Lanes that run nothing. */
  #idle: number[] = [];
  /** Lanes that run tasks, or would; fewer once one has lost its snapshot. */
  #lanes = 0;
  /** Lanes that have been used, or have at least been joined to the snapshot. */
  #opened = 0;
  #unsettled: number;
  #turns: Turns | undefined;

  constructor(specs: readonly TaskSpec[], earlier: ReadonlyMap<number, EarlierTask>, executor: Executor, context: TasksContext) {
    this.#executor = executor;
    this.#context = context;
    this.#live = specs.map(({ id }) => ({ ...(earlier.get(id)?.counters ?? zeroCounters()) }));
    this.results = {
      reports: specs.map((spec) => {
        const before = earlier.get(spec.id);
        return before === undefined
          ? taskReport(spec, 'not started', zeroCounters(), [])
          : { ...taskReport(spec, 'done', before.counters, []), isFromEarlierProcess: true };
      }),
      commits: specs.map(({ id }) => earlier.get(id)?.commit ?? null),
      winners: new Map([...earlier].map(([task, { attempt }]) => [task, attempt])),
      setAside: [],
    };
    const open = specs.flatMap((spec, place): [number, Underway][] =>
      earlier.has(spec.id) ? [] : [[spec.id, { spec, place, attempts: [], deaths: 0 }]],
    );
    this.#tasks = new Map(open);
    this.#unsettled = open.length;
  }

  /** Resolves when every task is done or set aside, or `stop` has fired and none runs any more. */
  async run(turns: Turns): Promise<void> {
    const { stop } = this.#context;
    this.#turns = turns;
    turns.onCut = () => void this.#cutLongest();
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
    const job = this.#tasks.get(task)!;
    const lane = this.#idle.pop()!;
    job.lane = lane;
    const outcome = await this.#attempt(lane, job, why);
    job.lane = undefined;
    const error = outcome.state === 'done' ? undefined : DrayError.fromWire(outcome.error);
    if (error === undefined || stop.signal.aborted) {
      this.#idle.push(lane);
      this.#settle(task);
    } else if (error.code === 'SNAPSHOT_LOST' && job.attempts.length < maxAttempts) {
      // Lanes that still have it run the rest.
      turns.setWidth(--this.#lanes);
      turns.again(task, 0);
      if (this.#lanes === 0) await this.#renew();
    } else {
      this.#idle.push(lane);
      this.#failed(job, error);
    }
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
  async #cutLongest(): Promise<void> {
    const turns = this.#turns!;
    const [longest] = [...this.#tasks.values()]
      .filter(({ lane, spec, cut }) => lane !== undefined && cut === undefined && (spec.split.members?.length ?? 0) > 1)
      .sort((a, b) => this.#rowsLeft(b) - this.#rowsLeft(a));
    const keeps = longest === undefined ? undefined : await this.#executor.cut(longest.lane!);
    if (longest === undefined || keeps === undefined || this.#context.stop.signal.aborted) return turns.uncut();
    const { spec } = longest;
    const { kept, given } = cutSplit(spec.split, keeps);
    const rest = nextCutOff(this.#context.ledger);
    longest.spec = { ...spec, split: kept };
    const cut = this.#written({ type: 'cut', content: this.#context.content, task: spec.id, keeps, rest });
    longest.cut = cut.finally(() => {
      longest.cut = undefined;
    });
    const { reports, commits } = this.results;
    const place = reports.length;
    this.#tasks.set(rest, { spec: { ...spec, id: rest, split: given }, place, attempts: [], deaths: 0, cut });
    reports.push(taskReport({ ...spec, id: rest, split: given }, 'not started', zeroCounters(), []));
    commits.push(null);
    this.#live.push(zeroCounters());
    this.#unsettled++;
    this.#context.listener.decided(
      `task ${spec.id} (${spec.split.name}) gives ${given.members!.length} of its parts to task ${rest}: a thread is idle`,
    );
    turns.add({ id: rest, weightMs: 1000 });
  }

  #rowsLeft({ spec, place }: Underway): number {
    return (spec.split.estimatedRows ?? 0) - this.#live[place]!.rowsRead;
  }

  #settle(task: number): void {
    this.#turns!.ended(task);
    if (--this.#unsettled === 0) this.#turns!.close();
  }

  /** Runs a task once, and writes down how it ended. */
  async #attempt(lane: number, job: Underway, why: Turn['why']): Promise<TaskOutcome> {
    const { ledger, stop, listener } = this.#context;
    const { place, attempts } = job;
    const attempt = (ledger.epoch - 1) * attemptsPerEpoch + attempts.length + 1;
    const spec: TaskSpec = { ...job.spec, attempt };
    const startedAt = performance.now();
    const start = startWords(why, lane);
    ledger.note({ type: 'started', task: spec.id, attempt, why: start });
    listener.decided(`task ${spec.id} (${spec.split.name}) → ${start}`);
    let dirty = 0;
    let isAllowed = false;
    const outcome = await this.#runOn(lane, spec, {
      ...listener,
      progress: (counters) => {
        this.#live[place] = counters;
        this.#context.progress(addUp(this.#live));
      },
      dirty: (record) => {
        dirty++;
        this.#quarantine(spec, record, dirty);
        listener.dirty(record);
      },
      mayCommit: async () => {
        await job.cut;
        await this.#beforeCommit(spec, dirty > 0);
        isAllowed = true;
      },
    });
    const isCancelled = stop.signal.aborted && outcome.state === 'failed' && outcome.error.code === asDrayError(stop.signal.reason).code;
    const result = outcome.state === 'failed' ? { ...outcome, error: inDoubt(outcome.error, spec, isAllowed, isCancelled) } : outcome;
    const failure = result.state === 'failed' ? { error: reportedError(DrayError.fromWire(result.error)) } : {};
    attempts.push({ attempt, state: result.state, start, seconds: round((performance.now() - startedAt) / 1000), ...failure });
    this.results.reports[place] = taskReport(spec, result.state, result.counters, attempts);
    if (result.state === 'done') {
      this.#live[place] = { ...result.counters };
      this.results.commits[place] = result.commit;
      const { counters, commit, attempt: winner } = result;
      this.results.winners.set(spec.id, winner);
      await this.#written({ type: 'committed', task: spec.id, attempt: winner, commit, tally: { ...counters, attempt: winner } });
    } else {
      // Its rows come again with the next attempt, the dirty ones, too.
      Atomics.sub(new Int32Array(spec.dirtyCount), 0, dirty);
      this.#live[place] = zeroCounters();
      ledger.note({ type: 'failed', task: spec.id, attempt, code: result.error.code, message: result.error.message });
    }
    return result;
  }

  async #runOn(lane: number, spec: TaskSpec, listener: TaskListener): Promise<TaskOutcome> {
    const { width, joinLate, stop, stay } = this.#context;
    stay.taskStarted();
    try {
      const fault = lane < width ? undefined : await joinLate(lane);
      if (fault !== undefined) return { state: 'failed', counters: zeroCounters(), error: fault };
      return await this.#executor.run(lane, spec, listener, stop.signal);
    } finally {
      stay.taskEnded();
    }
  }

  async #beforeCommit({ id, attempt, guarantee }: TaskSpec, hasDirty: boolean): Promise<void> {
    const { ledger } = this.#context;
    await ledger.checkOwned();
    if (hasDirty) await ledger.quarantine.flush();
    const event = { type: 'committing', task: id, attempt } as const;
    // Where the target knows what was committed, nobody will ask this.
    if (guarantee === 'exactly-once') ledger.note(event);
    else await ledger.append(event);
  }

  #quarantine({ id, content, attempt, source }: TaskSpec, { cells, ...record }: DirtyRecord, number: number): void {
    const named =
      cells === undefined ? {} : { cells: Object.fromEntries(source.columns.map(({ name }, index) => [name, cells[index] ?? null])) };
    this.#context.ledger.quarantine.add({ id: `${id}.${attempt}.${number}`, content, attempt, ...record, ...named });
  }

  /** What cannot be written down stops the run: nobody could tell later what is there. */
  async #written(event: Parameters<RunLedger['append']>[0]): Promise<void> {
    try {
      await this.#context.ledger.append(event);
    } catch (error) {
      this.#context.stop.abort(error);
    }
  }

  /** A task that failed: again, aside, or the end of the run. */
  #failed(job: Underway, error: DrayError): void {
    const { stop, maxAttempts, maxRetryWaitMs, listener } = this.#context;
    const failures = job.attempts.length;
    if (error.code === 'WORKER_DIED') job.deaths++;
    const { id, split } = job.spec;
    if (job.deaths >= maxDeaths) {
      const poison = new DrayError(
        'POISON_TASK',
        `task ${id} was set aside after it had ended its thread ${job.deaths} times: ${error.message}`,
        {
          place: split.name,
        },
      );
      listener.warn(`${poison.message} (${split.name}); the other tasks go on`);
      this.results.setAside.push(poison);
      this.#settle(id);
    } else if (error.isRetryable && failures < maxAttempts) {
      const waitMs = waitBefore(failures, maxRetryWaitMs, Math.random());
      listener.warn(
        `task ${id} (${split.name}) failed and starts again in ${(waitMs / 1000).toFixed(1)} s, attempt ${failures + 1}: ${error.message}`,
      );
      this.#turns!.again(id, waitMs);
    } else {
      stop.abort(error);
      this.#settle(id);
    }
  }
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

/**
 * Without a ledger nobody can tell whether a task that ended in its commit is there: it must not simply be started again.
 * @param isAllowed the attempt had been told to commit
 * @param isCancelled it ended because the run did, and not by an answer of the target
 */
function inDoubt(error: ErrorWire, { id, guarantee, split }: TaskSpec, isAllowed: boolean, isCancelled: boolean): ErrorWire {
  if (!isAllowed || guarantee === 'exactly-once' || (error.code !== 'WORKER_DIED' && !isCancelled)) return error;
  const message = `task ${id} ended while it committed, and nothing tells whether its rows are there: ${error.message}`;
  return new DrayError('COMMIT_UNKNOWN', message, { side: 'target', place: split.name }).toWire();
}

function taskReport(
  { id, content, split }: TaskSpec,
  state: TaskReport['state'],
  counters: Readonly<TaskCounters>,
  attempts: readonly AttemptReport[],
): TaskReport {
  const seconds = round(attempts.reduce((sum, one) => sum + one.seconds, 0));
  return { id, content, split: split.name, state, seconds, ...tallyOf(counters, state === 'done'), attempts: [...attempts] };
}

function addUp(all: readonly TaskCounters[]): TaskCounters {
  const sum = zeroCounters();
  for (const one of all) for (const key of Object.keys(sum) as (keyof TaskCounters)[]) sum[key] += one[key];
  return sum;
}
