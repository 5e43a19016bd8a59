import { loadPlugin } from '../registry/registry.ts';
import { asDrayError } from '../sdk/index.ts';
import { cancelGraceMs, orAborted } from '../task/or-aborted.ts';
import { runTask } from '../task/run-task.ts';
import { type Executor, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';

/** Runs tasks in the calling thread: for jobs of one task, which need no other thread, and for debugging. */
export class InlineExecutor implements Executor {
  async run(...[spec, listener, signal]: Parameters<Executor['run']>): Promise<TaskOutcome> {
    try {
      return await orAborted(runTaskHere(spec, listener, signal), signal, cancelGraceMs);
    } catch (reason) {
      // A plugin that does not heed the signal; what it holds open goes with the program.
      return { state: 'failed', counters: zeroCounters(), error: asDrayError(reason).toWire() };
    }
  }

  async close(): Promise<void> {}
}

/** Loads the plugins a task names and runs it in this thread. Never rejects. */
export async function runTaskHere(
  spec: TaskSpec,
  ...[listener, signal]: [Parameters<Executor['run']>[1], AbortSignal]
): Promise<TaskOutcome> {
  try {
    const reader = await loadPlugin({ ...spec.reader.plugin, kind: 'reader' });
    const writer = await loadPlugin({ ...spec.writer.plugin, kind: 'writer' });
    return await runTask(spec, { reader, writer }, listener, signal);
  } catch (error) {
    return { state: 'failed', counters: zeroCounters(), error: asDrayError(error).toWire() };
  }
}
