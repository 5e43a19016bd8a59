// Compiles dist, and packs what `dray` itself runs into dist/bundle: a start has a hundred files to load then, and not five hundred, which is a
// quarter of its CPU. Files that would come out the same are left as they are, so that a build of the same sources never pulls a module from under a
// running dray (`npx dray` in a clone builds first); what has lost its source goes, since a folder of plugins is a plugin.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const bundle = join(dist, 'bundle');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

/** Packages with native parts, WebAssembly or threads of their own, and those that only plugins of others and their tests use. */
const external = [
  '@aws-sdk',
  '@jitl',
  '@mongodb-js/zstd',
  'piscina',
  'quickjs-emscripten-core',
  'ssh2',
  'ssh2-sftp-client',
  'vitest',
  'zlib-sync',
].map((name) => new RegExp(`^${name}(/|$)`));

try {
  execFileSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
} catch (error) {
  process.exit(error.status ?? 1);
}
for (const path of filesBelow(dist)) {
  const source = join(root, relative(dist, path)).replace(/\.(?:js|js\.map|d\.ts)$/, '.ts');
  if (!path.startsWith(bundle) && source.endsWith('.ts') && !existsSync(source)) rmSync(path);
}
await pack();
removeEmpty(dist);
chmodSync(join(bundle, 'core', 'cli', 'main.js'), 0o755);

/** Entries lie where their sources do; what they share lies beside the rooms of core, so that relative URLs mean the same. */
async function pack() {
  const entries = ['core/cli/main', 'core/worker/task-thread', 'core/sdk/index', 'test/contract/index'];
  for (const folder of readdirSync(join(root, 'plugins')).filter((name) => !name.startsWith('_'))) {
    const ends = ['reader', 'writer', 'transformer'].map((end) => `plugins/${folder}/${end}`);
    entries.push(...ends.filter((end) => existsSync(join(root, `${end}.ts`))));
  }
  const graph = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
    platform: 'node',
    external,
    resolve: { mainFields: ['module', 'main'], alias: { 'dray/sdk': join(dist, 'core', 'sdk', 'index.js') } },
    logLevel: 'warn',
  });
  const { output } = await graph.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'core/chunks/[name]-[hash].js',
  });
  await graph.close();
  for (const { fileName, code } of output) writeChanged(join(bundle, fileName), code);
  const written = new Set(output.map(({ fileName }) => join(bundle, fileName)));
  for (const path of filesBelow(bundle)) if (!written.has(path)) rmSync(path);
}

function writeChanged(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}
