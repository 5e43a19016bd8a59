import { join } from 'node:path';
import { textOf } from './text-file.ts';

/** Times of one CPU since the machine was started, in the kernel's ticks. */
interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Times of the CPUs that this process may run on, by their number. */
export type CpuReading = ReadonlyMap<number, CpuTimes>;

/**
 * Reads `/proc/stat`, and of `/proc/self/status` on which CPUs we may run (taskset, cpuset). Time that the hypervisor gave to others counts as busy: we cannot
 * have it. Waiting for a disk does not.
 * Source: proc(5).
 * @param root `/`, or a folder with such files
 */
export function readCpuTimes(root: string): CpuReading {
  const allowed = allowedCpus(textOf(join(root, 'proc/self/status')));
  const times = new Map<number, CpuTimes>();
  for (const [, number, fields] of (textOf(join(root, 'proc/stat')) ?? '').matchAll(/^cpu(\d+) (.*)$/gm)) {
    const cpu = Number(number);
    if (allowed !== undefined && !allowed.has(cpu)) continue;
    const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] = fields!.split(' ').map(Number);
    const busy = user + nice + system + irq + softIrq + steal;
    times.set(cpu, { busy, total: busy + idle + ioWait });
  }
  return times;
}

/** How many of these CPUs were busy between two readings, on average; undefined if too little time has passed to tell. */
export function busyCores(before: CpuReading, now: CpuReading): number | undefined {
  let [busy, seen] = [0, 0];
  for (const [cpu, times] of now) {
    const then = before.get(cpu);
    if (then === undefined || times.total <= then.total) continue;
    seen++;
    busy += Math.max(0, times.busy - then.busy) / (times.total - then.total);
  }
  return seen === 0 ? undefined : busy;
}

/** `Cpus_allowed_list: 0-3,8` */
function allowedCpus(status: string | undefined): Set<number> | undefined {
  const list = status === undefined ? undefined : /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (list === undefined) return undefined;
  const cpus = new Set<number>();
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}
