import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { type GroupReading, readGroups } from './control-groups.ts';
import { busyCores, type CpuReading, readCpuTimes } from './cpu-times.ts';
import { numberAfter, textOf } from './text-file.ts';

/** What the machine is doing, as far as it concerns us: averages since the sample before. */
export interface LoadSample {
  /** CPUs that this process may use: its affinity and the quotas of its control groups. May be a fraction. */
  readonly cores: number;
  /** How many of them others use, 0 to `cores`. Undefined in the first moments, and where the system does not tell. */
  readonly busyOthers: number | undefined;
  /** How many all threads of this process use. */
  readonly ours: number | undefined;
  /** That we could have without anything being swapped out or killed. */
  readonly memoryAvailableBytes: number;
  /** Memory of this process. */
  readonly rssBytes: number;
  /** How busy the event loop of the main thread was, 0 to 1. */
  readonly loopUtilisation: number;
  /** Share of the last ten seconds in which something had to wait for CPU, for memory; 0 to 1. Our own waiting counts as well. */
  readonly pressure: { readonly cpu: number | undefined; readonly memory: number | undefined };
}

/** What the process knows of itself. */
export interface OwnReadings {
  /** A clock in milliseconds. */
  readonly now: () => number;
  /** CPU time of all threads of this process so far. */
  readonly cpuSeconds: () => number;
  readonly rssBytes: () => number;
  readonly loop: (since?: EventLoopUtilization) => EventLoopUtilization;
}

const thisProcess: OwnReadings = {
  now: () => performance.now(),
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  rssBytes: () => process.memoryUsage.rss(),
  loop: (since) => performance.eventLoopUtilization(since),
};

/** The kernel counts in ticks of 10 ms: over less time than this the figures mean nothing. */
const shortestMs = 250;

interface Reading {
  readonly at: number;
  readonly cpuSeconds: number;
  readonly cpus: CpuReading;
  readonly groups: GroupReading;
  readonly loop: EventLoopUtilization;
}

/**
 * Feels how busy this machine is, with ourselves and with others. For the main thread, every few seconds; a sample costs some twenty small files of the kernel's
 * (about a millisecond).
 */
export class LoadSensor {
  readonly #root: string;
  readonly #own: OwnReadings;
  #before: Reading;
  #last: LoadSample | undefined;

  /**
   * @param root folder in which `proc` and `sys` are
   * @param own what the process knows of itself; to be given with a root that is not this machine
   */
  constructor({ root = '/', own = thisProcess }: { root?: string; own?: OwnReadings } = {}) {
    this.#root = root;
    this.#own = own;
    this.#before = this.#read();
  }

  /** Averages since the last sample; asked again too soon, the same sample. */
  sample(): LoadSample {
    const seconds = (this.#own.now() - this.#before.at) / 1000;
    if (this.#last !== undefined && seconds * 1000 < shortestMs) return this.#last;
    const now = this.#read();
    const before = this.#before;
    const allowed = now.cpus.size === 0 ? availableParallelism() : now.cpus.size;
    const cores = Math.min(allowed, ...now.groups.cpu.map(({ quotaCores }) => quotaCores));
    const isLongEnough = seconds * 1000 >= shortestMs;
    const ours = isLongEnough ? Math.max(0, now.cpuSeconds - before.cpuSeconds) / seconds : undefined;
    const free = ours === undefined ? [] : freeCores(before, now, { seconds, ours, allowed });
    const sample: LoadSample = {
      cores,
      busyOthers: free.length === 0 ? undefined : Math.min(cores, Math.max(0, cores - Math.min(...free))),
      ours,
      memoryAvailableBytes: availableBytes(this.#root, now.groups.memory),
      rssBytes: this.#own.rssBytes(),
      loopUtilisation: this.#own.loop(before.loop).utilization,
      pressure: now.groups.pressure,
    };
    if (isLongEnough) {
      this.#before = now;
      this.#last = sample;
    }
    return sample;
  }

  #read(): Reading {
    return {
      at: this.#own.now(),
      cpuSeconds: this.#own.cpuSeconds(),
      cpus: readCpuTimes(this.#root),
      groups: readGroups(this.#root),
      loop: this.#own.loop(),
    };
  }
}

/** Cores that others leave to us: of the machine, and of each group with a quota. */
function freeCores(
  before: Reading,
  now: Reading,
  { seconds, ours, allowed }: { seconds: number; ours: number; allowed: number },
): number[] {
  const busy = busyCores(before.cpus, now.cpus);
  const free = busy === undefined ? [] : [allowed - Math.max(0, busy - ours)];
  for (const [index, { quotaCores, usedSeconds }] of now.groups.cpu.entries()) {
    const then = before.groups.cpu[index]?.usedSeconds;
    if (usedSeconds === undefined || then === undefined) continue;
    free.push(quotaCores - Math.max(0, (usedSeconds - then) / seconds - ours));
  }
  return free;
}

/** What the machine has, and what each of the groups has left, whichever is least. */
function availableBytes(root: string, groups: readonly { limitBytes: number; usedBytes: number }[]): number {
  const kilobytes = numberAfter('MemAvailable', textOf(join(root, 'proc/meminfo')));
  const machine = kilobytes === undefined ? freemem() : 1024 * kilobytes;
  return Math.max(0, Math.min(machine, ...groups.map(({ limitBytes, usedBytes }) => limitBytes - usedBytes)));
}
