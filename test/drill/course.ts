import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockDownwards } from './deadlock.ts';
import { Director, eventsIn } from './director.ts';
import { askDray, type Dray, type Ended, startDray } from './dray.ts';
import type { OpenSource, OpenTarget } from './ends.ts';
import { ticketVariable } from './mortal.ts';
import { type Refusal, refusalOf } from './refusals.ts';
import type { Fault, Scenario } from './scenario.ts';

/** A little longer than a process may be silent before its run may be taken over. */
const asleepMs = 16_500;
const maxProcesses = 8;
/** As long as somebody takes to see that a run has failed. */
const betweenMs = 1000;

export interface StoredRun {
  readonly run: string;
  readonly state: string;
  readonly isResumable: boolean;
}

/** What became of a job. */
export interface CourseEnd {
  /** Of the run that is the last one. */
  readonly run: string | undefined;
  readonly isDone: boolean;
  /** Why it was given up, loudly, with a reason that is allowed. */
  readonly refusal: Refusal | undefined;
  readonly violations: readonly string[];
  /** Without the one that fell asleep. */
  readonly processes: readonly Ended[];
  readonly hasSlept: boolean;
  readonly struck: readonly Fault[];
}

/** The course of one job: its processes one after the other, and what happens to them. */
export class Course {
  readonly #scenario: Scenario;
  readonly #source: OpenSource;
  readonly #target: OpenTarget;
  readonly #folder: string;
  readonly #state: string;
  readonly #leftBehind: () => Promise<string[]>;
  readonly #violations: string[] = [];
  readonly #processes: Ended[] = [];
  #current: Dray | undefined;
  #fellAsleep: () => void = () => undefined;
  #sleeper: Dray | undefined;
  #locks: Promise<void> = Promise.resolve();

  /** @param ends.leftBehind what is wrong if a run that cannot be resumed is to be begun anew */
  constructor(
    scenario: Scenario,
    ends: { source: OpenSource; target: OpenTarget; folder: string; state: string; leftBehind: () => Promise<string[]> },
  ) {
    this.#scenario = scenario;
    this.#source = ends.source;
    this.#target = ends.target;
    this.#folder = ends.folder;
    this.#state = ends.state;
    this.#leftBehind = ends.leftBehind;
  }

  get #ticket(): string {
    return join(this.#folder, 'ticket');
  }

  async toEnd(job: string): Promise<CourseEnd> {
    const director = new Director(this.#state, this.#scenario.faults, (fault) => this.#strike(fault));
    const end = { run: undefined as string | undefined, isDone: false, refusal: undefined as Refusal | undefined };
    try {
      let args = ['run', job];
      while (this.#processes.length < maxProcesses) {
        const ended = await this.#process(args);
        const stored = await this.#stored();
        end.run = stored?.run;
        end.isDone = stored?.state === 'done';
        if (end.isDone) break;
        if (ended !== undefined && ended.exitCode === 0) this.#violations.push(`exit code 0, but the run is ${stored?.state ?? 'unknown'}`);
        const isResume = stored !== undefined && (stored.isResumable || stored.state === 'interrupted' || stored.state === 'running');
        const refusal =
          ended === undefined
            ? undefined
            : refusalOf(ended, this.#scenario, { isResumable: isResume, struck: director.struck, warned: this.#hasWarned });
        if (refusal?.isAllowed === false) this.#violations.push(`${refusal.code}: ${refusal.message}`);
        end.refusal = refusal;
        if (refusal?.isFinal === true || refusal?.isAllowed === false) break;
        end.refusal = undefined;
        this.#target.disk?.free();
        await new Promise((resolve) => setTimeout(resolve, betweenMs));
        if (!isResume) this.#violations.push(...(await this.#leftBehind()));
        args = isResume ? ['resume', stored.run] : ['run', job];
      }
      if (!end.isDone && end.refusal === undefined) this.#violations.push(`not done after ${this.#processes.length} processes`);
    } finally {
      await director.stop();
      await this.#wake();
      await this.#locks;
    }
    // A ticket that nobody took has ended no thread.
    const isTaken = !existsSync(this.#ticket);
    rmSync(this.#ticket, { force: true });
    const hasDisk = this.#target.disk !== undefined;
    const struck = director.struck.filter(({ kind }) => (kind !== 'thread' || isTaken) && (kind !== 'disk full' || hasDisk));
    return { ...end, violations: this.#violations, processes: this.#processes, hasSlept: this.#sleeper !== undefined, struck };
  }

  get #hasWarned(): boolean {
    return this.#processes.some(({ stderr }) => stderr.includes('may be written twice'));
  }

  /** @returns undefined if it fell asleep, and nobody waited for it */
  async #process(args: readonly string[]): Promise<Ended | undefined> {
    const asleep = new Promise<undefined>((resolve) => {
      this.#fellAsleep = () => resolve(undefined);
    });
    const dray = startDray([...args, '--json', '--state-dir', this.#state], { [ticketVariable]: this.#ticket });
    this.#current = dray;
    const ended = await Promise.race([dray.ended, asleep]);
    this.#current = undefined;
    if (ended === undefined) {
      await new Promise((resolve) => setTimeout(resolve, asleepMs));
      return undefined;
    }
    this.#processes.push(ended);
    if (ended.isLate) this.#violations.push('it did not end within minutes');
    return ended;
  }

  async #stored(): Promise<StoredRun | undefined> {
    const { runs } = await askDray<{ runs: StoredRun[] }>(['runs', '--state-dir', this.#state]);
    return runs[0];
  }

  /** Continues a process that was stopped while another one went on with its run. It must not end as if all were well. */
  async #wake(): Promise<void> {
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return;
    const wasDone = eventsIn(this.#state).filter(({ type }) => type === 'ended').length;
    sleeper.child.kill('SIGCONT');
    const ended = await sleeper.ended;
    if (ended.isLate) this.#violations.push('a process that woke after its run was taken over did not end');
    if (ended.exitCode === 0 && wasDone === 0)
      this.#violations.push('a process that woke after its run was taken over ended with exit code 0');
  }

  /** @returns false if there is nothing at the moment that it could strike */
  async #strike(fault: Fault): Promise<boolean> {
    const current = this.#current;
    if (current === undefined || current.child.exitCode !== null) return false;
    switch (fault.kind) {
      case 'kill':
        return current.child.kill('SIGKILL');
      case 'sleep':
        if (this.#sleeper !== undefined) return current.child.kill('SIGKILL');
        this.#sleeper = current;
        current.child.kill('SIGSTOP');
        this.#fellAsleep();
        // Sometimes it wakes while the other one is at work.
        if (fault.downSeconds < 1.5) setTimeout(() => current.child.kill('SIGCONT'), asleepMs + 1500 * fault.downSeconds + 1500);
        return true;
      case 'thread':
        writeFileSync(this.#ticket, fault.moment);
        return true;
      case 'crash source':
        this.#source.kill(fault.downSeconds);
        return true;
      case 'crash target':
        this.#target.kill(fault.downSeconds);
        return true;
      case 'cut source':
        this.#source.proxy?.cut();
        return true;
      case 'cut target':
        this.#target.proxy?.cut();
        return true;
      case 'freeze source':
        this.#source.proxy?.setFaults({ up: { stallAfter: 0 }, down: { stallAfter: 0 }, connections: 0 });
        return true;
      case 'freeze target':
        this.#target.proxy?.setFaults({ up: { stallAfter: 0 }, down: { stallAfter: 0 }, connections: 0 });
        return true;
      case 'disk full':
        this.#target.disk?.fill();
        return true;
      case 'deadlock':
        if (this.#target.database !== undefined) this.#locks = lockDownwards(this.#target.database, 3 * this.#scenario.oldRows);
        return true;
    }
  }
}
