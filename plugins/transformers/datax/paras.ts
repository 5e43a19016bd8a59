import { ignored, z } from 'dray/sdk';
import { namesColumn, oneColumn } from '../column-options.ts';

/** A text, which DataX's job files also write as a number. */
export function text() {
  return z.union([z.string(), z.number().transform(String)], { error: 'Expected a text' });
}

/** The `parameter` of a DataX transformer of one column. */
export function dataxOptions<P extends z.ZodType>(paras: P) {
  return z.strictObject({ ...oneColumn, paras, context: ignored('nothing here reads it') }).refine(...namesColumn);
}
