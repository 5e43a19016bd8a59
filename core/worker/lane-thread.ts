import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { FixedQueue, Piscina } from 'piscina';
import type { PluginRef } from '../registry/plugin-ref.ts';
import { asDrayError, type ErrorWire } from '../sdk/index.ts';
import { cancelGraceMs } from '../task/or-aborted.ts';
import type { LaneSpec, TaskListener, TaskOutcome, TaskSpec } from '../task/spec.ts';
import type { Answer, Assignment, FromWorker, ToWorker } from './messages.ts';

/** How long a thread may take to close its reader before it is ended. */
const closeGraceMs = 2000;

/** The thread ended in the middle: a plugin called process.exit, memory ran out, or it did not stop when it was told to. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
}

type Called = Extract<Assignment, { port: MessagePort }>;
type WithoutPort<A> = A extends Called ? Omit<A, 'port'> : never;

/** The thread of one lane. If it ends, the next assignment has a new one. */
export class LaneThread {
  readonly #pool: Piscina<Assignment, Answer>;
  /** Where the task that runs is talked to. */
  #port: MessagePort | undefined;
  #onCut: ((keeps: number | undefined) => void) | undefined;

  constructor() {
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('../worker/task-thread.js', import.meta.url)),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // The default waits for work with Atomics.wait, which stops the thread's event loop and with it every open connection.
      atomics: 'disabled',
      recordTiming: false,
      // Chunks from sockets die young, but are only freed when the young generation is full; with the default of 48 MB per thread two
      // channels held 228 MB, with this 178 MB, at 3 % more CPU.
      resourceLimits: { maxYoungGenerationSizeMb: 3 },
      taskQueue: new FixedQueue(),
    });
    // A thread that ends between two tasks spoils nothing: the next one has a new thread.
    this.#pool.on('error', () => undefined);
  }

  /** Has plugins loaded ahead of the first task that needs them. */
  loadAhead(plugins: readonly PluginRef[]): void {
    // A thread that ended over it is replaced, as ever; a task of that plugin says what is wrong.
    this.#pool.run({ type: 'load', plugins }).catch(() => undefined);
  }

  /** @throws ThreadEnded */
  async join(spec: LaneSpec, signal: AbortSignal): Promise<ErrorWire | undefined> {
    return (await this.#assign({ type: 'join', spec }, undefined, signal)) as ErrorWire | undefined;
  }

  /** @throws ThreadEnded */
  async run(
    task: { readonly spec: TaskSpec; readonly snapshot: LaneSpec | undefined },
    listener: TaskListener,
    signal: AbortSignal,
  ): Promise<TaskOutcome> {
    return (await this.#assign({ type: 'run', ...task }, listener, signal)) as TaskOutcome;
  }

  /** @returns how many members the task that runs keeps; undefined if none runs, or it gives nothing away */
  async cut(): Promise<number | undefined> {
    const port = this.#port;
    if (port === undefined || this.#onCut !== undefined) return undefined;
    return new Promise((resolve) => {
      this.#onCut = (keeps) => {
        this.#onCut = undefined;
        resolve(keeps);
      };
      port.postMessage({ type: 'cut' } satisfies ToWorker);
    });
  }

  /** Has the reader closed that the thread keeps open. @returns whether it was, in time */
  async closeReader(): Promise<boolean> {
    const late = AbortSignal.timeout(closeGraceMs);
    return this.#pool.run({ type: 'close' }, { signal: late }).then(
      () => true,
      () => false,
    );
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }

  async #assign(assignment: WithoutPort<Called>, listener: TaskListener | undefined, signal: AbortSignal): Promise<Answer> {
    const { port1: here, port2: there } = new MessageChannel();
    here.on('message', (message: FromWorker) => {
      if (message.type === 'cut') this.#onCut?.(message.keeps);
      else if (listener !== undefined) deliver(message, listener, here);
    });
    if (listener !== undefined) this.#port = here;
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
      const answer = await this.#pool.run({ ...assignment, port: there }, { transferList: [there], signal: kill.signal });
      // The port is closed by the thread at the end: everything it said before has then been delivered.
      await portClosed;
      return answer;
    } catch (cause) {
      const late = `it did not stop within ${cancelGraceMs / 1000} s; the servers roll back what it did`;
      throw new ThreadEnded(kill.signal.aborted ? late : (cause as Error).message, { cause });
    } finally {
      clearTimeout(grace);
      signal.removeEventListener('abort', cancel);
      here.close();
      this.#port = undefined;
      this.#onCut?.(undefined);
    }
  }
}

function deliver(message: Exclude<FromWorker, { type: 'cut' }>, first: TaskListener, port: MessagePort): void {
  const task = 'task' in message ? message.task : undefined;
  const listener = task === undefined ? first : first.beside!(task);
  switch (message.type) {
    case 'progress':
      listener.progress(message.counters);
      return;
    case 'dirty':
      listener.dirty(message.record);
      return;
    case 'ready':
      void answer(port, task, listener.mayCommit(message.tally));
      return;
    case 'warn':
      listener.warn(message.message);
      return;
    case 'print':
      listener.print(message.text);
      return;
  }
}

/** Tells a task that is ready whether it may commit. */
async function answer(port: MessagePort, task: number | undefined, allowed: Promise<void>): Promise<void> {
  try {
    await allowed;
    port.postMessage({ type: 'commit', task } satisfies ToWorker);
  } catch (error) {
    port.postMessage({ type: 'commit', task, refused: asDrayError(error).toWire() } satisfies ToWorker);
  }
}
