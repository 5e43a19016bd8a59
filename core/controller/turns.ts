import type { JobFacts, StartReason, TaskFacts } from '../scheduler/events.ts';
import type { Dispatcher } from './dispatcher.ts';

/** A task whose turn it is. It has its slot until `ended` or `again` is told of it. */
export interface Turn {
  readonly task: number;
  readonly why: StartReason;
}

/** The turns of a job's tasks, as one who runs them takes them. */
export class Turns {
  readonly #dispatcher: Dispatcher;
  readonly #job: string;
  readonly #ready: Turn[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  /** Called when half of the rest of a running task can go to an idle slot; absent: none can. */
  onCut: (() => void) | undefined;

  constructor(dispatcher: Dispatcher, facts: JobFacts) {
    this.#dispatcher = dispatcher;
    this.#job = facts.job;
    dispatcher.submit(facts, {
      start: (task, why) => {
        this.#ready.push({ task, why });
        this.#wake?.();
      },
      cut: () => {
        if (this.onCut === undefined) this.uncut();
        else this.onCut();
      },
    });
  }

  /** Resolves when a task has its turn, without taking it. Rejects with the signal's reason when it fires. */
  async first(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#wake?.();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (this.#ready.length === 0 && !this.#isClosed && !signal.aborted) await this.#change();
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The next task whose turn it is; undefined once `close` was called. */
  async next(): Promise<Turn | undefined> {
    while (this.#ready.length === 0 && !this.#isClosed) await this.#change();
    return this.#isClosed ? undefined : this.#ready.shift();
  }

  /** The task will not come back. */
  ended(task: number): void {
    this.#dispatcher.tell({ type: 'ended', job: this.#job, task });
  }

  /** The task starts again, after a pause. */
  again(task: number, waitMs: number): void {
    this.#dispatcher.tell({ type: 'again', job: this.#job, task, notBefore: performance.now() + waitMs });
  }

  add(task: TaskFacts): void {
    this.#dispatcher.tell({ type: 'add', job: this.#job, task });
  }

  uncut(): void {
    this.#dispatcher.tell({ type: 'uncut', job: this.#job });
  }

  /** Most tasks side by side. */
  setWidth(maxRunning: number): void {
    this.#dispatcher.tell({ type: 'width', job: this.#job, maxRunning });
  }

  /** No further turns. Those that were not taken are given back; of running tasks `ended` is still to be told. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { task } of this.#ready.splice(0)) this.ended(task);
    this.#dispatcher.forget(this.#job);
    this.#wake?.();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
