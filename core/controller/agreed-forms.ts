import type { BinaryForm, Target } from '../sdk/index.ts';
import { Fit } from '../task/fit.ts';
import type { Plan } from './plan.ts';

/** The forms in which rows go binary from the reader to the writer: where both can, and nothing on the way has to look at a cell. undefined: they go as text. */
export function agreedForms({ content, reader, source, delivered }: Plan, { binary, schema }: Target): readonly BinaryForm[] | undefined {
  if (binary === undefined || content.transformers.length > 0) return undefined;
  if (!new Fit(delivered, schema).isTrivial) return undefined;
  return reader.deliversBinary?.(source, binary) === true ? binary : undefined;
}
