import { DrayError, type Layout, type TaskWriter } from '../sdk/index.ts';

/** What a call of the writer has thrown, where a row was refused and nobody can say which: the task is to start again, batch by batch. */
export function asRefusedWhole(error: unknown, { isStraight }: TaskWriter, layout: Layout | undefined): unknown {
  if (!(error instanceof DrayError) || error.code !== 'ROW_REJECTED' || (isStraight !== true && (layout ?? 'text') === 'text'))
    return error;
  return new DrayError('NOT_STRAIGHT', `the target refuses a row: ${error.message}`, { cause: error, side: 'target' });
}
