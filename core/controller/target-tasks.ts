import type { FanOut } from '../job/load-job.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { type AttemptReport, reportedError, round, type TaskReport, tallyOf } from '../report/report.ts';
import { asDrayError, DrayError, type ErrorWire, type Json } from '../sdk/index.ts';
import {
  type DirtyRecord,
  type OnFailure,
  sumOfCounters,
  type TaskCounters,
  type TaskListener,
  type TaskOutcome,
  type TaskSpec,
  zeroCounters,
} from '../task/spec.ts';

/** Attempts of one process; those of the next one are all higher. */
const attemptsPerEpoch = 1000;

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

/** What tasks of a target need of the content they belong to. */
export interface TargetContext {
  readonly ledger: RunLedger;
  readonly stop: AbortController;
  readonly listener: Pick<TaskListener, 'dirty' | 'warn' | 'print'>;
  /** Number of the content in the job file. */
  readonly entry: number;
  readonly fanOut: FanOut | undefined;
}

/** A task on its way to one target. */
export interface TargetTask {
  spec: TaskSpec;
  readonly attempts: AttemptReport[];
  isDone: boolean;
}

/** One start of such a task. */
export interface Attempt {
  readonly spec: TaskSpec;
  readonly listener: TaskListener;
  /** Writes down how it ended. @returns why it failed, if it did */
  ended(outcome: TaskOutcome): Promise<DrayError | undefined>;
}

/** The tasks of a content as one of its targets sees them: what they have committed there, and what is written down of it. */
export class TargetTasks {
  readonly results: TaskResults;
  /** By place. */
  readonly live: TaskCounters[];
  readonly specs: readonly TaskSpec[];
  /** Why it was left out while the other targets went on. */
  #failure: DrayError | undefined;
  readonly #context: TargetContext;

  constructor(specs: readonly TaskSpec[], earlier: ReadonlyMap<number, EarlierTask>, context: TargetContext) {
    this.specs = specs;
    this.#context = context;
    this.live = specs.map(({ id }) => ({ ...(earlier.get(id)?.counters ?? zeroCounters()) }));
    this.results = {
      reports: specs.map((spec) => {
        const before = earlier.get(spec.id);
        return before === undefined
          ? this.#report(spec, 'not started', zeroCounters(), [])
          : { ...this.#report(spec, 'done', before.counters, []), isFromEarlierProcess: true };
      }),
      commits: specs.map(({ id }) => earlier.get(id)?.commit ?? null),
      winners: new Map([...earlier].map(([task, { attempt }]) => [task, attempt])),
      setAside: [],
    };
  }

  get failure(): DrayError | undefined {
    return this.#failure;
  }

  get onFailure(): OnFailure {
    return this.#context.fanOut?.onFailure ?? 'fail-all';
  }

  /** Sum of its counters. */
  get counters(): TaskCounters {
    return sumOfCounters(this.live);
  }

  /** It has failed for good: the content ends, or goes on without it. */
  fail(error: DrayError): void {
    if (this.onFailure === 'fail-all' || isOfRun(error)) {
      this.#context.stop.abort(error);
      return;
    }
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#context.listener.warn(`target ${this.#context.fanOut!.target + 1} is left out, and the others go on: ${error.message}`);
  }

  /** The task of this place. */
  taskAt(place: number): TargetTask {
    return { spec: this.specs[place]!, attempts: [], isDone: this.results.winners.has(this.specs[place]!.id) };
  }

  /** A task that was cut off another one. */
  add(spec: TaskSpec): void {
    this.results.reports.push(this.#report(spec, 'not started', zeroCounters(), []));
    this.results.commits.push(null);
    this.live.push(zeroCounters());
  }

  /**
   * Begins to start a task.
   * @param start why now, and where
   * @param moved told whenever it has moved
   * @param ready resolves when nothing stands against its commit any more
   */
  begin(task: TargetTask, place: number, facts: { start: string; moved: () => void; ready: () => Promise<void> | undefined }): Attempt {
    const { ledger, stop, listener } = this.#context;
    const { attempts } = task;
    const attempt = (ledger.epoch - 1) * attemptsPerEpoch + attempts.length + 1;
    const spec: TaskSpec = { ...task.spec, attempt };
    const startedAt = performance.now();
    ledger.note({ type: 'started', task: spec.id, attempt, why: facts.start });
    let dirty = 0;
    let isAllowed = false;
    return {
      spec,
      listener: {
        warn: listener.warn,
        print: listener.print,
        progress: (counters) => {
          this.live[place] = counters;
          facts.moved();
        },
        dirty: (record) => {
          dirty++;
          this.#quarantine(spec, record, dirty);
          listener.dirty(record);
        },
        mayCommit: async () => {
          await facts.ready();
          if (this.#failure !== undefined) throw this.#failure;
          await this.#beforeCommit(spec, dirty > 0);
          isAllowed = true;
        },
      },
      ended: async (outcome) => {
        const isCancelled =
          stop.signal.aborted && outcome.state === 'failed' && outcome.error.code === asDrayError(stop.signal.reason).code;
        const result = outcome.state === 'failed' ? { ...outcome, error: inDoubt(outcome.error, spec, isAllowed, isCancelled) } : outcome;
        const error = result.state === 'failed' ? DrayError.fromWire(result.error) : undefined;
        const failure = error === undefined ? {} : { error: reportedError(error) };
        attempts.push({
          attempt,
          state: result.state,
          start: facts.start,
          seconds: round((performance.now() - startedAt) / 1000),
          ...failure,
        });
        this.results.reports[place] = this.#report(spec, result.state, result.counters, attempts);
        if (result.state === 'done') {
          task.isDone = true;
          this.live[place] = { ...result.counters };
          this.results.commits[place] = result.commit;
          const { counters, commit, attempt: winner } = result;
          this.results.winners.set(spec.id, winner);
          await this.written({ type: 'committed', task: spec.id, attempt: winner, commit, tally: { ...counters, attempt: winner } });
        } else {
          // Its rows come again with the next attempt, the dirty ones, too.
          Atomics.sub(new Int32Array(spec.dirtyCount), 0, dirty);
          this.live[place] = zeroCounters();
          ledger.note({ type: 'failed', task: spec.id, attempt, code: result.error.code, message: result.error.message });
        }
        return error;
      },
    };
  }

  /** What cannot be written down stops the run: nobody could tell later what is there. */
  async written(event: Parameters<RunLedger['append']>[0]): Promise<void> {
    try {
      await this.#context.ledger.append(event);
    } catch (error) {
      this.#context.stop.abort(error);
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
    const { ledger, fanOut } = this.#context;
    const named =
      cells === undefined ? {} : { cells: Object.fromEntries(source.columns.map(({ name }, index) => [name, cells[index] ?? null])) };
    const target = fanOut === undefined ? {} : { target: fanOut.target };
    ledger.quarantine.add({ id: `${id}.${attempt}.${number}`, content, ...target, attempt, ...record, ...named });
  }

  #report(
    { id, split }: TaskSpec,
    state: TaskReport['state'],
    counters: Readonly<TaskCounters>,
    attempts: readonly AttemptReport[],
  ): TaskReport {
    const { entry, fanOut } = this.#context;
    const seconds = round(attempts.reduce((sum, one) => sum + one.seconds, 0));
    const target = fanOut === undefined ? {} : { target: fanOut.target };
    return {
      id,
      content: entry,
      ...target,
      split: split.name,
      state,
      seconds,
      ...tallyOf(counters, state === 'done'),
      attempts: [...attempts],
    };
  }
}

const codesOfRun: readonly string[] = ['RUN_TAKEN_OVER', 'STATE_UNUSABLE', 'CANCELLED'];

/** Whether something has failed that is no matter of a single target. */
export function isOfRun({ code }: DrayError): boolean {
  return codesOfRun.includes(code);
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
