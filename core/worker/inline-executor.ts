import { asDrayError, type ErrorWire } from '../sdk/index.ts';
import { Lane } from '../task/lane.ts';
import { cancelGraceMs, orAborted } from '../task/or-aborted.ts';
import { type Executor, type LaneSpec, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import { pluginLoader } from './plugin-loader.ts';

/** Runs tasks in the calling thread: for jobs of one task, which need no other thread, and for debugging. */
export class InlineExecutor implements Executor {
  readonly lanes = 1;
  readonly #lane = new Lane(pluginLoader);

  join(_lane: number, spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    return this.#lane.join(spec, signal);
  }

  async run(_lane: number, spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    try {
      return await orAborted(this.#lane.run(spec, listener, signal), signal, cancelGraceMs);
    } catch (reason) {
      // A plugin that does not heed the signal; what it holds open goes with the program.
      return { state: 'failed', counters: zeroCounters(), error: asDrayError(reason).toWire() };
    }
  }

  /** There is no other lane that could take it over. */
  async cut(): Promise<undefined> {
    return undefined;
  }

  close(): Promise<void> {
    return this.#lane.close();
  }
}
