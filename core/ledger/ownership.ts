import { readFileSync } from 'node:fs';
import { open, readdir, readFile, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DrayError } from '../sdk/index.ts';

const heartbeatMs = 2000;
/** A process that has not been heard of for so long may be taken for dead, and its run be taken over. */
export const leaseMs = 15_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Tells the process from another one that got its number later. */
  readonly started: string;
}

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
    try {
      const file = await open(ownerFile(folder, epoch), 'wx', 0o600);
      await file.writeFile(JSON.stringify({ host: hostname(), pid: process.pid, started: startOf(process.pid) ?? '' } satisfies Owner));
      await file.sync();
      await file.close();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new DrayError('RUN_NOT_RESUMABLE', 'another process has just taken this run over', {
        cause,
        remedy: 'Watch it with `dray runs`.',
      });
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
async function livingOwner(folder: string, epoch: number): Promise<Owner | undefined> {
  const path = ownerFile(folder, epoch);
  const silentMs = Date.now() - (await stat(path)).mtimeMs;
  if (silentMs > leaseMs) return undefined;
  const owner = parseOwner(await readFile(path, 'utf8'));
  if (owner === undefined || owner.host !== hostname()) return owner;
  return startOf(owner.pid) === owner.started ? owner : undefined;
}

/** undefined: its process died while it wrote the file. */
function parseOwner(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

/** When a process of this machine began; undefined if there is none of that number. */
function startOf(pid: number): string | undefined {
  try {
    // Field 22, after the name in brackets: proc(5).
    const [, fields = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const [state = '', ...others] = fields.split(' ');
    // A zombie has ended, and waits for its parent to hear of it.
    return /[ZX]/.test(state) ? undefined : `${bootId} ${others[18]}`;
  } catch {
    return isRunning(pid) ? '' : undefined;
  }
}

/** For systems without /proc. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse({ pid, host }: Owner): DrayError {
  return new DrayError('RUN_NOT_RESUMABLE', `this run is at work already: process ${pid} on ${host}`, {
    remedy: 'Wait for it, or stop that process first.',
  });
}
