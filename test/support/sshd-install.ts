import { execFileSync } from 'node:child_process';
import { isExecutable } from './executable.ts';

const PACKAGES = ['openssh-server', 'openssh-sftp-server', 'openssh-client'];
const APT = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`;

/** sshd starts itself again for each connection and wants to be called by its whole path. */
export const SSHD = '/usr/sbin/sshd';

/** True if the server and the programs that make and hold keys are on this machine. */
export function hasSshd(): boolean {
  return [SSHD, '/usr/bin/ssh-keygen', '/usr/bin/ssh-agent', '/usr/bin/ssh-add'].every(isExecutable);
}

/**
 * Makes sure that OpenSSH is here: as root on Debian it installs it (once, about 7 s), anywhere else it throws and says what to do. The service
 * that Debian starts after an install is stopped again: tests use their own.
 */
export function requireSshd(): void {
  if (hasSshd()) return;
  if (process.getuid?.() !== 0 || !isExecutable('/usr/bin/apt-get')) throw new Error(remedy('The OpenSSH server is not installed.'));
  process.stderr.write(`The OpenSSH server is not installed; installing it for the tests: ${APT}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lockTimeout = ['-o', 'DPkg::Lock::Timeout=300'];
  try {
    execFileSync('apt-get', [...lockTimeout, 'update'], { env, stdio: 'pipe' });
    execFileSync('apt-get', [...lockTimeout, 'install', '-y', '--no-install-recommends', ...PACKAGES], { env, stdio: 'pipe' });
  } catch (cause) {
    throw new Error(remedy('Installing the OpenSSH server failed.'), { cause });
  }
  stopService();
  if (!hasSshd()) throw new Error(remedy(`The OpenSSH server was installed, but ${SSHD} is not there.`));
}

function stopService(): void {
  try {
    execFileSync('service', ['ssh', 'stop'], { stdio: 'pipe' });
  } catch {
    // No service was started (a container without init), or there is none to stop.
  }
}

function remedy(what: string): string {
  return `${what} Install it as root: ${APT}`;
}
