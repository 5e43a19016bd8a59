import type { PluginContext, Reader, ReaderPlugin } from '../sdk/index.ts';
import type { EndSpec } from './spec.ts';

/** Gives a task its reader, and takes it back. */
export interface ReaderSource {
  /** @param context the task's; a reader that is kept for several tasks was opened with that of its lane */
  take(context: PluginContext): Promise<Reader>;
  /** @param isReusable false if its last `read` failed */
  giveBack(reader: Reader, isReusable: boolean): Promise<void>;
}

/** A reader for one task alone. */
export function ownReader(plugin: ReaderPlugin, { options }: EndSpec): ReaderSource {
  return {
    take: async (context) => plugin.open(options, context),
    giveBack: async (reader) => reader.close?.(),
  };
}
