import type { TaskCounters } from '../task/spec.ts';
import type { Dispatcher } from './dispatcher.ts';

/** Turns that a run waits for before it has tasks: to begin, and to be planned. */
const turnsBefore = ['open', 'plan'] as const;
export type TurnBefore = (typeof turnsBefore)[number];

/** What stands in the way of a content, as parts of sentences; undefined: nothing. */
export interface ContentRemarks {
  /** That it will be late, or who slows it down. */
  remark(): string | undefined;
  /** The budget that lets none of its tasks start. */
  fullBudget(): string | undefined;
}

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
  /** Of the content whose tasks wait or run. */
  remarks: ContentRemarks | undefined;
  /** Called when somebody has changed its priority. */
  onPriority: (() => void) | undefined;
  /** Tells whoever watches the run what was decided for all runs. */
  tell: (message: string) => void = () => undefined;
  /** Of all contents so far. */
  tasks = 0;
  readonly #dispatcher: Dispatcher;
  /** Names of what it has submitted to the scheduler. */
  readonly #scheduled = new Set<string>();
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

  /** The turn that it waits for because so many others are at work, or are planned. */
  get queuedFor(): TurnBefore | undefined {
    return turnsBefore.find((turn) => (this.#dispatcher.look(turnName(turn, this.run))?.waiting ?? 0) > 0);
  }

  /** Tasks of the run that have a slot, and that wait for one; of these, those that are tried again and not yet. */
  get slots(): { running: number; waiting: number; delayed: number } {
    const turns = turnsBefore.map((turn) => turnName(turn, this.run));
    const seen = [...this.#scheduled].filter((name) => !turns.includes(name)).flatMap((name) => this.#dispatcher.look(name) ?? []);
    const sum = (pick: 'running' | 'waiting' | 'delayed') => seen.reduce((total, one) => total + one[pick], 0);
    return { running: sum('running'), waiting: sum('waiting'), delayed: sum('delayed') };
  }

  /**
   * Something of the run waits at the scheduler under this name; paused, if the run is. Called by those who submit it.
   * @param pool of the tasks of a content
   */
  submitted(name: string, pool?: string): void {
    this.#scheduled.add(name);
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
    this.onPriority?.();
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
    if (this.#content === undefined || this.#width === undefined) return;
    const { running, waiting } = this.slots;
    // More slots than it has tasks would be for others.
    this.#dispatcher.widen(this.#content.name, this.#content.pool, Math.min(this.#width, running + waiting));
  }

  #tellAll(type: 'pause' | 'unpause'): void {
    for (const job of this.#scheduled) this.#dispatcher.tell({ type, job });
  }
}

/** Under which such a turn is at the scheduler. */
export function turnName(turn: TurnBefore, run: string): string {
  return `${turn} ${run}`;
}
