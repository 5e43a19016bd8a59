import { DrayError } from '../sdk/index.ts';
import type { TaskTally } from './spec.ts';

/** Every row that was read is written, filtered or dirty; anything else is a bug of a plugin or of ours, and must not be committed. */
export function refuseMiscount({ rowsRead, rowsWritten, rowsFiltered, rowsDirty }: TaskTally | Omit<TaskTally, 'attempt'>): void {
  if (rowsRead === rowsWritten + rowsFiltered + rowsDirty) return;
  throw new DrayError(
    'ROWS_DIFFER',
    `${rowsRead} rows were read, and ${rowsWritten} written, ${rowsFiltered} filtered and ${rowsDirty} dirty: the sums differ`,
    { remedy: 'This is a bug in dray or in a plugin: report it. Nothing of this task was committed.' },
  );
}
