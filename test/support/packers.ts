import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

const packages = ['bzip2', 'zip'];

/** Makes sure that the programs are here: as root on Debian it installs them, anywhere else it throws and says what to do. */
export function requirePackers(): void {
  const isHere = () => packages.every((name) => existsSync(`/usr/bin/${name}`));
  if (isHere()) return;
  const apt = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const remedy = `${packages.join(' and ')} are not installed. Install them as root: ${apt}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(remedy);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lockTimeout = ['-o', 'DPkg::Lock::Timeout=300'];
  execFileSync('apt-get', [...lockTimeout, 'update'], { env, stdio: 'pipe' });
  execFileSync('apt-get', [...lockTimeout, 'install', '-y', '--no-install-recommends', ...packages], { env, stdio: 'pipe' });
  if (!isHere()) throw new Error(remedy);
}

const maxBuffer = 1 << 30;

/** What the program bzip2 makes of bytes. */
export function bzip2Of(plain: Uint8Array, ...options: string[]): Buffer {
  return execFileSync('bzip2', ['-c', ...options], { input: plain, maxBuffer });
}

/** An archive of these files, in this order, as the program zip makes it. */
export function zipOf(files: Readonly<Record<string, Uint8Array | string>>, ...options: string[]): Buffer {
  const folder = tempFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(join(folder, name), content);
  }
  execFileSync('zip', ['-q', '-X', ...options, 'out.zip', ...Object.keys(files)], { cwd: folder, stdio: 'pipe' });
  const archive = readFileSync(join(folder, 'out.zip'));
  rmSync(folder, { recursive: true });
  return archive;
}

/** The same of one file that comes through a pipe, so that its length stands behind it. */
export function zipOfPipe(plain: Uint8Array): Buffer {
  return execFileSync('sh', ['-c', 'zip -q - - | cat'], { input: plain, maxBuffer });
}
