import type { Job } from '../job/load-job.ts';
import { poolSlots } from '../load/pool-slots.ts';
import type { RunReport } from '../report/report.ts';
import { DrayError } from '../sdk/index.ts';
import { Budgets } from './budgets.ts';
import { Dispatcher, defaultPool } from './dispatcher.ts';
import { defaultChannels } from './limits.ts';
import { Machine } from './machine.ts';
import { RunHandle, type TurnBefore, turnName } from './run-handle.ts';
import { type RunOptions, runJob } from './run-job.ts';
import { Turns } from './turns.ts';

export interface ControllerOptions {
  /** Tasks that run side by side on this host, of all jobs that name no pool. Default: twice its channels of one job. */
  readonly slots?: number | undefined;
  /** Slots of further pools, where nobody else needs the machine. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

/** What a run is given; the rest is the Controller's. */
export interface ControlledOptions extends Omit<RunOptions, 'dispatcher' | 'budgets' | 'machine' | 'handle' | 'turnToPlan'> {
  /** Overrides the job file. */
  readonly priority?: number | undefined;
}

/**
 * Runs of one priority that are at work at once, each with the connections that its plan and its target need. Others wait; those of another priority do not wait
 * for them.
 */
const openRunsPerPriority = 8;

/** Runs that are planned at once. */
const planningPool = 'runs being planned';
const oneTurn = { resources: [], firstRound: 1, maxRunning: 1, tasks: [{ id: 0, weightMs: 1 }] } as const;

/** Runs many jobs side by side: one queue, the same slots, and each task in its turn. */
export class Controller {
  /** Names that job files may say. */
  readonly #pools: ReadonlySet<string>;
  readonly #dispatcher: Dispatcher;
  readonly #budgets: Budgets;
  readonly #machine: Machine;
  readonly #runs = new Map<string, RunHandle>();

  constructor({ slots = 2 * defaultChannels(), pools = {} }: ControllerOptions = {}) {
    this.#pools = new Set([defaultPool, ...Object.keys(pools)]);
    const opening = Object.fromEntries(Array.from({ length: 10 }, (_, priority) => [openingPool(priority), openRunsPerPriority]));
    const sizes = { ...pools, [defaultPool]: slots };
    this.#dispatcher = new Dispatcher({ ...opening, [planningPool]: Math.max(2, defaultChannels()), ...sizes });
    this.#budgets = new Budgets(this.#dispatcher);
    this.#machine = new Machine({
      maxSlots: Object.values(sizes).reduce((sum, size) => sum + size, 0),
      running: () => this.runs.reduce((sum, run) => sum + run.slots.running, 0),
      localEnds: () => this.#budgets.localEnds,
      onChange: (open, spareCpu, why) => {
        this.#dispatcher.setSlots(poolSlots(sizes, open), spareCpu);
        for (const run of this.runs) run.tell(why);
      },
    });
  }

  /** Runs that wait or run, in the order in which they came. */
  get runs(): readonly RunHandle[] {
    return [...this.#runs.values()];
  }

  /** undefined: there is no such run here, or it has ended. */
  find(run: string): RunHandle | undefined {
    return this.#runs.get(run);
  }

  /** Runs a job when its turn comes. Never rejects: failure is in the report. */
  async run(job: Job, options: ControlledOptions): Promise<RunReport> {
    const { run } = options.ledger;
    const priority = options.priority ?? job.priority;
    const handle = new RunHandle(this.#dispatcher, { run, job: job.name, priority });
    this.#runs.set(run, handle);
    // A run that is cancelled before its turn says so in its report, like any other.
    const giveBack = await this.#turnToBegin(handle, options.signal).catch(() => undefined);
    try {
      // What cannot be written down fails the run with its next event.
      if (!options.signal.aborted) options.ledger.append({ type: 'opened' }).catch(() => undefined);
      handle.tell = options.listener.decided;
      return await runJob(job, {
        ...options,
        dispatcher: this.#dispatcher,
        budgets: this.#budgets,
        machine: this.#machine,
        handle,
        // Important runs are planned first: else all would wait for the plans of all.
        turnToPlan: (signal) => this.#turn('plan', handle, planningPool, signal),
      });
    } finally {
      giveBack?.();
      this.#runs.delete(run);
    }
  }

  /** The same as `#turn`, in the line of its priority, whatever that is by then. */
  async #turnToBegin(handle: RunHandle, signal: AbortSignal): Promise<() => void> {
    for (;;) {
      const moved = new AbortController();
      const { priority } = handle;
      handle.onPriority = () => {
        if (handle.priority !== priority) moved.abort();
      };
      try {
        return await this.#turn('open', handle, openingPool(priority), AbortSignal.any([signal, moved.signal]));
      } catch (error) {
        if (signal.aborted || !moved.signal.aborted) throw error;
      } finally {
        handle.onPriority = undefined;
      }
    }
  }

  /** Waits for a place in a pool that is none of tasks. @returns what gives it back. Rejects with the signal's reason when it fires */
  async #turn(turn: TurnBefore, handle: RunHandle, pool: string, signal: AbortSignal): Promise<() => void> {
    const job = turnName(turn, handle.run);
    const { priority, isPaused } = handle;
    const turns = new Turns(this.#dispatcher, {
      lines: [{ ...oneTurn, job, priority, pool, isPaused }],
      sharedWidth: undefined,
      end: undefined,
    });
    handle.submitted(job);
    const giveBack = () => {
      turns.ended(oneTurn.tasks[0].id);
      turns.close();
    };
    try {
      await turns.first(signal);
      await turns.next();
      return giveBack;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** @throws DrayError JOB_INVALID if a job names a pool that does not exist */
  checkPool({ pool, file }: Job): void {
    if (pool === undefined || this.#pools.has(pool)) return;
    throw new DrayError('JOB_INVALID', `there is no pool "${pool}" (job.setting.pool)`, {
      place: file,
      remedy: `Give it slots: --pool ${pool}=2, or remove "pool" from the job.`,
    });
  }

  close(): void {
    this.#machine.close();
    this.#budgets.close();
    this.#dispatcher.close();
  }
}

function openingPool(priority: number): string {
  return `runs of priority ${priority}`;
}
