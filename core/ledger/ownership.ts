import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DrayError, hasEnded, type ProcessIdentity, thisProcess } from '../sdk/index.ts';

const heartbeatMs = 2000;
/** A process that has not been heard of for so long may be taken for dead, and its run be taken over. */
export const leaseMs = 15_000;

/**
 * Who runs a run. Each process that takes it over makes a file with the next number, which only one can make; a process whose number is not the
 * highest any more has lost the run, whatever it believes (a fencing token). The file's time is the heartbeat.
 */
export class Ownership {
  readonly epoch: number;
  readonly #folder: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(folder: string, epoch: number) {
    this.#folder = folder;
    this.epoch = epoch;
    const path = ownerFile(folder, epoch);
    this.#timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), heartbeatMs).unref();
  }

  /** Takes a run that nobody runs. @throws DrayError RUN_NOT_RESUMABLE while its process lives, or if another one was faster */
  static async take(folder: string): Promise<Ownership> {
    const before = await latestEpoch(folder);
    if (before > 0) {
      const owner = await livingOwner(folder, before);
      if (owner !== undefined) throw inUse(owner);
    }
    const epoch = before + 1;
    // It appears whole, and only if no other process has made it.
    const hidden = join(folder, `.owner-${randomUUID()}`);
    await writeFile(hidden, JSON.stringify(thisProcess()), { mode: 0o600, flush: true });
    try {
      await link(hidden, ownerFile(folder, epoch));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new DrayError('RUN_NOT_RESUMABLE', 'another process has just taken this run over', {
        cause,
        remedy: 'Watch it with `dray runs`.',
      });
    } finally {
      await rm(hidden, { force: true });
    }
    return new Ownership(folder, epoch);
  }

  /** @throws DrayError RUN_TAKEN_OVER if another process has gone on with this run, because this one was not heard of for too long */
  async check(): Promise<void> {
    if ((await latestEpoch(this.#folder)) === this.epoch) return;
    throw new DrayError('RUN_TAKEN_OVER', 'this process was stopped for so long that another one has taken over its run');
  }

  /** From now on another process, or this one, may take the run. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await utimes(ownerFile(this.#folder, this.epoch), 0, 0);
  }
}

/** Whether a process is at work on the run in this folder. */
export async function isOwned(folder: string): Promise<boolean> {
  const epoch = await latestEpoch(folder);
  return epoch > 0 && (await livingOwner(folder, epoch)) !== undefined;
}

function ownerFile(folder: string, epoch: number): string {
  return join(folder, `owner-${epoch}.json`);
}

async function latestEpoch(folder: string): Promise<number> {
  const names = await readdir(folder);
  return Math.max(0, ...names.map((name) => Number(/^owner-(\d+)\.json$/.exec(name)?.[1] ?? 0)));
}

/** undefined: it has ended, or has not been heard of. */
async function livingOwner(folder: string, epoch: number): Promise<ProcessIdentity | undefined> {
  const path = ownerFile(folder, epoch);
  const silentMs = Date.now() - (await stat(path)).mtimeMs;
  if (silentMs > leaseMs) return undefined;
  const owner = JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
  return hasEnded(owner) ? undefined : owner;
}

function inUse({ pid, host }: ProcessIdentity): DrayError {
  return new DrayError('RUN_NOT_RESUMABLE', `this run is at work already: process ${pid} on ${host}`, {
    remedy: 'Wait for it, or stop that process first.',
  });
}
