/*
 * A program for the build: makes the code caches of modules. Their list comes as JSON from standard input: an array of BuiltModule. Those whose caches are right are left as they are.
 * It is a program of its own because it loads the modules, and since V8 refuses data that was made under other flags than those of its user.
 */
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { cacheContent, cachePath, onCompile, readCache, thisProgram } from './code-cache.ts';

/** A module of the bundle, as the build has written it. */
export interface BuiltModule {
  readonly filename: string;
  /** All of its functions are to be in the cache. Else those that loading it calls: of packages most are never called, and in memory they would be in each thread. */
  readonly isWhole: boolean;
}

// Node compiles a module under its true path.
const modules = (JSON.parse(readFileSync(0, 'utf8')) as BuiltModule[]).map((one) => ({ ...one, filename: realpathSync(one.filename) }));
const program = thisProgram();
if (program === undefined) process.exit();
const outdated = modules.filter(({ filename }) => readCache(readFileSync(filename, 'utf8'), filename, program) === undefined);
const wanted = new Map(outdated.map(({ filename, isWhole }) => [filename, isWhole]));
const compiled: { readonly text: string; readonly filename: string; readonly script: Script }[] = [];

onCompile((text, filename) => {
  const isWhole = wanted.get(filename);
  if (isWhole === undefined) return undefined;
  if (isWhole) setFlagsFromString('--no-lazy');
  const script = new Script(Module.wrap(text), { filename });
  if (isWhole) setFlagsFromString('--lazy');
  compiled.push({ text, filename, script });
  return script;
});
const load = createRequire(import.meta.url);
for (const { filename } of outdated) load(filename);
for (const { text, filename, script } of compiled) {
  const content = cacheContent(text, script.createCachedData(), program);
  // Whoever reads it in the middle of this sees by its checksums that it is not whole.
  if (content !== undefined) writeFileSync(cachePath(filename), content);
}
