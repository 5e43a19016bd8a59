import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { FixedQueue, Piscina } from 'piscina';
import { asDrayError, DrayError } from '../sdk/index.ts';
import { cancelGraceMs } from '../task/or-aborted.ts';
import { type Executor, type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from '../task/spec.ts';
import type { FromWorker, TaskAssignment, ToWorker } from './messages.ts';

/** Runs each task on a thread of its own pool (piscina). */
export class PoolExecutor implements Executor {
  readonly #pool: Piscina<TaskAssignment, TaskOutcome>;

  constructor(threads: number) {
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./task-thread.js', import.meta.url)),
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // The default waits for work with Atomics.wait, which stops the thread's event loop and with it every open connection.
      atomics: 'disabled',
      recordTiming: false,
      // Chunks from sockets die young, but are only freed when the young generation is full; with the default of 48 MB per thread two
      // channels held 228 MB, with this 178 MB, at 3 % more CPU.
      resourceLimits: { maxYoungGenerationSizeMb: 3 },
      taskQueue: new FixedQueue(),
    });
  }

  async run(spec: TaskSpec, listener: TaskListener, signal: AbortSignal): Promise<TaskOutcome> {
    const { port1: here, port2: there } = new MessageChannel();
    here.on('message', (message: FromWorker) => deliver(message, listener));
    const portClosed = once(here, 'close');
    const kill = new AbortController();
    let grace: NodeJS.Timeout | undefined;
    const cancel = () => {
      here.postMessage({ type: 'cancel', reason: asDrayError(signal.reason).toWire() } satisfies ToWorker);
      grace = setTimeout(() => kill.abort(), cancelGraceMs);
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      const outcome = await this.#pool.run({ spec, port: there }, { transferList: [there], signal: kill.signal });
      // The port is closed by the thread when the task ends: everything it said before has then been delivered.
      await portClosed;
      return outcome;
    } catch (cause) {
      const message = kill.signal.aborted
        ? `task ${spec.id} did not stop within ${cancelGraceMs / 1000} s and its thread was ended; the servers roll it back`
        : `the thread of task ${spec.id} ended: ${(cause as Error).message}`;
      const error = signal.aborted ? asDrayError(signal.reason) : new DrayError('INTERNAL', message, { cause });
      return { state: 'failed', counters: zeroCounters(), error: error.toWire() };
    } finally {
      clearTimeout(grace);
      signal.removeEventListener('abort', cancel);
      here.close();
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function deliver(message: FromWorker, listener: TaskListener): void {
  switch (message.type) {
    case 'progress':
      listener.progress(message.counters);
      return;
    case 'dirty':
      listener.dirty(message.record);
      return;
    case 'warn':
      listener.warn(message.message);
      return;
    case 'print':
      listener.print(message.text);
      return;
  }
}
