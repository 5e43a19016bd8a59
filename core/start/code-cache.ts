/*
 * What V8 makes of the bundle's modules, kept beside them by the build: parsing and compiling them is a quarter of the time of a small job, in the main thread and
 * again in every other. Node 22 has this by itself (module.enableCompileCache); 20 has vm.Script, whose code cannot `import()`, so files that do have no cache.
 */
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import * as zlib from 'node:zlib';

/** Behind the name of a module: the CRC-32 of its text and that of V8's data, both little-endian, and the data. */
const suffix = '.cache';
const headerBytes = 8;

/** From Node 20.15 on; without it there is no cache. */
const crc32 = (zlib as { readonly crc32?: (bytes: Uint8Array | string) => number }).crc32;

/** What a CommonJS module becomes when it is run: https://nodejs.org/api/modules.html#the-module-wrapper. */
type Run = (exports: unknown, require: NodeJS.Require, module: Module, filename: string, folder: string) => unknown;

interface Compiling {
  /** Not documented; what all loaders of CommonJS hook into (pirates, v8-compile-cache). */
  _compile: (this: Module, text: string, filename: string, ...others: unknown[]) => unknown;
}

/** From here on this thread takes the modules of the bundle from their caches. Called before any of them is loaded; there are none, and it does nothing, beside sources. */
export function useCodeCache(): void {
  const bundle = fileURLToPath(new URL('../../', import.meta.url));
  onCompile((text, filename) => (filename.startsWith(bundle) ? cachedScript(text, filename) : undefined));
}

/** @param compile undefined: in the ordinary way */
function onCompile(compile: (text: string, filename: string) => Script | undefined): void {
  const prototype = Module.prototype as unknown as Compiling;
  const ordinary = prototype._compile;
  prototype._compile = function compiled(text, filename, ...others) {
    const script = compile(text, filename);
    if (script === undefined) return ordinary.call(this, text, filename, ...others);
    const run = script.runInThisContext() as Run;
    return run.call(this.exports, this.exports, createRequire(filename), this, filename, dirname(filename));
  };
}

/** undefined: compile it in the ordinary way. A cache of another V8, or of other flags of it, is refused by V8, and costs a moment. */
function cachedScript(text: string, filename: string): Script | undefined {
  let file: Buffer;
  try {
    file = readFileSync(filename + suffix);
  } catch {
    return undefined;
  }
  const cachedData = file.subarray(headerBytes);
  // V8 looks at the length of the text only, and trusts the data.
  const isWhole =
    crc32 !== undefined && file.length > headerBytes && file.readUInt32LE(0) === crc32(text) && file.readUInt32LE(4) === crc32(cachedData);
  return isWhole ? new Script(Module.wrap(text), { filename, cachedData }) : undefined;
}

/** A module of the bundle, as the build has written it. */
export interface BuiltModule {
  readonly filename: string;
  /** All of its functions are to be in the cache. Else those that loading it calls: of packages most are never called, and in memory they would be in each thread. */
  readonly isWhole: boolean;
}

/** For the build: loads the modules, and returns the names and contents of their caches. */
export function makeCodeCaches(modules: readonly BuiltModule[]): { readonly path: string; readonly content: Buffer }[] {
  if (crc32 === undefined) return [];
  const wanted = new Map(modules.map(({ filename, isWhole }) => [filename, isWhole]));
  const compiled: { readonly text: string; readonly filename: string; readonly script: Script }[] = [];
  onCompile((text, filename) => {
    const isWhole = wanted.get(filename);
    if (isWhole === undefined) return undefined;
    if (isWhole) setFlagsFromString('--no-lazy');
    const script = new Script(Module.wrap(text), { filename });
    // V8 refuses data that was made under other flags than those of its user.
    setFlagsFromString('--lazy');
    compiled.push({ text, filename, script });
    return script;
  });
  const load = createRequire(import.meta.url);
  for (const { filename } of modules) load(filename);
  return compiled.map(({ text, filename, script }) => {
    const data = script.createCachedData();
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(crc32(text), 0);
    header.writeUInt32LE(crc32(data), 4);
    return { path: filename + suffix, content: Buffer.concat([header, data]) };
  });
}
