/** Entry module of a pool thread: runs one task after the other. */
import { DrayError } from '../sdk/index.ts';
import type { TaskOutcome } from '../task/spec.ts';
import { runTaskHere } from './inline-executor.ts';
import type { FromWorker, TaskAssignment, ToWorker } from './messages.ts';

export default async function runAssignedTask({ spec, port }: TaskAssignment): Promise<TaskOutcome> {
  const cancel = new AbortController();
  const tell = (message: FromWorker) => port.postMessage(message);
  port.on('message', ({ reason }: ToWorker) => cancel.abort(DrayError.fromWire(reason)));
  try {
    return await runTaskHere(
      spec,
      {
        progress: (counters) => tell({ type: 'progress', counters }),
        dirty: (record) => tell({ type: 'dirty', record }),
        warn: (message) => tell({ type: 'warn', message }),
        print: (text) => tell({ type: 'print', text }),
      },
      cancel.signal,
    );
  } finally {
    port.close();
  }
}
