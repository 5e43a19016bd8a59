import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isExecutable } from './executable.ts';

/** An S3 server that tests can have for themselves: Ceph's gateway, or OpenStack Swift with its S3 door. */
export type S3Kind = 'ceph' | 'swift';

const needs: Record<S3Kind, { readonly programs: readonly string[]; readonly packages: readonly string[] }> = {
  ceph: {
    programs: ['radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool'],
    packages: ['radosgw', 'ceph-mon', 'ceph-osd'],
  },
  swift: {
    programs: ['swift-proxy-server', 'swift-object-server', 'swift-container-server', 'swift-account-server', 'memcached'],
    packages: ['swift-proxy', 'swift-object', 'swift-container', 'swift-account', 'memcached'],
  },
};

/** True if the server and the programs that prepare it are on this machine. */
export function hasS3(kind: S3Kind): boolean {
  return needs[kind].programs.every(isProgram);
}

/**
 * Makes sure that the programs are here: as root on Debian it installs them (once, about 25 s), anywhere else it throws and
 * says what to do.
 */
export function requireS3(kind: S3Kind): void {
  if (hasS3(kind)) return;
  const { packages } = needs[kind];
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const remedy = `Either install it as root (${command}), or set DRAY_TEST_S3_URL=http://key:secret@host:port/?region=us-east-1 to a server whose user may create buckets.`;
  if (process.getuid?.() !== 0 || !isProgram('apt-get')) throw new Error(`There is no S3 server (${kind}) on this machine. ${remedy}`);
  process.stderr.write(`There is no S3 server (${kind}); installing it for the tests: ${command}\n`);
  try {
    if (!hasPackageLists()) aptGet('update');
    install(packages);
  } catch (cause) {
    throw new Error(`Installing the S3 server (${kind}) failed. ${remedy}`, { cause });
  }
  if (!hasS3(kind)) throw new Error(`The S3 server (${kind}) was installed, but its programs are not in PATH. ${remedy}`);
}

function install(packages: readonly string[]): void {
  const command = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    aptGet(...command);
  } catch {
    // Lists that are too old name versions that the mirror no longer has.
    aptGet('update');
    aptGet(...command);
  }
}

function aptGet(...command: string[]): void {
  // policy-rc.d would be the other way to keep Debian from starting services; without init there is none to start.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...command], { env, stdio: 'pipe' });
}

function hasPackageLists(): boolean {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}

function isProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, name)));
}
