import type { Content } from '../job/load-job.ts';

/** What rows of a content pass: `mysql → mask → postgres`. */
export function wayOf({ reader, transformers, writer }: Content): string {
  return [reader, ...transformers, writer].map(({ plugin }) => plugin.name).join(' → ');
}
