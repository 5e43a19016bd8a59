import { loadPlugin } from '../registry/registry.ts';
import type { PluginLoader } from '../task/lane.ts';

/** Loads plugins by their modules, each once per thread. */
export const pluginLoader: PluginLoader = {
  reader: (ref) => loadPlugin({ ...ref, kind: 'reader' }),
  writer: (ref) => loadPlugin({ ...ref, kind: 'writer' }),
  transformer: (ref) => loadPlugin({ ...ref, kind: 'transformer' }),
};
