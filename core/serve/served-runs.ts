import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { beginJob, jobOfRun } from '../controller/begin-run.ts';
import type { Controller } from '../controller/controller.ts';
import { newRunId } from '../controller/run-job.ts';
import { type Job, type LoadOptions, loadJob } from '../job/load-job.ts';
import { SecretMask } from '../job/secret-mask.ts';
import { findRun, listRuns, type RunLedger, reportFile, type StoredRun, takeOverRun } from '../ledger/run-store.ts';
import { reportedError, reportWithoutRun } from '../report/report.ts';
import { asDrayError, DrayError } from '../sdk/index.ts';
import type { Executor } from '../task/spec.ts';
import { EventFeed } from './event-feed.ts';
import { forRun } from './run-scope.ts';
import { type RunStatus, statusOfStored } from './run-status.ts';
import { ServedRun } from './served-run.ts';

/** Runs that have ended are listed until so many others have, too. */
const keptEnded = 500;

export interface ServedRunsContext {
  readonly controller: Controller;
  /** The state folder. */
  readonly state: string;
  /** Makes the place where the tasks of a run are done. */
  readonly executor: (tasks: number, channels: number) => Executor;
  /** What job files take `${env:…}` from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What writers print for the user. */
  readonly print: (text: string) => void;
}

/** What is asked for with a job. */
export interface Submission {
  /** Absolute path of the job file. */
  readonly file: string;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Override the job file. */
  readonly priority?: number | undefined;
  readonly channels?: number | undefined;
  /** Unknown keys in the job file are warnings. */
  readonly isLenient?: boolean | undefined;
}

export interface ResumeOptions {
  /** Secrets that were not kept. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** A run that was paused when its server ended still is. */
  readonly staysPaused?: boolean;
}

/** All runs of a server: takes jobs in, has the Controller run them, and remembers what became of them. */
export class ServedRuns {
  readonly feed = new EventFeed();
  readonly #context: ServedRunsContext;
  /** In the order in which they came. */
  readonly #runs = new Map<string, ServedRun>();
  readonly #atWork = new Map<string, Promise<void>>();
  #stopped: DrayError | undefined;

  constructor(context: ServedRunsContext) {
    this.#context = context;
  }

  /** Those that wait or run, and those that ended since the server began. */
  get all(): readonly ServedRun[] {
    return [...this.#runs.values()];
  }

  /** undefined: it was never this server's, or ended long ago. */
  find(run: string): ServedRun | undefined {
    return this.#runs.get(run);
  }

  /** Runs of the state folder that are none of this server's, newest first. */
  async stored(): Promise<RunStatus[]> {
    return (await listRuns(this.#context.state)).filter(({ run }) => !this.#runs.has(run)).map(statusOfStored);
  }

  /** @throws DrayError RUN_UNKNOWN */
  async status(run: string): Promise<RunStatus> {
    return this.#runs.get(run)?.status() ?? statusOfStored(await findRun(this.#context.state, run));
  }

  /** The report of a run that has ended, as JSON. @throws DrayError RUN_UNKNOWN, REPORT_MISSING */
  async report(run: string): Promise<string> {
    const { folder } = await findRun(this.#context.state, run);
    try {
      if (this.#runs.get(run)?.hasEnded !== false) return await readFile(reportFile(folder), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw asDrayError(cause);
    }
    throw new DrayError('REPORT_MISSING', `the run ${run} has no report`);
  }

  /** A run that waits or runs here. @throws DrayError RUN_UNKNOWN, RUN_ENDED */
  async active(run: string): Promise<ServedRun> {
    const served = this.#runs.get(run);
    if (served?.hasEnded === false) return served;
    const { state } = served?.status() ?? statusOfStored(await findRun(this.#context.state, run));
    if (state === 'running' || state === 'waiting')
      throw new DrayError('RUN_UNKNOWN', `the run ${run} is at work in another process than this server`);
    throw new DrayError('RUN_ENDED', `the run ${run} has ended: ${state}`);
  }

  /**
   * Takes a job in. Once this resolves it is written down, and survives the server.
   * @returns also what is odd about its file
   * @throws DrayError what is wrong with the job file; SERVER_STOPPED
   */
  async submit({ file, parameters = {}, priority, channels, isLenient = false }: Submission) {
    if (!isAbsolute(file)) throw new DrayError('JOB_UNREADABLE', `the path of the job file must be absolute: ${file}`);
    const found = await stat(file).catch(() => undefined);
    // A pipe that nobody writes to would hold up the server.
    if (found?.isFile() === false) throw new DrayError('JOB_UNREADABLE', `the job file must be a file: ${file} is none`);
    const mask = new SecretMask();
    const warnings = new Set<string>();
    try {
      this.#refuseIfStopped();
      const job = await loadJob(file, this.#loadOptions({ parameters, isLenient, mask, warnings }));
      this.#context.controller.checkPool(job);
      if (job.isDryRun) throw dryRun(job);
      const submitted = {
        ...(priority === undefined ? {} : { priority }),
        ...(channels === undefined ? {} : { channels }),
        ...(isLenient ? { isLenient } : {}),
      };
      this.#refuseIfStopped();
      const ledger = await beginJob(this.#context.state, newRunId(), job, { channels, mask, submitted });
      return { served: this.#start(job, ledger, mask, { priority, channels }), warnings: [...warnings].map((text) => mask.apply(text)) };
    } catch (error) {
      throw ofTheServer(withoutSecrets(error, mask));
    }
  }

  /**
   * Goes on with a run that is paused here, or with one that ended without being done.
   * @throws DrayError RUN_UNKNOWN, RUN_NOT_RESUMABLE, SERVER_STOPPED and what is wrong with the job file
   */
  async resume(run: string, { parameters = {}, staysPaused = false }: ResumeOptions = {}): Promise<ServedRun> {
    const here = this.#runs.get(run);
    if (here?.hasEnded === false) {
      if (here.handle.isPaused) here.change({ isPaused: false });
      return here;
    }
    this.#refuseIfStopped();
    const { state } = this.#context;
    const stored = await findRun(state, run);
    const { isLenient = false } = stored.begun.submitted ?? {};
    const { priority = stored.begun.submitted?.priority, channels = stored.begun.submitted?.channels, isPaused } = stored.changes;
    const mask = new SecretMask();
    const warnings = new Set<string>();
    try {
      const job = await jobOfRun(stored, this.#loadOptions({ parameters, isLenient, mask, warnings }));
      this.#context.controller.checkPool(job);
      const ledger = await takeOverRun(state, run, (text) => mask.apply(text));
      await ledger.append({ type: 'resumed', epoch: ledger.epoch, at: new Date().toISOString() });
      const served = this.#start(job, ledger, mask, { priority, channels });
      if (isPaused === true) served.change({ isPaused: staysPaused });
      return served;
    } catch (error) {
      throw withoutSecrets(error, mask);
    }
  }

  /** Runs that a server has left without an end. */
  async interrupted(): Promise<StoredRun[]> {
    return (await listRuns(this.#context.state)).filter(({ state, isResumable }) => state === 'interrupted' && isResumable).reverse();
  }

  /** No new runs; those at work are stopped, cleanly, so that they can be resumed. Resolves when none is at work. */
  async stop(reason: DrayError): Promise<void> {
    this.#stopped = reason;
    for (const served of this.#runs.values()) if (!served.hasEnded) served.cancel(reason);
    while (this.#atWork.size > 0) await Promise.all(this.#atWork.values());
  }

  #start(job: Job, ledger: RunLedger, mask: SecretMask, wanted: { priority: number | undefined; channels: number | undefined }): ServedRun {
    const { controller, executor, print } = this.#context;
    const served = new ServedRun({ job, ledger, mask, feed: this.feed, print });
    // It came in while the server was being stopped: it ends as those before it.
    if (this.#stopped !== undefined) served.cancel(this.#stopped);
    const { listener, signal } = served;
    const running = forRun(served.run, () => controller.run(job, { ledger, ...wanted, signal, executor, listener }));
    this.#runs.delete(served.run);
    this.#runs.set(served.run, served);
    served.begun(controller.find(served.run)!);
    const done = running
      .catch((error: unknown) => reportWithoutRun({ run: served.run, job: job.name, error: reportedError(asDrayError(error)) }))
      .then(async (report) => served.ended(report, await this.#isResumable(served.run)))
      .finally(() => {
        this.#atWork.delete(served.run);
        this.#forgetOld();
      });
    this.#atWork.set(served.run, done);
    return served;
  }

  async #isResumable(run: string): Promise<boolean> {
    return findRun(this.#context.state, run).then(
      (stored) => stored.isResumable,
      () => false,
    );
  }

  #forgetOld(): void {
    const ended = [...this.#runs.values()].filter(({ hasEnded }) => hasEnded);
    for (const { run } of ended.slice(0, Math.max(0, ended.length - keptEnded))) {
      this.#runs.delete(run);
      this.feed.forget(run);
    }
  }

  #loadOptions(given: Pick<LoadOptions, 'parameters' | 'isLenient' | 'mask'> & { readonly warnings: Set<string> }): LoadOptions {
    const { parameters, isLenient, mask, warnings } = given;
    return { parameters, isLenient, mask, environment: this.#context.environment, warn: (message) => warnings.add(message) };
  }

  #refuseIfStopped(): void {
    if (this.#stopped !== undefined) throw new DrayError('SERVER_STOPPED', 'the server is being stopped, and takes no more runs');
  }
}

/** What a job file says wrongly may be one of its secrets. */
function withoutSecrets(error: unknown, mask: SecretMask): DrayError {
  const { stack, ...wire } = asDrayError(error).toWire();
  const masked = JSON.parse(mask.json(wire)) as typeof wire;
  return DrayError.fromWire(stack === undefined ? masked : { ...masked, stack: mask.apply(stack) });
}

/** Whoever submits a job has another environment before the eyes. */
function ofTheServer(error: DrayError): DrayError {
  if (error.code !== 'JOB_VARIABLE') return error;
  const remedy = 'Pass it with -p name=value, or set it in the environment of `dray serve`: that of `dray submit` does not count.';
  return new DrayError(error.code, error.message, { remedy, ...(error.place === undefined ? {} : { place: error.place }) });
}

function dryRun({ file }: Job): DrayError {
  return new DrayError('JOB_INVALID', 'the job moves nothing: job.setting.dryRun is set', {
    place: file,
    remedy: 'Look at it with `dray check`, or remove "dryRun".',
  });
}
