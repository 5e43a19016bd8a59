import type { PluginRef } from '../registry/plugin-ref.ts';
import { loadPlugin } from '../registry/registry.ts';
import type { PluginLoader } from '../task/lane.ts';

/** Loads plugins by their modules, each once per thread. */
export const pluginLoader: PluginLoader = {
  reader: (ref) => loadPlugin({ ...ref, kind: 'reader' }),
  writer: (ref) => loadPlugin({ ...ref, kind: 'writer' }),
  transformer: (ref) => loadPlugin({ ...ref, kind: 'transformer' }),
};

/** Loads plugins, and what they need, before a task asks for them. Never rejects: whoever asks is told. */
export async function loadAhead(refs: readonly PluginRef[]): Promise<void> {
  await Promise.allSettled(
    refs.map(async (ref) => {
      const plugin = await loadPlugin(ref);
      if (plugin.kind !== 'transformer') await plugin.load?.();
    }),
  );
}
