import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OwnReadings } from '../../core/load/load-sensor.ts';
import { tempFolder } from './temp-folder.ts';

/** Files of a kernel, by their path from the root. */
export type KernelFiles = Readonly<Record<string, string>>;

/** A machine made of files, and a process on it whose clock stands still. */
export interface FakeMachine {
  readonly root: string;
  readonly own: OwnReadings;
  /** Lets time go by: files change, and our process uses CPU. */
  pass(seconds: number, files: KernelFiles, ownCpuSeconds?: number): void;
}

/** A machine of files in a folder that goes with the test. */
export function fakeMachine(files: KernelFiles): FakeMachine {
  const root = tempFolder();
  let [now, cpuSeconds] = [0, 0];
  const write = (changed: KernelFiles) => {
    for (const [path, text] of Object.entries(changed)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write(files);
  return {
    root,
    own: {
      now: () => now,
      cpuSeconds: () => cpuSeconds,
      rssBytes: () => 100 << 20,
      loop: () => ({ idle: 3, active: 1, utilization: 0.25 }),
    },
    pass(seconds, changed, ownCpuSeconds = 0) {
      now += 1000 * seconds;
      cpuSeconds += ownCpuSeconds;
      write(changed);
    },
  };
}

/** `/proc/stat` of a machine whose CPUs have been busy and idle for so many seconds each. */
export function procStat(cpus: readonly { busy: number; idle: number; steal?: number; ioWait?: number }[]): string {
  const lines = cpus.map(
    ({ busy, idle, steal = 0, ioWait = 0 }, cpu) =>
      `cpu${cpu} ${100 * busy - 30} 10 20 ${100 * idle} ${100 * ioWait} 0 0 ${100 * steal} 0 0`,
  );
  return `cpu  0 0 0 0 0 0 0 0 0 0\n${lines.join('\n')}\nintr 115137483 0 9\nctxt 200118371\nbtime 1763713281\nprocs_running 2\n`;
}
