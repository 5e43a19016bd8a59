import { asDrayError, DrayError } from '../sdk/index.ts';
import type { ReaderSource } from './reader-source.ts';
import { runTask, type TaskPlugins } from './run-task.ts';
import { SharedReading } from './shared-reading.ts';
import type { TaskListener, TaskOutcome, TaskSpec } from './spec.ts';

/** The rate limits hold for what is read, once for all. */
const unlimited = { rates: { bytesPerSecond: 0, recordsPerSecond: 0 }, flows: [] };

/**
 * Runs a task and those beside it in the calling thread: their rows are read once, and each has its own transformers, checks, writer and commit. One that fails
 * leaves the others alone; but one that fails for good ends them, unless it may be left out. Never rejects.
 * @param plugins of the task, and of each one beside it
 */
export async function runTogether(
  spec: TaskSpec,
  plugins: readonly TaskPlugins[],
  listener: TaskListener,
  cancel: AbortSignal,
  readers: ReaderSource,
): Promise<TaskOutcome> {
  const specs = [spec, ...(spec.beside ?? [])];
  const reading = new SharedReading(readers, spec, specs.length);
  const stop = new AbortController();
  const onCancel = () => stop.abort(cancel.reason);
  cancel.addEventListener('abort', onCancel, { once: true });
  if (cancel.aborted) onCancel();
  const run = async (one: TaskSpec, index: number): Promise<TaskOutcome> => {
    const branch = reading.branch(index);
    const heard = index === 0 ? withoutCut(listener) : listener.beside!(one.id);
    const outcome = await runTask({ ...one, ...unlimited }, plugins[index]!, heard, stop.signal, branch);
    await branch.leave().catch(() => undefined);
    if (outcome.state === 'done') return outcome;
    const error = DrayError.fromWire(outcome.error);
    if (one.onFailure !== 'go-on' && !error.isRetryable) stop.abort(asDrayError(error));
    return outcome;
  };
  try {
    const [first, ...beside] = await Promise.all(specs.map(run));
    return { ...first!, beside };
  } finally {
    cancel.removeEventListener('abort', onCancel);
  }
}

/** All of them would have to give away the same parts. */
function withoutCut(listener: TaskListener): TaskListener {
  const { cuttable: _, ...rest } = listener;
  return rest;
}
