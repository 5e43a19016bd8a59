import type { Target } from '../sdk/index.ts';
import { canPack } from '../task/binary-packer.ts';
import { Fit } from '../task/fit.ts';
import type { BinaryRows } from '../task/spec.ts';
import type { Plan } from './plan.ts';

/** How rows go binary to the writer, if it takes that: from the reader, where it can and nothing on the way has to look at a cell, or packed by the task. undefined: they go as text. */
export function agreedForms({ content, reader, source, delivered }: Plan, { binary, schema }: Target): BinaryRows | undefined {
  if (binary === undefined) return undefined;
  const isLookedAt = content.transformers.length > 0 || !new Fit(delivered, schema).isTrivial;
  if (!isLookedAt && reader.deliversBinary?.(source, binary) === true) return { forms: binary, by: 'reader' };
  return canPack(delivered, binary) ? { forms: binary, by: 'task' } : undefined;
}
