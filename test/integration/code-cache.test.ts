import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

const dray = (copy: string, words: readonly string[], flags: readonly string[] = []) =>
  execFileSync(process.execPath, [...flags, join(copy, 'core', 'cli', 'main.js'), ...words], { encoding: 'utf8' });

/** Runs as a program of its own, since flags of V8 that vitest sets are not those of dray. Prints the modules whose cache V8 refuses. */
const refusedBy = `
  const { readFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  const { wrap } = require('node:module');
  for (const filename of process.argv.slice(1)) {
    const { cachedDataRejected } = new Script(wrap(readFileSync(filename, 'utf8')), { filename, cachedData: readFileSync(filename + '.cache').subarray(8) });
    if (cachedDataRejected) console.log(filename);
  }`;

test('the modules of the bundle have caches, which V8 takes, but for the two that come before caches and those with an import() of others', () => {
  const [withCache, without] = [true, false].map((has) => modulesOf(bundle).filter((path) => existsSync(`${path}.cache`) === has));
  expect(withCache!.length).toBeGreaterThan(80);
  expect(without!.map((path) => /([\w-]+?)(?:-[\w-]{8})?\.js$/.exec(path)![1]).sort()).toEqual(
    ['main', 'registry', 's3-storage', 'sftp-storage', 'task-thread'].sort(),
  );
  expect(execFileSync(process.execPath, ['-e', refusedBy, ...withCache!], { encoding: 'utf8' })).toBe('');
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

test('a cache that is cut off, spoilt or empty is not used, nor one made under other flags', () => {
  const copy = copiedBundle();
  const help = dray(copy, ['--help']);
  expect(dray(copy, ['--help'], ['--no-opt'])).toBe(help);
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
