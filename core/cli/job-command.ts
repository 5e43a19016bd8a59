import { type Job, type LoadOptions, loadJob } from '../job/load-job.ts';
import type { Screen } from './screen.ts';
import type { StateOptions } from './state.ts';

/** Options of commands that load a job. */
export interface JobCommandOptions {
  readonly param: Record<string, string>;
  readonly channels?: number;
  readonly json: boolean;
  readonly lenient: boolean;
}

/** Options of commands that write down what they do, too. */
export interface RunCommandOptions extends JobCommandOptions, StateOptions {
  readonly priority?: number;
  readonly slots?: number;
  /** Further pools and their slots. */
  readonly pool?: Record<string, number>;
  readonly verbose?: boolean;
  /** Where the job file of a run is now, if it is not where it was. */
  readonly job?: string;
}

/** Loads a job file with the options of the command line. */
export async function loadForCommand(file: string, options: JobCommandOptions, screen: Screen): Promise<Job> {
  return loadJob(file, loadOptions(options, screen));
}

export function loadOptions(options: Pick<JobCommandOptions, 'param' | 'lenient'>, screen: Screen): LoadOptions {
  return {
    parameters: options.param,
    environment: process.env,
    isLenient: options.lenient,
    mask: screen.mask,
    warn: (message) => screen.warn(message),
  };
}
