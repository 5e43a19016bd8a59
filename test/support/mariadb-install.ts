import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { isExecutable } from './executable.ts';

const APT = 'apt-get update && apt-get install -y --no-install-recommends mariadb-server';

/** True if the server and the program that creates its data folder are on this machine. */
export function hasMariadb(): boolean {
  return isProgram('mariadbd') && isProgram('mariadb-install-db');
}

/**
 * Makes sure that MariaDB's programs are here: as root on Debian it installs them (once, about 20 s), anywhere else it
 * throws and says what to do. The service that Debian starts after an install is stopped again: tests use their own.
 */
export function requireMariadb(): void {
  if (hasMariadb()) return;
  if (process.getuid?.() !== 0 || !isProgram('apt-get')) throw new Error(remedy('MariaDB is not installed.'));
  process.stderr.write(`MariaDB is not installed; installing it for the tests: ${APT}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lockTimeout = ['-o', 'DPkg::Lock::Timeout=300'];
  try {
    execFileSync('apt-get', [...lockTimeout, 'update'], { env, stdio: 'pipe' });
    execFileSync('apt-get', [...lockTimeout, 'install', '-y', '--no-install-recommends', 'mariadb-server'], { env, stdio: 'pipe' });
  } catch (cause) {
    throw new Error(remedy('Installing MariaDB failed.'), { cause });
  }
  stopService();
  if (!hasMariadb()) throw new Error(remedy('MariaDB was installed, but mariadbd is not in /usr/sbin.'));
}

function stopService(): void {
  try {
    execFileSync('service', ['mariadb', 'stop'], { stdio: 'pipe' });
  } catch {
    // No service was started (a container without init), or there is none to stop.
  }
}

function remedy(what: string): string {
  return `${what} Either install it as root (${APT}), or set DRAY_TEST_MYSQL_URL=mysql://user:password@host:port to a server whose user may create databases.`;
}

function isProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, name)));
}
