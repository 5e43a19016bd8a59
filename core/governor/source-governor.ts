import { type Resource, resourceName, type Side, type SourceHealth } from '../sdk/index.ts';
import { type Decision, decide } from './decision.ts';
import { type GovernorEvent, type GovernorState, govern, newGovernorState } from './governor-state.ts';
import { HealthWatch, type HealthWatchTimes } from './health-watch.ts';
import { type SourceLimits, strictest } from './limits.ts';

/** A job at a server. */
export interface Guest {
  readonly side: Side;
  readonly limits: SourceLimits;
  /** `health` of its open reader or writer; undefined: the plugin cannot tell. */
  readonly ask?: ((signal: AbortSignal) => Promise<SourceHealth>) | undefined;
}

export interface GovernorOptions {
  /** Told when more or less may be done than before, or for another reason. */
  readonly onChange?: ((decision: Decision, governor: SourceGovernor) => void) | undefined;
  readonly times?: HealthWatchTimes | undefined;
  /** Milliseconds, of a clock that never goes back. */
  readonly now?: (() => number) | undefined;
}

/** After so long without a guest what was known of the server is forgotten. */
const memoryMs = 60_000;

/**
 * Keeps the budgets of one server, for all jobs that use it: how many tasks at once, how many bytes per second. In the main thread. Jobs join while they use it;
 * one of them lends its plugin to ask the server how it is.
 */
export class SourceGovernor {
  readonly resource: Resource;
  readonly #options: GovernorOptions;
  readonly #now: () => number;
  readonly #guests = new Set<Guest>();
  #state: GovernorState;
  #watch: { readonly guest: Guest; readonly watch: HealthWatch } | undefined;
  #leftAt: number;
  #told: Decision;

  constructor(resource: Resource, options: GovernorOptions = {}) {
    this.resource = resource;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#leftAt = this.#now();
    this.#state = newGovernorState({}, this.#leftAt);
    this.#told = this.decision;
  }

  /** What may be done now. */
  get decision(): Decision {
    return decide(this.#state, this.#now(), this.#name);
  }

  get running(): number {
    return this.#state.running;
  }

  /** Whether one more task may begin. */
  get hasRoom(): boolean {
    const { tasks, isPaused } = this.decision;
    return !isPaused && this.#state.running < tasks;
  }

  /** What stands against one more task, as a part of a sentence; undefined: nothing. */
  get full(): string | undefined {
    if (this.hasRoom) return undefined;
    const { tasks, isPaused } = this.decision;
    return isPaused ? `${this.#name}, which is paused` : `a place at ${this.#name}: ${this.#state.running} of ${tasks} tasks run there`;
  }

  /** Takes a job in, with its limits. The first question about the health is under way when this returns. */
  join(guest: Guest): void {
    if (this.#guests.size === 0 && this.#now() - this.#leftAt > memoryMs) this.#state = newGovernorState({}, this.#now());
    this.#guests.add(guest);
    this.#happened({ type: 'limits', limits: this.#limits() });
    this.#watchWith(guest);
  }

  /** Lets a job go, with its limits. Resolves when its plugin is not asked any more, and can be closed. */
  async leave(guest: Guest): Promise<void> {
    if (!this.#guests.delete(guest)) return;
    this.#happened({ type: 'limits', limits: this.#limits() });
    if (this.#guests.size === 0) this.#leftAt = this.#now();
    if (this.#watch?.guest !== guest) return;
    const { watch } = this.#watch;
    this.#watch = undefined;
    const next = [...this.#guests].find(({ ask }) => ask !== undefined);
    if (next !== undefined) this.#watchWith(next);
    await watch.stop();
  }

  taskStarted(): void {
    this.#happened({ type: 'task started' });
  }

  taskEnded(): void {
    this.#happened({ type: 'task ended' });
  }

  /** @param bytes of packed rows since the last call, of all tasks at this server */
  moved(bytes: number): void {
    this.#happened({ type: 'moved', bytes });
  }

  #watchWith(guest: Guest): void {
    const { ask } = guest;
    if (ask === undefined || this.#watch !== undefined) return;
    this.#watch = { guest, watch: new HealthWatch(ask, (event) => this.#happened(event), this.#options.times) };
  }

  #limits(): SourceLimits {
    return strictest([...this.#guests].map(({ limits }) => limits));
  }

  #happened(event: GovernorEvent): void {
    this.#state = govern(this.#state, event, this.#now());
    const { decision } = this;
    const told = this.#told;
    this.#told = decision;
    const isSame = (Object.keys(decision) as (keyof Decision)[]).every((key) => decision[key] === told[key]);
    if (!isSame) this.#options.onChange?.(decision, this);
  }

  get #name(): string {
    const sides = new Set([...this.#guests].map(({ side }) => side));
    const side = ['source', 'target'].filter((one) => sides.has(one as Side)).join(' and ');
    return `${side || 'server'} ${resourceName(this.resource)}`;
  }
}
