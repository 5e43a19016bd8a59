import type { JobFacts, StartReason, TaskFacts } from '../scheduler/events.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { TaskLines } from './task-lines.ts';

/** A task whose turn it is. It has its slot until `ended` or `again` is told of it. */
export interface Turn {
  readonly task: number;
  readonly why: StartReason;
}

/** Asks for half of the rest of a running task, for an idle slot. Answered with `add`, or with `none`. */
export interface CutRequest {
  /** Whether it may be this one. */
  isFor(task: number): boolean;
  /** Nothing can be cut off any of them. */
  none(): void;
}

/** The turns of a content's tasks, as one who runs them takes them. */
export class Turns {
  readonly #dispatcher: Dispatcher;
  readonly #lines: readonly JobFacts[];
  readonly #sharedWidth: string | undefined;
  /** What keeps lines closed, and the tasks that they wait for. */
  #end: { readonly gate: string; readonly notStarted: Set<number> } | undefined;
  /** By task, its line at the scheduler. */
  readonly #lineOf = new Map<number, string>();
  readonly #ready: Turn[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  /** Called when an idle slot could take something; absent: none can. */
  onCut: ((request: CutRequest) => void) | undefined;

  constructor(dispatcher: Dispatcher, { lines, sharedWidth, end }: TaskLines) {
    this.#dispatcher = dispatcher;
    this.#lines = lines;
    this.#sharedWidth = sharedWidth;
    if (sharedWidth !== undefined) dispatcher.tell({ type: 'limit', resource: sharedWidth, maxRunning: lines[0].maxRunning });
    if (end !== undefined) {
      this.#end = { gate: end.gate, notStarted: new Set(end.after) };
      dispatcher.tell({ type: 'limit', resource: end.gate, maxRunning: 0 });
    }
    for (const facts of lines) {
      for (const { id } of facts.tasks) this.#lineOf.set(id, facts.job);
      dispatcher.submit(facts, {
        start: (task, why) => {
          this.#end?.notStarted.delete(task);
          if (this.#end?.notStarted.size === 0) this.#openEnd();
          this.#ready.push({ task, why: { ...why, budgets: why.budgets.filter(({ resource }) => resource !== sharedWidth) } });
          this.#wake?.();
        },
        cut: () => this.#cut(facts.job),
      });
    }
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
    this.#dispatcher.tell({ type: 'ended', job: this.#lineOf.get(task)!, task });
  }

  /** The task starts again, after a pause. */
  again(task: number, waitMs: number): void {
    this.#dispatcher.tell({ type: 'again', job: this.#lineOf.get(task)!, task, notBefore: performance.now() + waitMs });
  }

  /** @param rest what was cut off the other task, which reads from all of its servers */
  add(rest: TaskFacts, other: number): void {
    const job = this.#lineOf.get(other)!;
    this.#lineOf.set(rest.id, job);
    this.#dispatcher.tell({ type: 'add', job, task: { ...rest, weightMs: rest.weightMs * this.#lines.length } });
  }

  /** Most tasks side by side. */
  setWidth(maxRunning: number): void {
    if (this.#isClosed) return;
    // Each line may be as wide as all together.
    for (const { job } of this.#lines) this.#dispatcher.tell({ type: 'width', job, maxRunning });
    if (this.#sharedWidth !== undefined) this.#dispatcher.tell({ type: 'limit', resource: this.#sharedWidth, maxRunning });
  }

  /** No further turns. Those that were not taken are given back; of running tasks `ended` is still to be told. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { task } of this.#ready.splice(0)) this.ended(task);
    for (const { job } of this.#lines) this.#dispatcher.forget(job);
    if (this.#sharedWidth !== undefined) this.#dispatcher.tell({ type: 'resource gone', resource: this.#sharedWidth });
    this.#openEnd();
    this.#wake?.();
  }

  #openEnd(): void {
    if (this.#end !== undefined) this.#dispatcher.tell({ type: 'resource gone', resource: this.#end.gate });
    this.#end = undefined;
  }

  #cut(job: string): void {
    const none = () => this.#dispatcher.tell({ type: 'uncut', job });
    if (this.onCut === undefined) none();
    else this.onCut({ isFor: (task) => this.#lineOf.get(task) === job, none });
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
