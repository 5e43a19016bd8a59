import { asDrayError, DrayError, type ErrorWire } from '../sdk/index.ts';
import { type Executor, type LaneSpec, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import { LaneThread, type ThreadEnded } from './lane-thread.ts';

/** Runs tasks on threads, one per lane (each a piscina of one thread), which begin when they are first needed. */
export class PoolExecutor implements Executor {
  readonly lanes: number;
  readonly #threads: (LaneThread | undefined)[] = [];
  /** The snapshot that each lane has joined. */
  readonly #snapshots: (LaneSpec | undefined)[] = [];

  constructor(lanes: number) {
    this.lanes = lanes;
  }

  async join(lane: number, spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    this.#snapshots[lane] = undefined;
    const error = await this.#thread(lane)
      .join(spec, signal)
      .catch((cause: ThreadEnded) => {
        return endedError('the thread that was to join the snapshot', cause, signal).at({ side: 'source' }).toWire();
      });
    if (error === undefined && spec.snapshot !== undefined) this.#snapshots[lane] = spec;
    return error;
  }

  async run(lane: number, spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    try {
      return await this.#thread(lane).run({ spec, snapshot: this.#snapshots[lane] }, listener, signal);
    } catch (cause) {
      const error = endedError(`the thread of task ${spec.id}`, cause as ThreadEnded, signal);
      return { state: 'failed', counters: zeroCounters(), error: error.toWire() };
    }
  }

  #thread(lane: number): LaneThread {
    const thread = this.#threads[lane] ?? new LaneThread();
    this.#threads[lane] = thread;
    return thread;
  }

  async cut(lane: number): Promise<number | undefined> {
    return this.#threads[lane]?.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.close()));
  }
}

function endedError(what: string, cause: ThreadEnded, signal: AbortSignal): DrayError {
  if (signal.aborted) return asDrayError(signal.reason);
  return new DrayError('WORKER_DIED', `${what} ended: ${cause.message}`, { cause });
}
