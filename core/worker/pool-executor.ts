import { asDrayError, DrayError, type ErrorWire } from '../sdk/index.ts';
import { type Executor, type LaneSpec, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import { LaneThread, type ThreadEnded } from './lane-thread.ts';

/** Runs tasks on threads, one per lane (each a piscina of one thread). */
export class PoolExecutor implements Executor {
  readonly #threads: readonly LaneThread[];
  /** The snapshot that each lane has joined. */
  readonly #snapshots: (LaneSpec | undefined)[] = [];

  constructor(lanes: number) {
    this.#threads = Array.from({ length: lanes }, () => new LaneThread());
  }

  get lanes(): number {
    return this.#threads.length;
  }

  async join(lane: number, spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    this.#snapshots[lane] = undefined;
    const error = await this.#threads[lane]!.join(spec, signal).catch((cause: ThreadEnded) => {
      return endedError('the thread that was to join the snapshot', cause, signal).at({ side: 'source' }).toWire();
    });
    if (error === undefined && spec.snapshot !== undefined) this.#snapshots[lane] = spec;
    return error;
  }

  async run(lane: number, spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    try {
      return await this.#threads[lane]!.run({ spec, snapshot: this.#snapshots[lane] }, listener, signal);
    } catch (cause) {
      const error = endedError(`the thread of task ${spec.id}`, cause as ThreadEnded, signal);
      return { state: 'failed', counters: zeroCounters(), error: error.toWire() };
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

function endedError(what: string, cause: ThreadEnded, signal: AbortSignal): DrayError {
  if (signal.aborted) return asDrayError(signal.reason);
  return new DrayError('WORKER_DIED', `${what} ended: ${cause.message}`, { cause });
}
