import type { Content } from '../job/load-job.ts';

/** What rows of a content pass: `mysql → mask → postgres`. */
export function wayOf({ reader, transformers, writer }: Content): string {
  return [reader, ...transformers, writer].map(({ plugin }) => plugin.name).join(' → ');
}

/** `content 2`, and with several targets `content 2, target 1`; counted from 1. */
export function nameOf({ entry, fanOut }: Content): string {
  return `content ${entry + 1}${fanOut === undefined ? '' : `, target ${fanOut.target + 1}`}`;
}
