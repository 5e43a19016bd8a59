import { channelsOf } from '../controller/limits.ts';
import type { PlanOptions } from '../controller/plan.ts';
import { newRunId } from '../controller/run-job.ts';
import { pairOf } from '../controller/schedule.ts';
import type { Content, Job } from '../job/load-job.ts';
import { Speeds } from '../ledger/speeds.ts';
import type { JobCommandOptions } from './job-command.ts';
import { Planning } from './planning.ts';
import type { Screen } from './screen.ts';
import { type StateOptions, stateOf } from './state.ts';

/** Plans contents for a command that only looks, as `dray run` would plan them. */
export class Looking {
  readonly #planning: Planning;
  readonly #speeds: Speeds;
  readonly #shared: Omit<PlanOptions, 'bytesPerSecond'>;

  constructor(job: Job, options: JobCommandOptions & StateOptions, { screen, signal }: { screen: Screen; signal: AbortSignal }) {
    const planning = new Planning(screen);
    this.#planning = planning;
    this.#speeds = new Speeds(stateOf(options));
    this.#shared = {
      ...channelsOf(job, options.channels),
      splitBytes: job.splitBytes,
      context: { run: newRunId(), job: job.name, warn: (message) => screen.warn(message), print: () => undefined, signal },
      note: (message) => screen.note(message),
      planning: (message) => planning.update(message),
    };
  }

  /** @param targets the contents that read the same rows */
  async options(targets: readonly Content[]): Promise<PlanOptions> {
    return { ...this.#shared, bytesPerSecond: await this.#speeds.of(pairOf(targets)) };
  }

  stop(): void {
    this.#planning.stop();
  }
}
