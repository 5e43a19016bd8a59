import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { numberAfter, numberIn, textOf } from './text-file.ts';

/** A group of processes, of which we are one, that may use so much CPU together. */
interface CpuGroup {
  readonly quotaCores: number;
  /** Since the group was made. */
  readonly usedSeconds: number | undefined;
}

/** One that may use so much memory together. */
interface MemoryGroup {
  readonly limitBytes: number;
  /** Without pages of files that the kernel can drop at once. */
  readonly usedBytes: number;
}

/** What holds for this process by the control groups it is in. */
export interface GroupReading {
  readonly cpu: readonly CpuGroup[];
  readonly memory: readonly MemoryGroup[];
  /** Share of the last ten seconds in which something in the group waited for it, 0 to 1; undefined: the kernel does not tell. */
  readonly pressure: { readonly cpu: number | undefined; readonly memory: number | undefined };
}

/** Without a limit version 1 says the largest number of pages. */
const noLimitBytes = 2 ** 60;

/**
 * Reads the limits of the own control group and of those around it, of version 2 and of version 1, which machines may have side by side.
 * Within a container the own group is the root of what is seen, whatever `/proc/self/cgroup` calls it: groups that are not there are skipped.
 * Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/, accounting/psi.rst.
 * @param root `/`, or a folder with such files
 */
export function readGroups(root: string): GroupReading {
  const paths = ownGroups(textOf(join(root, 'proc/self/cgroup')) ?? '');
  const mount = join(root, 'sys/fs/cgroup');
  const unified = existsSync(join(mount, 'cgroup.controllers')) ? mount : join(mount, 'unified');
  const second = foldersOf(unified, paths.get(''));
  const folders = (controller: string) => foldersOf(mountOf(mount, controller, paths), paths.get(controller));
  return {
    cpu: [...second.flatMap(cpuGroup), ...folders('cpu').flatMap((folder) => oldCpuGroup(folder, mount, paths))],
    memory: [...second.flatMap(memoryGroup), ...folders('memory').flatMap(oldMemoryGroup)],
    pressure: { cpu: pressureOf('cpu', second, root), memory: pressureOf('memory', second, root) },
  };
}

/** Paths of the own groups by controller; that of version 2 by ''. `4:cpu,cpuacct:/user.slice` */
function ownGroups(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [, controllers, path] of text.matchAll(/^\d+:([^:\n]*):(.*)$/gm)) {
    for (const controller of controllers!.split(',')) paths.set(controller, path!);
  }
  return paths;
}

/** Where a controller of version 1 is mounted: by its name, or together with another one. */
function mountOf(mount: string, controller: string, paths: ReadonlyMap<string, string>): string {
  const alone = join(mount, controller);
  if (existsSync(alone)) return alone;
  const partner = { cpu: 'cpuacct', cpuacct: 'cpu' }[controller];
  const pair = [`${controller},${partner}`, `${partner},${controller}`].find((name) => existsSync(join(mount, name)));
  return partner === undefined || !paths.has(partner) || pair === undefined ? alone : join(mount, pair);
}

/** The folders of a group and of those around it, the inner ones first. */
function foldersOf(mount: string, path: string | undefined): string[] {
  if (path === undefined) return [];
  // A group outside of what the container sees is called /../..
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  const folders = names.map((_, index) => join(mount, ...names.slice(0, names.length - index)));
  return [...folders, mount].filter((folder) => existsSync(folder));
}

function cpuGroup(folder: string): CpuGroup[] {
  const [quota, period] = (textOf(join(folder, 'cpu.max')) ?? '').trim().split(' ').map(Number);
  if (!quota || !period) return [];
  const usedMicroseconds = numberAfter('usage_usec', textOf(join(folder, 'cpu.stat')));
  return [{ quotaCores: quota / period, usedSeconds: usedMicroseconds === undefined ? undefined : usedMicroseconds / 1e6 }];
}

function oldCpuGroup(folder: string, mount: string, paths: ReadonlyMap<string, string>): CpuGroup[] {
  const quota = numberIn(join(folder, 'cpu.cfs_quota_us')) ?? -1;
  const period = numberIn(join(folder, 'cpu.cfs_period_us')) ?? 0;
  if (quota <= 0 || period <= 0) return [];
  const [own] = foldersOf(mountOf(mount, 'cpuacct', paths), paths.get('cpuacct'));
  const usedNanoseconds = numberIn(join(folder, 'cpuacct.usage')) ?? (own === undefined ? undefined : numberIn(join(own, 'cpuacct.usage')));
  return [{ quotaCores: quota / period, usedSeconds: usedNanoseconds === undefined ? undefined : usedNanoseconds / 1e9 }];
}

function memoryGroup(folder: string): MemoryGroup[] {
  const limits = ['memory.max', 'memory.high'].flatMap((name) => numberIn(join(folder, name)) ?? []);
  const used = numberIn(join(folder, 'memory.current'));
  if (limits.length === 0 || used === undefined) return [];
  return [{ limitBytes: Math.min(...limits), usedBytes: used - (numberAfter('inactive_file', textOf(join(folder, 'memory.stat'))) ?? 0) }];
}

function oldMemoryGroup(folder: string): MemoryGroup[] {
  const limitBytes = numberIn(join(folder, 'memory.limit_in_bytes'));
  const used = numberIn(join(folder, 'memory.usage_in_bytes'));
  if (limitBytes === undefined || limitBytes >= noLimitBytes || used === undefined) return [];
  return [{ limitBytes, usedBytes: used - (numberAfter('total_inactive_file', textOf(join(folder, 'memory.stat'))) ?? 0) }];
}

/** That of the own group; without groups of version 2 that of the machine. */
function pressureOf(what: 'cpu' | 'memory', folders: readonly string[], root: string): number | undefined {
  const files = [...folders.map((folder) => join(folder, `${what}.pressure`)), join(root, 'proc/pressure', what)];
  for (const file of files) {
    const percent = /^some avg10=([\d.]+)/m.exec(textOf(file) ?? '')?.[1];
    if (percent !== undefined) return Number(percent) / 100;
  }
  return undefined;
}
