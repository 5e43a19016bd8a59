import { type Job, type LoadOptions, loadJob } from '../job/load-job.ts';
import type { SecretMask } from '../job/secret-mask.ts';
import type { RunEvent } from '../ledger/events.ts';
import type { RunState } from '../ledger/run-state.ts';
import { beginRun, type RunLedger } from '../ledger/run-store.ts';
import { DrayError } from '../sdk/index.ts';
import { channelsOf } from './limits.ts';

type Begun = Extract<RunEvent, { type: 'begun' }>;

export interface BeginOptions {
  /** Overrides the job file. */
  readonly channels?: number | undefined;
  /** Knows the secrets of the job. */
  readonly mask: SecretMask;
  /** Of a run that was given to a server. */
  readonly submitted?: Begun['submitted'];
}

/**
 * Begins the journal of a job's run, without the parameters that are secrets.
 * @param state the state folder
 * @throws DrayError STATE_UNUSABLE
 */
export function beginJob(state: string, run: string, job: Job, { channels, mask, submitted }: BeginOptions): Promise<RunLedger> {
  const isSecret = (text: string) => mask.apply(text) !== text;
  const parameters = Object.entries(job.parameters);
  const begun: Begun = {
    type: 'begun',
    run,
    job: job.name,
    file: job.file,
    digest: job.digest,
    parameters: Object.fromEntries(parameters.filter(([, value]) => !isSecret(value))),
    secretParameters: parameters.filter(([, value]) => isSecret(value)).map(([name]) => name),
    at: new Date().toISOString(),
    guarantee: job.guarantee,
    channels: channelsOf(job, channels).channels,
    ...(submitted === undefined ? {} : { submitted }),
  };
  return beginRun(state, begun, (text) => mask.apply(text));
}

/**
 * Loads the job of a run once more, as it was given.
 * @param options with parameters that are given again, or differently
 * @param givenFile where its file is now; undefined: where it was
 * @throws DrayError RUN_NOT_RESUMABLE if its file says something else now, or came from standard input and was not given again; JOB_VARIABLE if secrets are missing
 */
export async function jobOfRun({ begun }: RunState, options: LoadOptions, givenFile?: string): Promise<Job> {
  const file = givenFile ?? begun.file;
  const missing = begun.secretParameters.filter((name) => options.parameters[name] === undefined);
  if (missing.length > 0) {
    throw new DrayError('JOB_VARIABLE', `the run was given secrets with -p, which are not kept: ${missing.join(', ')}`, {
      remedy: `Give them again: ${missing.map((name) => `-p ${name}=…`).join(' ')}`,
    });
  }
  if (begun.file === '-' && givenFile === undefined) {
    throw new DrayError('RUN_NOT_RESUMABLE', `the job of the run ${begun.run} came from standard input, and is not kept`, {
      remedy: 'Give the same job again: --job FILE, or --job - for standard input.',
    });
  }
  const job = await loadJob(file, { ...options, parameters: { ...begun.parameters, ...options.parameters } });
  if (job.digest === begun.digest) return job;
  throw new DrayError('RUN_NOT_RESUMABLE', `the job file ${file} is not what it was when the run began`, {
    place: file,
    remedy: 'Bring the file back as it was (environment variables in it, too), or start anew with `dray run`.',
  });
}
