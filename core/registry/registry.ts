import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DrayError, type ReaderPlugin, type TransformerPlugin, type WriterPlugin } from '../sdk/index.ts';
import type { PluginRef } from './plugin-ref.ts';
import { unknownPlugin } from './unknown-plugin.ts';

export type Kind = PluginRef['kind'];

/** The plugin of each kind. */
export interface PluginKinds {
  readonly reader: ReaderPlugin;
  readonly writer: WriterPlugin;
  readonly transformer: TransformerPlugin;
}

type PluginOf<K extends Kind> = PluginKinds[K];

export interface Found<K extends Kind> {
  readonly ref: PluginRef;
  readonly plugin: PluginOf<K>;
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const builtInFolder = new URL('../../plugins/', import.meta.url);

/** The plugins that come with dray: those that the modules `reader`, `writer` and `transformer` in the folders of plugins/ export. @param isMeant which folders to look into */
export async function builtInPlugins<K extends Kind>(kind: K, isMeant = (_folder: string) => true): Promise<Found<K>[]> {
  const folders = readdirSync(builtInFolder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('_') && isMeant(name));
  const modules = folders.map(({ name }) => new URL(`${name}/${kind}.${extension}`, builtInFolder)).filter((url) => existsSync(url));
  return (await Promise.all(modules.map((url) => importPlugins(kind, url.href, true)))).flat();
}

/**
 * Finds a plugin by the name in a job file: a name or alias of a built-in one in any case, a path, or an npm package.
 * @param folder of the job file; paths and packages are looked for from there
 * @throws DrayError PLUGIN_UNKNOWN or PLUGIN_BROKEN
 */
export async function resolvePlugin<K extends Kind>(kind: K, name: string, folder: string): Promise<Found<K>> {
  if (/^\.{0,2}[/\\]/.test(name) || /\.[cm]?js$/.test(name) || isAbsolute(name)) {
    const path = resolve(folder, name);
    if (!existsSync(path)) throw new DrayError('PLUGIN_UNKNOWN', `there is no ${kind} at ${path}`);
    return importFirst(kind, pathToFileURL(path).href);
  }
  const wanted = name.toLowerCase();
  // Most names begin with that of a folder: the others need not be loaded then.
  const likely = named(wanted, await builtInPlugins(kind, (folder) => wanted.startsWith(folder)));
  if (likely !== undefined) return likely;
  const builtIn = await builtInPlugins(kind);
  const match = named(wanted, builtIn);
  if (match !== undefined) return match;
  const entry = packageEntry(name, folder);
  if (entry !== undefined) return importFirst(kind, pathToFileURL(entry).href);
  throw unknownPlugin(
    kind,
    name,
    builtIn.map(({ plugin }) => plugin),
  );
}

function named<K extends Kind>(wanted: string, plugins: readonly Found<K>[]): Found<K> | undefined {
  return plugins.find(({ plugin }) => [plugin.name, ...(plugin.aliases ?? [])].some((known) => known.toLowerCase() === wanted));
}

/** Imports a plugin found before, possibly in another thread. */
export async function loadPlugin<K extends Kind>(ref: PluginRef & { readonly kind: K }): Promise<PluginOf<K>> {
  const found = await importPlugins(ref.kind, ref.module, ref.isBuiltIn);
  return (found.find((one) => one.ref.exportName === ref.exportName) ?? found[0]!).plugin;
}

async function importFirst<K extends Kind>(kind: K, module: string): Promise<Found<K>> {
  const [first] = await importPlugins(kind, module, false);
  return first!;
}

let isSdkRegistered = false;

/** Outside plugins say `import … from 'dray/sdk'` wherever they lie; all of them get this dray's SDK. */
function registerSdk(): void {
  if (isSdkRegistered) return;
  isSdkRegistered = true;
  const sdk = new URL(`../sdk/index.${extension}`, import.meta.url).href;
  const hook = `export async function resolve(specifier, context, next) {
    return specifier === 'dray/sdk' ? { url: ${JSON.stringify(sdk)}, shortCircuit: true } : next(specifier, context);
  }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

/** All plugins of a kind that a module exports; at least one. */
async function importPlugins<K extends Kind>(kind: K, module: string, isBuiltIn: boolean): Promise<Found<K>[]> {
  if (!isBuiltIn) registerSdk();
  let exports: object;
  try {
    exports = exportsOf(await import(module));
  } catch (cause) {
    throw new DrayError('PLUGIN_BROKEN', `the ${kind} ${fileURLToPath(module)} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  const found = Object.entries(exports).flatMap(([exportName, value]): Found<K>[] =>
    isPlugin(kind, value) ? [{ ref: { kind, name: value.name, module, exportName, isBuiltIn }, plugin: value }] : [],
  );
  if (found.length > 0) return found;
  throw new DrayError('PLUGIN_BROKEN', `${fileURLToPath(module)} does not export a ${kind}`);
}

/** Of a CommonJS module, as the built-in ones are in the bundle, Node puts everything below `default`, its own default as well. */
function exportsOf(loaded: { readonly default?: { readonly default?: unknown } | null }): object {
  const common = loaded.default;
  if (typeof common !== 'object' || common === null || 'kind' in common) return loaded;
  return { ...loaded, ...common, ...loaded, default: common.default ?? common };
}

function isPlugin<K extends Kind>(kind: K, value: unknown): value is PluginOf<K> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind && 'open' in value;
}

/** Entry module of a package installed for `folder` or for dray itself. Looked up by hand: require.resolve refuses ESM-only packages. */
function packageEntry(name: string, folder: string): string | undefined {
  if (!/^(@[\w.-]+\/)?[\w.-]+$/.test(name)) return undefined;
  for (const from of [join(resolve(folder), 'job'), fileURLToPath(import.meta.url)]) {
    for (const modules of createRequire(from).resolve.paths(name) ?? []) {
      const manifest = join(modules, name, 'package.json');
      if (!existsSync(manifest)) continue;
      const { exports, main } = readManifest(manifest);
      return join(modules, name, entryOf(exports) ?? main ?? 'index.js');
    }
  }
  return undefined;
}

function readManifest(path: string): { exports?: unknown; main?: string } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { exports?: unknown; main?: string };
  } catch (cause) {
    throw new DrayError('PLUGIN_BROKEN', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The file that the conditions `import` and `default` of package.json "exports" lead to. */
function entryOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const conditions = exports as Record<string, unknown>;
  return entryOf(conditions['.'] ?? conditions.import ?? conditions.default);
}
