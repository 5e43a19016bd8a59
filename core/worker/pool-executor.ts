import { asDrayError, DrayError, type ErrorWire } from '../sdk/index.ts';
import { type Executor, type LaneSpec, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import type { LaneThread, ThreadEnded } from './lane-thread.ts';
import type { Threads } from './threads.ts';

/** Runs tasks on threads, one per lane (each a piscina of one thread), which begin when they are first needed. */
export class PoolExecutor implements Executor {
  readonly lanes: number;
  readonly #all: Threads;
  readonly #threads: (LaneThread | undefined)[] = [];
  /** Lanes on which something has failed: nobody knows what goes on in their threads. */
  readonly #spoiled = new Set<number>();
  /** The snapshot that each lane has joined. */
  readonly #snapshots: (LaneSpec | undefined)[] = [];

  /** @param threads where those come from, and go to */
  constructor(lanes: number, threads: Threads) {
    this.lanes = lanes;
    this.#all = threads;
  }

  async join(lane: number, spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    this.#snapshots[lane] = undefined;
    const error = await this.#thread(lane)
      .join(spec, signal)
      .catch((cause: ThreadEnded) => {
        return endedError('the thread that was to join the snapshot', cause, signal).at({ side: 'source' }).toWire();
      });
    if (error !== undefined) this.#spoiled.add(lane);
    if (error === undefined && spec.snapshot !== undefined) this.#snapshots[lane] = spec;
    return error;
  }

  async run(lane: number, spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    try {
      const outcome = await this.#thread(lane).run({ spec, snapshot: this.#snapshots[lane] }, listener, signal);
      if (outcome.state === 'failed') this.#spoiled.add(lane);
      return outcome;
    } catch (cause) {
      this.#spoiled.add(lane);
      const error = endedError(`the thread of task ${spec.id}`, cause as ThreadEnded, signal);
      return { state: 'failed', counters: zeroCounters(), error: error.toWire() };
    }
  }

  #thread(lane: number): LaneThread {
    const thread = this.#threads[lane] ?? this.#all.take();
    this.#threads[lane] = thread;
    return thread;
  }

  async cut(lane: number): Promise<number | undefined> {
    return this.#threads[lane]?.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread, lane) => thread && this.#all.giveBack(thread, !this.#spoiled.has(lane))));
    this.#threads.length = 0;
  }
}

function endedError(what: string, cause: ThreadEnded, signal: AbortSignal): DrayError {
  if (signal.aborted) return asDrayError(signal.reason);
  return new DrayError('WORKER_DIED', `${what} ended: ${cause.message}`, { cause });
}
