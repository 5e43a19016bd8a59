// Compiles dist. Files that would come out the same are left as they are, so that a build never pulls a module from under a
// running dray (`npx dray` in a clone builds first); what has lost its source goes, since a folder of dist/plugins is a plugin.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

try {
  execFileSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
} catch (error) {
  process.exit(error.status ?? 1);
}
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const source = join(root, relative(dist, path)).replace(/\.(?:js|js\.map|d\.ts)$/, '.ts');
  if (!existsSync(source) && (entry.isDirectory() || source.endsWith('.ts'))) rmSync(path, { recursive: true, force: true });
}
chmodSync(join(dist, 'core', 'cli', 'main.js'), 0o755);
