import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory that can be filled up. Nobody else sees it, and it vanishes with its last process. */
export interface SmallDisk {
  readonly folder: string;
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  remove(): void;
}

/** @returns undefined where this user may not mount one */
export async function makeSmallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const mountPoint = mkdtempSync(join(tmpdir(), 'dray-disk-'));
  const script = `mount -t tmpfs -o size=${megabytes}m drill "$0" && mkdir "$0/out" && echo mounted && exec sleep 3600`;
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script, mountPoint], { stdio: ['pipe', 'pipe', 'ignore'] });
  holder.on('error', () => undefined);
  const kill = () => holder.kill('SIGKILL');
  process.once('exit', kill);
  const remove = () => {
    process.off('exit', kill);
    kill();
    rmSync(mountPoint, { recursive: true, force: true });
  };
  const [first] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])) as [unknown];
  if (!Buffer.isBuffer(first)) {
    remove();
    return undefined;
  }
  // Its mount, as seen from outside of its namespace.
  const root = `/proc/${holder.pid}/root${mountPoint}`;
  const ballast = join(root, 'ballast');
  return { folder: join(root, 'out'), fill: () => fillUp(ballast), free: () => rmSync(ballast, { force: true }), remove };
}

function fillUp(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let size = 1 << 20; size >= 1; size >>= 4) {
      const block = Buffer.alloc(size);
      try {
        while (writeSync(file, block) > 0);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}
