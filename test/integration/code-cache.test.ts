import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crc32 } from '../../plugins/_files/codecs/crc32.ts';
import { tempFolder } from '../support/temp-folder.ts';

const project = join(import.meta.dirname, '..', '..');
const bundle = join(project, 'dist', 'bundle');

const modulesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => join(folder, path));

/** A copy of the bundle that can be spoilt. */
function copiedBundle(): string {
  const folder = tempFolder();
  const copy = join(folder, 'dist', 'bundle');
  cpSync(bundle, copy, { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  return copy;
}

/** Flags of V8 that the tests have by chance. */
const env = { ...process.env, NODE_OPTIONS: '' };

const dray = (copy: string, words: readonly string[], flags: readonly string[] = []) =>
  execFileSync(process.execPath, [...flags, join(copy, 'core', 'cli', 'main.js'), ...words], { encoding: 'utf8', stdio: 'pipe', env });

const maker = join(project, 'dist', 'core', 'start', 'make-code-cache.js');

/** Has the build's program make the cache of a module anew. */
const makeCache = (filename: string) =>
  execFileSync(process.execPath, [maker], { input: JSON.stringify([{ filename, isWhole: true }]), env });

/** Its first field: the CRC-32 of the module's text. */
function claimText(cache: Buffer, text: string): Buffer {
  cache.writeUInt32LE(crc32(Buffer.from(text)), 0);
  return cache;
}

/** Runs as a program of its own, since flags of V8 that vitest sets are not those of dray. Prints the modules whose cache V8 refuses. */
const refusedBy = `
  import { readFileSync } from 'node:fs';
  import Module from 'node:module';
  import { Script } from 'node:vm';
  const { readCache, thisProgram } = await import(process.argv[1]);
  for (const filename of process.argv.slice(2)) {
    const text = readFileSync(filename, 'utf8');
    const cachedData = readCache(text, filename, thisProgram());
    if (cachedData === undefined || new Script(Module.wrap(text), { filename, cachedData }).cachedDataRejected) console.log(filename);
  }`;

test('the modules of the bundle have caches, which V8 takes, but for the two that come before caches and those with an import() of others', () => {
  const [withCache, without] = [true, false].map((has) => modulesOf(bundle).filter((path) => existsSync(`${path}.cache`) === has));
  expect(withCache!.length).toBeGreaterThan(80);
  expect(new Set(without!.map((path) => /([\w-]+?)(?:-[\w-]{8})?\.js$/.exec(path)![1]))).toEqual(
    new Set(['main', 'registry', 's3-storage', 'sftp-storage', 'task-thread']),
  );
  const codeCache = join(project, 'dist', 'core', 'start', 'code-cache.js');
  expect(
    execFileSync(process.execPath, ['--input-type=module', '-e', refusedBy, codeCache, ...withCache!], { encoding: 'utf8', env }),
  ).toBe('');
});

/** Gives a module of a copied bundle the cache of another text of the same length. */
function plant(copy: string, name: string, text: string, other: string): void {
  const path = modulesOf(copy).find((one) => one.includes(`/${name}-`))!;
  const right = readFileSync(path, 'utf8');
  expect(right).toContain(text);
  writeFileSync(path, right.replace(text, other));
  makeCache(path);
  writeFileSync(path, right);
  writeFileSync(`${path}.cache`, claimText(readFileSync(`${path}.cache`), right));
}

test('the main thread runs the code of the caches', () => {
  const copy = copiedBundle();
  plant(copy, 'command-line', 'Moves tables between', 'Takes tables between');
  expect(dray(copy, ['--help'])).toContain('Takes tables between');
  // V8 refuses what was made under other flags.
  expect(dray(copy, ['--help'], ['--no-opt'])).toContain('Moves tables between');
});

test('the threads of tasks run the code of the caches', () => {
  const copy = copiedBundle();
  const words = ['run', join(project, 'jobs', 'stream-to-stream.json'), '--channels', '2'];
  expect(dray(copy, words)).toContain('hello');
  plant(copy, 'lane-assignments', 'print: (text) =>', 'print: (tex_) =>');
  expect(() => dray(copy, words)).toThrow('text is not defined');
});

test('a cache for another program, as another release of Node 20 is, is not used', () => {
  const copy = copiedBundle();
  plant(copy, 'command-line', 'Moves tables between', 'Takes tables between');
  const path = modulesOf(copy).find((one) => one.includes('/command-line-'))!;
  const cache = readFileSync(`${path}.cache`);
  const version = cache.indexOf(process.version);
  expect(version).toBe(8);
  cache.write('v20.99', version);
  writeFileSync(`${path}.cache`, cache);
  expect(dray(copy, ['--help'])).toContain('Moves tables between');
});

test('threads start when the program was replaced or removed meanwhile, as an update of Node does', () => {
  const folder = tempFolder();
  const node = join(folder, 'node');
  cpSync(process.execPath, node);
  const thread = join(bundle, 'core', 'worker', 'task-thread.js');
  const script = `
    const { unlinkSync } = require('node:fs');
    const { Worker } = require('node:worker_threads');
    unlinkSync(${JSON.stringify(node)});
    const worker = new Worker(${JSON.stringify(thread)});
    worker.on('error', (error) => { console.log(error.message); process.exit(1); });
    worker.on('exit', (code) => console.log('thread ended with', code));`;
  expect(execFileSync(node, ['-e', script], { encoding: 'utf8', env })).toBe('thread ended with 0\n');
});

test('all of the bundle is strict code, as its sources are', () => {
  for (const path of modulesOf(bundle)) expect.soft(readFileSync(path, 'utf8'), path).toMatch(/^(#!.*\n)?"use strict";/);
});

test('no text of the bundle needs two bytes a character in memory', () => {
  for (const path of modulesOf(bundle)) expect.soft(readFileSync(path, 'utf8'), path).toMatch(/^[\0-\xff]*$/);
});

test('a module that was changed behind its cache is taken as it is now', () => {
  const copy = copiedBundle();
  const path = modulesOf(copy).find((one) => /command-line-[\w-]{8}\.js$/.test(one))!;
  const text = readFileSync(path, 'utf8');
  expect(dray(copy, ['--help'])).toContain('Moves tables between');
  // Of the same length: V8 by itself would take the cache for that of this text.
  writeFileSync(path, text.replace('Moves tables between', 'Takes tables between'));
  expect(dray(copy, ['--help'])).toContain('Takes tables between');
});

test('a cache that is cut off, spoilt or empty is not used', () => {
  const copy = copiedBundle();
  const help = dray(copy, ['--help']);
  const caches = modulesOf(copy)
    .filter((path) => existsSync(`${path}.cache`))
    .map((path) => `${path}.cache`);
  caches.forEach((path, at) => {
    const content = readFileSync(path);
    if (at % 3 === 0) writeFileSync(path, content.subarray(0, statSync(path).size / 2));
    else if (at % 3 === 1) writeFileSync(path, content.fill(0xa5, content.length >> 1));
    else writeFileSync(path, '');
  });
  expect(dray(copy, ['--help'])).toBe(help);
  expect(dray(copy, ['plugins', 'postgresqlwriter'])).toContain('postgresqlwriter');
});
