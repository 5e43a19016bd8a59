import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process it is, for others that ask later whether it still lives. Plain JSON. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Start of the kernel and namespace of its processes: where both are ours, `pid` and `started` name a process for good. */
  readonly kernel?: string | undefined;
  /** When the process started, in ticks of the kernel. */
  readonly started?: string | undefined;
}

export function thisProcess(): ProcessIdentity {
  const [kernel, started] = [kernelHere(), startOf(process.pid)];
  return { host: hostname(), pid: process.pid, ...(kernel === undefined || started === undefined ? {} : { kernel, started }) };
}

/** Whether the process has ended; undefined: that cannot be asked from here, because it runs on another host or in another container. */
export function hasEnded({ host, pid, kernel, started }: ProcessIdentity): boolean | undefined {
  const here = kernelHere();
  if (kernel !== undefined && kernel === here) return startOf(pid) !== started;
  if (kernel !== undefined || host !== hostname()) return undefined;
  return here === undefined ? !answers(pid) : startOf(pid) === undefined;
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

/** For systems without /proc. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
