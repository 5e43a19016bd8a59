/*
 * What V8 makes of the bundle's modules, kept beside them by the build: parsing and compiling them is a quarter of the time of a small job, in the main thread and
 * again in every other. Node 22 has this by itself (module.enableCompileCache); 20 has vm.Script, whose code cannot `import()`, so modules that do have no cache.
 */
import { readFileSync, statSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import * as zlib from 'node:zlib';

/** From Node 20.15 on; without it there is no cache. */
const crc32 = (zlib as { readonly crc32?: (bytes: Uint8Array | string) => number }).crc32;

/** What a CommonJS module becomes when it is run: https://nodejs.org/api/modules.html#the-module-wrapper. */
type Run = (exports: unknown, require: NodeJS.Require, module: Module, filename: string, folder: string) => unknown;

interface Compiling {
  /** Not documented; what all loaders of CommonJS hook into (pirates, v8-compile-cache). */
  _compile: (this: Module, text: string, filename: string, ...others: unknown[]) => unknown;
}

/** Where the cache of a module is. */
export const cachePath = (filename: string): string => `${filename}.cache`;

const programKey = 'dray.program';

/**
 * Which program a cache is for; undefined if that cannot be told. V8 itself looks at its own version and flags, and the length of the text, and trusts the rest: with data
 * from another build of the same V8, as the next release of Node 20 is, the program dies of SIGSEGV.
 */
export function thisProgram(): string | undefined {
  const { version, versions, platform, arch, execPath } = process;
  try {
    const { size, mtimeMs } = statSync(execPath);
    return `${version} ${versions.v8} ${platform} ${arch} ${size} ${mtimeMs} ${execPath}`;
  } catch {
    return undefined;
  }
}

/** From here on this thread takes the modules of the bundle from their caches. Called before any of them is loaded; there are none, and it does nothing, beside sources. */
export function useCodeCache(): void {
  // Only the start of the program can tell: later there may be another one at its path.
  if (isMainThread) setEnvironmentData(programKey, thisProgram());
  const program = getEnvironmentData(programKey);
  if (typeof program !== 'string') return;
  const bundle = fileURLToPath(new URL('../../', import.meta.url));
  onCompile((text, filename) => {
    const data = filename.startsWith(bundle) ? readCache(text, filename, program) : undefined;
    return data === undefined ? undefined : new Script(Module.wrap(text), { filename, cachedData: data });
  });
}

/** @param compile called with each CommonJS module that this thread loads; undefined: it is compiled in the ordinary way */
export function onCompile(compile: (text: string, filename: string) => Script | undefined): void {
  const prototype = Module.prototype as unknown as Compiling;
  const ordinary = prototype._compile;
  prototype._compile = function compiled(text, filename, ...others) {
    const script = compile(text, filename);
    if (script === undefined) return ordinary.call(this, text, filename, ...others);
    const run = script.runInThisContext() as Run;
    return run.call(this.exports, this.exports, createRequire(filename), this, filename, dirname(filename));
  };
}

/** What is in front of the data: the CRC-32 of the module's text and of the data, both little-endian, and for whom it is. */
const checksumBytes = 8;

/** The data of V8 for a module; undefined if there is none for this text and program, or it is not whole. */
export function readCache(text: string, filename: string, program: string): Buffer | undefined {
  let content: Buffer;
  try {
    content = readFileSync(cachePath(filename));
  } catch {
    return undefined;
  }
  const start = checksumBytes + Buffer.byteLength(program);
  if (crc32 === undefined || content.length <= start || content.toString('utf8', checksumBytes, start) !== program) return undefined;
  const data = content.subarray(start);
  return content.readUInt32LE(0) === crc32(text) && content.readUInt32LE(4) === crc32(data) ? data : undefined;
}

/** The content of the cache of a module; undefined where there is no CRC-32. */
export function cacheContent(text: string, data: Buffer, program: string): Buffer | undefined {
  if (crc32 === undefined) return undefined;
  const checksums = Buffer.alloc(checksumBytes);
  checksums.writeUInt32LE(crc32(text), 0);
  checksums.writeUInt32LE(crc32(data), 4);
  return Buffer.concat([checksums, Buffer.from(program), data]);
}
