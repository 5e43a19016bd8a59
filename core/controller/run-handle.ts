import type { TaskCounters } from '../task/spec.ts';
import type { Dispatcher } from './dispatcher.ts';

/** What can be changed about a run while it waits or runs, and what can be seen of it. */
export class RunHandle {
  readonly run: string;
  readonly job: string;
  readonly submittedAt = new Date().toISOString();
  /** `waiting` for its turn to begin, or for the first slot of a content. */
  state: 'waiting' | 'running' = 'waiting';
  /** Of the content that runs. */
  counters: Readonly<TaskCounters> | undefined;
  estimatedRows: number | undefined;
  /** Tells whoever watches the run what was decided for all runs. */
  tell: (message: string) => void = () => undefined;
  /** Of all contents so far. */
  tasks = 0;
  readonly #dispatcher: Dispatcher;
  /** Names of what it has submitted to the scheduler. */
  readonly #scheduled: string[] = [];
  /** That of its turn to begin, which is no task. */
  readonly #opening: string;
  #priority: number;
  #isPaused = false;
  #widen: ((width: number) => number) | undefined;
  #width: number | undefined;
  /** Whose tasks were submitted last. */
  #content: { readonly name: string; readonly pool: string } | undefined;

  constructor(dispatcher: Dispatcher, { run, job, priority }: { run: string; job: string; priority: number }) {
    this.#dispatcher = dispatcher;
    this.run = run;
    this.job = job;
    this.#priority = priority;
    this.#opening = openingName(run);
  }

  get priority(): number {
    return this.#priority;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Tasks side by side, as `setWidth` has set it. */
  get width(): number | undefined {
    return this.#width;
  }

  /** It waits for its turn to begin: so many others of its priority are at work. */
  get isQueued(): boolean {
    return (this.#dispatcher.look(this.#opening)?.waiting ?? 0) > 0;
  }

  /** Tasks of the run that have a slot, and that wait for one. */
  get slots(): { running: number; waiting: number } {
    const seen = this.#scheduled.filter((name) => name !== this.#opening).map((name) => this.#dispatcher.look(name));
    const sum = (pick: (one: { running: number; waiting: number }) => number) =>
      seen.reduce((total, one) => total + (one === undefined ? 0 : pick(one)), 0);
    return { running: sum(({ running }) => running), waiting: sum(({ waiting }) => waiting) };
  }

  /**
   * Something of the run waits at the scheduler under this name; paused, if the run is. Called by those who submit it.
   * @param pool of the tasks of a content
   */
  submitted(name: string, pool?: string): void {
    this.#scheduled.push(name);
    if (pool !== undefined) this.#content = { name, pool };
  }

  /** The tasks of a content run now. */
  runs(widen: (width: number) => number): void {
    this.state = 'running';
    this.#widen = widen;
    if (this.#width === undefined) return;
    this.#width = widen(this.#width);
    this.#claim();
  }

  /** No task starts any more until `unpause`; those that run go on to their end. */
  pause(): void {
    this.#isPaused = true;
    this.#tellAll('pause');
  }

  unpause(): void {
    this.#isPaused = false;
    this.#tellAll('unpause');
  }

  /** @param priority 0–9 */
  setPriority(priority: number): void {
    this.#priority = priority;
    for (const job of this.#scheduled) this.#dispatcher.tell({ type: 'priority', job, priority });
  }

  /**
   * Changes how many tasks run side by side; those that run above a smaller number go on to their end.
   * @returns how many it will be at most: a snapshot that was taken for so many readers lets no others in
   */
  setWidth(width: number): number {
    this.#width = this.#widen?.(width) ?? width;
    this.#claim();
    return this.#width;
  }

  /** What a user has set is not reduced to the slots that there are. */
  #claim(): void {
    if (this.#content !== undefined) this.#dispatcher.widen(this.#content.name, this.#content.pool, this.#width);
  }

  #tellAll(type: 'pause' | 'unpause'): void {
    for (const job of this.#scheduled) this.#dispatcher.tell({ type, job });
  }
}

/** Under which its turn to begin is at the scheduler. */
export function openingName(run: string): string {
  return `open ${run}`;
}
