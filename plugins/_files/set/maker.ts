import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { z } from 'dray/sdk';

/** Who works on a set, for runs that find it half done. */
export const makerSchema = z.looseObject({
  run: z.string(),
  /** ISO 8601, UTC. */
  created: z.string(),
  host: z.string(),
  pid: z.number(),
  /** Start of the kernel and namespace of its processes: where both are ours, `pid` and `started` name a process for good. */
  kernel: z.string().optional(),
  /** When the process started, in ticks of the kernel. */
  started: z.string().optional(),
});

export type Maker = z.output<typeof makerSchema>;

/** This process, as the maker of a run. */
export function thisMaker(run: string): Maker {
  const kernel = kernelHere();
  const started = startOf(process.pid);
  return {
    run,
    created: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    ...(kernel === undefined || started === undefined ? {} : { kernel, started }),
  };
}

/**
 * Whether the process that made a set has ended.
 * @param patienceMs one on another host, where nothing can be asked, is taken for dead after so long
 */
export function isOver({ created, host, pid, kernel, started }: Maker, patienceMs: number): boolean {
  const ageMs = Date.now() - Date.parse(created);
  if (kernel !== undefined && kernel === kernelHere()) return startOf(pid) !== started;
  if (kernel !== undefined || host !== hostname()) return ageMs > patienceMs;
  // A process of before the last start of this machine is gone, whoever has its number now.
  return pid === process.pid || ageMs > uptime() * 1000 || startOf(pid) === undefined;
}

/** undefined where there is no /proc. */
function kernelHere(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

/** proc(5), field 22 of stat; undefined: there is no such process, or it has ended and nobody has asked how. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
