import { bareCell, type Schema, type Target, type TargetForms } from '../sdk/index.ts';
import { canPack } from '../task/batch-packer.ts';
import { Fit } from '../task/fit.ts';
import type { AgreedForms } from '../task/spec.ts';
import type { Plan } from './plan.ts';

/** In which forms rows go to the writer, if it takes any: from the reader, where it can and nothing on the way has to look at a cell, or made by the task. undefined: they go as text. */
export function agreedForms({ content, reader, source, delivered }: Plan, { forms, schema }: Target): AgreedForms | undefined {
  if (forms === undefined) return undefined;
  const changed = changedColumns(delivered, forms);
  if (changed.length === 0) return undefined;
  const fit = new Fit(delivered, schema);
  // Of binary rows no cell can be looked at, of bare ones NULL and the texts that are the same.
  const canBeLookedAt = forms.layout === 'binary' ? fit.isTrivial : fit.needsNone(changed);
  const isOfReader = canBeLookedAt && content.transformers.length === 0 && reader.deliversForms?.(source, forms) === true;
  if (isOfReader) return { forms, by: 'reader' };
  return canPack(delivered, forms) ? { forms, by: 'task' } : undefined;
}

/** Positions of columns whose cells are not the text that they would otherwise be. */
function changedColumns({ columns }: Schema, { layout, forms }: TargetForms): number[] {
  return [...columns.keys()].filter((index) => layout === 'binary' || bareCell(columns[index]!, forms[index]!) !== 'same');
}
