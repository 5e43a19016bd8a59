import type { JobFacts, JobLook, SchedulerEvent, StartReason } from '../scheduler/events.ts';
import { Scheduler } from '../scheduler/scheduler.ts';

/** What is told to whoever submitted a job. */
export interface JobTurns {
  /** It is the task's turn: start it now. Called outside of `submit` and `tell`. */
  readonly start: (task: number, why: StartReason) => void;
  /** Half of the rest of a running task can go to an idle slot: answer with `add` or `uncut`. */
  readonly cut?: () => void;
}

/** The name of this host towards the scheduler: there is one. */
const thisHost = 'here';
/** Of jobs that name no pool. */
export const defaultPool = 'default';

/** Runs the scheduler on the clock of this process: tells it what happens, and those who submitted jobs what it decides. */
export class Dispatcher {
  readonly #scheduler = new Scheduler();
  readonly #turns = new Map<string, JobTurns>();
  readonly #slots: Record<string, number>;
  /** Widths that users have set, by job: their word is not reduced to the slots of this host. */
  readonly #widths = new Map<string, { pool: string; width: number }>();
  #spareCpu: number;
  readonly #events: SchedulerEvent[] = [];
  #isTelling = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param slots tasks that run side by side, by pool */
  constructor(slots: Readonly<Record<string, number>>, spareCpu = Number.MAX_SAFE_INTEGER) {
    this.#slots = { ...slots };
    this.#spareCpu = spareCpu;
    this.#offer();
  }

  submit(facts: JobFacts, turns: JobTurns): void {
    this.#turns.set(facts.job, turns);
    this.tell({ type: 'submit', job: facts });
  }

  /** No less than `width` tasks of the job may run side by side, whatever the slots of its pool; until it is forgotten. */
  widen(job: string, pool: string, width: number): void {
    // Of one that is over nobody would take that back.
    if (!this.#turns.has(job)) return;
    this.#widths.set(job, { pool, width });
    this.#offer();
  }

  /** What the host can carry has changed. @param slots of pools; those that are not named keep theirs */
  setSlots(slots: Readonly<Record<string, number>>, spareCpu: number): void {
    Object.assign(this.#slots, slots);
    this.#spareCpu = spareCpu;
    this.#offer();
  }

  look(job: string): JobLook | undefined {
    return this.#scheduler.look(job);
  }

  /** What has happened. Decisions about it are carried out in turn: an event that comes from within waits for those before it. */
  tell(event: SchedulerEvent): void {
    this.#events.push(event);
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const one of this.#events.splice(0)) this.#carryOut(one);
    });
  }

  /** The job has ended: nothing is told about it any more. */
  forget(job: string): void {
    this.tell({ type: 'remove', job });
    this.#turns.delete(job);
    if (this.#widths.delete(job)) this.#offer();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#turns.clear();
  }

  #offer(): void {
    const slots = { ...this.#slots };
    for (const { pool, width } of this.#widths.values()) slots[pool] = Math.max(slots[pool] ?? 0, width);
    this.tell({ type: 'host', host: thisHost, slots, spareCpu: this.#spareCpu });
  }

  #carryOut(event: SchedulerEvent): void {
    for (const decision of this.#scheduler.handle(event, performance.now())) {
      const turns = this.#turns.get(decision.job);
      switch (decision.type) {
        case 'start':
          // Of a job that was forgotten in between.
          if (turns === undefined) this.tell({ type: 'ended', job: decision.job, task: decision.task });
          else turns.start(decision.task, decision.why);
          break;
        case 'cut':
          if (turns?.cut === undefined) this.tell({ type: 'uncut', job: decision.job });
          else turns.cut();
          break;
        case 'promoted':
          // Told when it starts: why a task started names the level.
          break;
      }
    }
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const at = this.#scheduler.nextAt;
    if (at === undefined) return;
    this.#timer = setTimeout(() => this.tell({ type: 'tick' }), Math.max(1, at - performance.now()));
  }
}
