import { dirname } from 'node:path';
import { builtInPlugins, resolvePlugin } from '../../registry/registry.ts';
import { DrayError, z } from '../../sdk/index.ts';
import { optionRows } from '../option-rows.ts';
import { type AnyPlugin, referencePage } from '../reference-page.ts';
import { Screen } from '../screen.ts';

export interface ListOptions {
  readonly json: boolean;
  readonly markdown: boolean;
}

/** `dray plugins [NAME]` */
export async function listPlugins(name: string | undefined, { json, markdown }: ListOptions): Promise<void> {
  const screen = new Screen();
  const found = name === undefined ? await allPlugins() : await pluginsCalled(name);
  if (json) {
    screen.json(found.map(facts));
    return;
  }
  if (markdown) {
    screen.result(referencePage(found));
    return;
  }
  screen.result(found.map(name === undefined ? oneLine : withOptions).join('\n'));
  if (name === undefined)
    screen.result('\n`dray plugins NAME` lists the options of one. A plugin of your own is named in the job file by path or package.\n');
}

/** Readers and writers by name, then transformers by name. */
export async function allPlugins(): Promise<AnyPlugin[]> {
  const byName = (a: AnyPlugin, b: AnyPlugin) => a.name.localeCompare(b.name) || a.kind.localeCompare(b.kind);
  const ends = [...(await builtInPlugins('reader')), ...(await builtInPlugins('writer'))].map(({ plugin }) => plugin);
  const transformers = (await builtInPlugins('transformer')).map(({ plugin }) => plugin);
  return [...ends.sort(byName), ...transformers.sort(byName)];
}

async function pluginsCalled(name: string): Promise<AnyPlugin[]> {
  const tries = await Promise.allSettled([
    resolvePlugin('reader', name, '.'),
    resolvePlugin('writer', name, '.'),
    resolvePlugin('transformer', name, '.'),
  ]);
  const found = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value.plugin] : []));
  if (found.length > 0) return found;
  const [first] = tries as PromiseRejectedResult[];
  throw first?.reason instanceof DrayError ? first.reason : new DrayError('PLUGIN_UNKNOWN', `there is no plugin at ${dirname(name)}`);
}

function facts({ kind, name, aliases = [], summary, options }: AnyPlugin): object {
  return { kind, name, aliases, summary, options: z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) };
}

function oneLine({ kind, name, aliases = [], summary }: AnyPlugin): string {
  return `${name.padEnd(10)} ${kind.padEnd(11)}  ${[name, ...aliases].at(-1)!.padEnd(18)} ${summary}`;
}

function withOptions(plugin: AnyPlugin): string {
  const names = [plugin.name, ...(plugin.aliases ?? [])].join(', ');
  const rows = optionRows(plugin.options).map(({ key, isRequired, type, fallback, text }) => {
    const need = isRequired ? 'required' : fallback === undefined ? '' : `default ${fallback}`;
    return `  ${key.padEnd(26)} ${type}${need === '' ? '' : `, ${need}`}\n${' '.repeat(29)}${text}`;
  });
  return `${plugin.kind} ${names}: ${plugin.summary}\n${rows.join('\n')}\n`;
}
