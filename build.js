// Compiles dist, and packs what `dray` itself runs into dist/bundle: a start has a hundred files to load then, and not five hundred, which is a
// quarter of its CPU, and V8 has compiled them before (core/start/code-cache.ts), which is another quarter; in Node 20 only CommonJS can have that.
// Files that would come out the same are left as they are, so that a build of the same sources never pulls a module from under a running dray
// (`npx dray` in a clone builds first); what has lost its source goes, since a folder of plugins is a plugin.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const bundle = join(dist, 'bundle');
const sdk = join(dist, 'core', 'sdk', 'index.js');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

/** What the program and its threads begin with: loaded before there are caches. */
const first = ['core/cli/main', 'core/worker/task-thread'];

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

/** Entries lie where their sources do; what they share lies beside the rooms of core, so that relative URLs mean the same. */
async function pack() {
  const entries = [...first, 'core/sdk/index'];
  for (const folder of readdirSync(join(root, 'plugins')).filter((name) => !name.startsWith('_'))) {
    const ends = ['reader', 'writer', 'transformer'].map((end) => `plugins/${folder}/${end}`);
    entries.push(...ends.filter((end) => existsSync(join(root, `${end}.ts`))));
  }
  const commonJs = {
    format: 'cjs',
    exports: 'named',
    strict: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'core/chunks/[name]-[hash].js',
  };
  const modules = await packed(entries, commonJs, { alias: { 'dray/sdk': sdk } });
  // vitest, which it is for, is an ES module only. Its SDK must be that of the plugins.
  const sdkOfOthers = {
    name: 'sdk',
    resolveId: (id, importer) => (importer && resolve(dirname(importer), id) === sdk ? { id: 'dray/sdk', external: true } : null),
  };
  const contract = await packed(
    ['test/contract/index'],
    { format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: 'test/contract/[name]-[hash].mjs' },
    {},
    [sdkOfOthers],
  );
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest = { name, version, type: 'commonjs', exports: { './package.json': './package.json', './sdk': './core/sdk/index.js' } };
  const files = [
    ...[...modules, ...contract].map(({ fileName, code }) => [join(bundle, fileName), code]),
    [join(bundle, 'package.json'), JSON.stringify(manifest)],
  ];
  for (const [path, content] of files) writeChanged(path, content);
  const { cachePath } = await import('./dist/core/start/code-cache.js');
  const cached = modules.filter(canBeCached).map((module) => ({ filename: join(bundle, module.fileName), isWhole: isOurs(module) }));
  const written = new Set([...files.map(([path]) => path), ...cached.map(({ filename }) => cachePath(filename))]);
  for (const path of filesBelow(bundle)) if (!written.has(path)) rmSync(path);
  chmodSync(join(bundle, 'core', 'cli', 'main.js'), 0o755);
  compileAhead(cached);
}

/** Without caches dray starts slower, and works. */
function compileAhead(modules) {
  try {
    execFileSync(process.execPath, [join(dist, 'core', 'start', 'make-code-cache.js')], {
      input: JSON.stringify(modules),
      // Flags that this build has by chance, and no run of dray.
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['pipe', 'inherit', 'inherit'],
    });
  } catch (error) {
    console.warn(`dray will start slower: its modules could not be compiled ahead: ${error.message}`);
  }
}

/** V8 keeps a text in which one character is above U+00FF in two bytes a character, in each thread: of a few arrows and dots 5 MB. */
function inOneByteCharacters(code) {
  if (/(?<!\\)(?:\\\\)*\\[^\0-\xff]/.test(code)) throw new Error('A character behind a backslash cannot be written as an escape.');
  const escaped = code.replaceAll(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (escaped !== code) parseAst(escaped);
  return escaped;
}

async function packed(entries, format, resolution, plugins = []) {
  const graph = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
    platform: 'node',
    external,
    resolve: { mainFields: ['module', 'main'], ...resolution },
    plugins,
    logLevel: 'warn',
  });
  const { output } = await graph.generate(format);
  await graph.close();
  return output.map(({ name, fileName, code, modules }) => ({ name, fileName, code: inOneByteCharacters(code), modules }));
}

/** Not those that come before the caches, and none with an import() that is left to Node. */
function canBeCached({ name, code }) {
  return !first.includes(name) && !importsAtRunTime(code);
}

/** Rather than that of packages. */
function isOurs({ modules }) {
  const bytes = (isPackage) =>
    Object.entries(modules)
      .filter(([id]) => relative(root, id).includes('node_modules') === isPackage)
      .reduce((sum, [, { renderedLength }]) => sum + renderedLength, 0);
  return bytes(false) > bytes(true);
}

function importsAtRunTime(code) {
  let found = false;
  const look = (node) => {
    if (node === null || typeof node !== 'object' || found) return;
    found = node.type === 'ImportExpression';
    for (const child of Object.values(node)) look(child);
  };
  if (/\bimport\s*\(/.test(code)) look(parseAst(code));
  return found;
}

function writeChanged(path, content) {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
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
