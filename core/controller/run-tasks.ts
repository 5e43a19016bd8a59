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
import { TaskQueue } from './task-queue.ts';

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
  readonly listener: Omit<TaskListener, 'progress' | 'mayCommit'>;
  /** All lanes have lost their snapshot, and tasks are left. Resolves when they have joined a new one; rejects if there must not be one. */
  readonly renewSnapshot: () => Promise<void>;
}

/** A task on its way. */
interface Waiting {
  readonly spec: TaskSpec;
  readonly slot: number;
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
  readonly #specs: readonly TaskSpec[];
  readonly #executor: Executor;
  readonly #context: TasksContext;
  readonly #queue: TaskQueue<Waiting>;
  readonly #live: TaskCounters[];

  constructor(specs: readonly TaskSpec[], earlier: ReadonlyMap<number, EarlierTask>, executor: Executor, context: TasksContext) {
    this.#specs = specs;
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
    const open = specs.flatMap((spec, slot): Waiting[] => (earlier.has(spec.id) ? [] : [{ spec, slot, attempts: [], deaths: 0 }]));
    this.#queue = new TaskQueue(open);
  }

  /** Resolves when every task is done or set aside, or `stop` has fired. */
  async run(): Promise<void> {
    const { stop } = this.#context;
    const onStop = () => this.#queue.stop();
    stop.signal.addEventListener('abort', onStop, { once: true });
    if (stop.signal.aborted) onStop();
    try {
      const lanes = Array.from({ length: Math.min(this.#executor.lanes, this.#specs.length) }, (_, lane) => lane);
      for (;;) {
        await Promise.all(lanes.map((lane) => this.#runLane(lane)));
        if (this.#queue.isSettled || stop.signal.aborted) return;
        await this.#context.renewSnapshot();
      }
    } finally {
      stop.signal.removeEventListener('abort', onStop);
    }
  }

  /** Ends when no task is left, or when the lane has lost its snapshot: lanes that still have it run the rest. */
  async #runLane(lane: number): Promise<void> {
    for (let job = await this.#queue.take(); job !== undefined; job = await this.#queue.take()) {
      const outcome = await this.#attempt(lane, job);
      if (outcome.state === 'done' || this.#context.stop.signal.aborted) {
        this.#queue.settle();
        continue;
      }
      const error = DrayError.fromWire(outcome.error);
      if (error.code === 'SNAPSHOT_LOST' && job.attempts.length < this.#context.maxAttempts) {
        this.#queue.again(job, 0);
        return;
      }
      this.#failed(job, error);
    }
  }

  /** Runs a task once, and writes down how it ended. */
  async #attempt(lane: number, job: Waiting): Promise<TaskOutcome> {
    const { ledger, stop, listener } = this.#context;
    const { slot, attempts } = job;
    const attempt = (ledger.epoch - 1) * attemptsPerEpoch + attempts.length + 1;
    const spec: TaskSpec = { ...job.spec, attempt };
    const startedAt = performance.now();
    let dirty = 0;
    let isAllowed = false;
    const outcome = await this.#executor.run(
      lane,
      spec,
      {
        ...listener,
        progress: (counters) => {
          this.#live[slot] = counters;
          this.#context.progress(addUp(this.#live));
        },
        dirty: (record) => {
          dirty++;
          this.#quarantine(spec, record, dirty);
          listener.dirty(record);
        },
        mayCommit: async () => {
          await this.#beforeCommit(spec, dirty > 0);
          isAllowed = true;
        },
      },
      stop.signal,
    );
    const isCancelled = stop.signal.aborted && outcome.state === 'failed' && outcome.error.code === asDrayError(stop.signal.reason).code;
    const result = outcome.state === 'failed' ? { ...outcome, error: inDoubt(outcome.error, spec, isAllowed, isCancelled) } : outcome;
    const failure = result.state === 'failed' ? { error: reportedError(DrayError.fromWire(result.error)) } : {};
    attempts.push({ attempt, state: result.state, seconds: round((performance.now() - startedAt) / 1000), ...failure });
    this.results.reports[slot] = taskReport(spec, result.state, result.counters, attempts);
    if (result.state === 'done') {
      this.#live[slot] = { ...result.counters };
      this.results.commits[slot] = result.commit;
      const { counters, commit, attempt: winner } = result;
      this.results.winners.set(spec.id, winner);
      await this.#written({ type: 'committed', task: spec.id, attempt: winner, commit, tally: { ...counters, attempt: winner } });
    } else {
      // Its rows come again with the next attempt, the dirty ones, too.
      Atomics.sub(new Int32Array(spec.dirtyCount), 0, dirty);
      this.#live[slot] = zeroCounters();
      ledger.note({ type: 'failed', task: spec.id, attempt, code: result.error.code, message: result.error.message });
    }
    return result;
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
  #failed(job: Waiting, error: DrayError): void {
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
      this.#queue.settle();
    } else if (error.isRetryable && failures < maxAttempts) {
      const waitMs = waitBefore(failures, maxRetryWaitMs, Math.random());
      listener.warn(
        `task ${id} (${split.name}) failed and starts again in ${(waitMs / 1000).toFixed(1)} s, attempt ${failures + 1}: ${error.message}`,
      );
      this.#queue.again(job, waitMs);
    } else {
      stop.abort(error);
      this.#queue.settle();
    }
  }
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
