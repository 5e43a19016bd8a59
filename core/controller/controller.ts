import type { Job } from '../job/load-job.ts';
import type { RunReport } from '../report/report.ts';
import { DrayError } from '../sdk/index.ts';
import { Dispatcher, defaultPool } from './dispatcher.ts';
import { defaultChannels } from './limits.ts';
import { openingName, RunHandle } from './run-handle.ts';
import { type RunOptions, runJob } from './run-job.ts';
import { Turns } from './turns.ts';

export interface ControllerOptions {
  /** Tasks that run side by side on this host, of all jobs that name no pool. Default: twice its channels of one job. */
  readonly slots?: number | undefined;
  /** Slots of further pools. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

/**
 * Runs of one priority that are at work at once, each with the connections that its plan and its target need. Others wait; those of another priority do not wait
 * for them.
 */
const openRunsPerPriority = 8;

/** Runs many jobs side by side: one queue, the same slots, and each task in its turn. */
export class Controller {
  readonly #dispatcher: Dispatcher;
  readonly #runs = new Map<string, RunHandle>();

  constructor({ slots = 2 * defaultChannels(), pools = {} }: ControllerOptions = {}) {
    const opening = Object.fromEntries(Array.from({ length: 10 }, (_, priority) => [openingPool(priority), openRunsPerPriority]));
    this.#dispatcher = new Dispatcher({ ...opening, ...pools, [defaultPool]: slots });
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
  async run(job: Job, options: Omit<RunOptions, 'dispatcher' | 'handle'>): Promise<RunReport> {
    const { run } = options.ledger;
    const priority = options.priority ?? job.priority;
    const handle = new RunHandle(this.#dispatcher, { run, job: job.name, priority });
    this.#runs.set(run, handle);
    const turns = new Turns(this.#dispatcher, {
      job: openingName(run),
      priority: 0,
      pool: openingPool(priority),
      resources: [],
      firstRound: 1,
      maxRunning: 1,
      tasks: [{ id: 0, weightMs: 1 }],
    });
    handle.submitted(openingName(run));
    try {
      // A run that is cancelled before its turn says so in its report, like any other.
      await turns.first(options.signal).catch(() => turns.close());
      await turns.next();
      // What cannot be written down fails the run with its next event.
      if (!options.signal.aborted) options.ledger.append({ type: 'opened' }).catch(() => undefined);
      return await runJob(job, { ...options, dispatcher: this.#dispatcher, handle });
    } finally {
      turns.ended(0);
      turns.close();
      this.#runs.delete(run);
    }
  }

  /** @throws DrayError JOB_INVALID if a job names a pool that does not exist */
  checkPool({ pool, file }: Job): void {
    if (pool === undefined || this.#dispatcher.hasPool(pool)) return;
    throw new DrayError('JOB_INVALID', `there is no pool "${pool}" (job.setting.pool)`, {
      place: file,
      remedy: `Give it slots: --pool ${pool}=2, or remove "pool" from the job.`,
    });
  }

  close(): void {
    this.#dispatcher.close();
  }
}

function openingPool(priority: number): string {
  return `runs of priority ${priority}`;
}
