import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '../../core/ledger/events.ts';
import type { Fault } from './scenario.ts';

const lookMs = 10;

/** Lines of the journals of all runs in a state folder, the runs in their order; or of one of them. */
export function eventsIn(state: string, only?: string): StoredEvent[] {
  let runs: string[];
  try {
    runs = readdirSync(join(state, 'runs'))
      .filter((run) => only === undefined || run === only)
      .sort();
  } catch {
    return [];
  }
  return runs.flatMap((run) => {
    try {
      const text = readFileSync(join(state, 'runs', run, 'journal.jsonl'), 'utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as StoredEvent]));
    } catch {
      return [];
    }
  });
}

/** Watches how far a run is by its journal, and lets faults strike when their time has come: the same moments on a fast machine and on a slow one. */
export class Director {
  /** Faults that have struck so far. */
  readonly struck: Fault[] = [];
  #isOver = false;
  readonly #ended: Promise<void>;

  /** @param strike false: it cannot strike at the moment, and is tried again */
  constructor(state: string, faults: readonly Fault[], strike: (fault: Fault) => Promise<boolean>) {
    this.#ended = this.#watch(state, faults, strike);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #watch(state: string, faults: readonly Fault[], strike: (fault: Fault) => Promise<boolean>): Promise<void> {
    for (const fault of faults) {
      while (!this.#isOver && eventsIn(state).length < fault.afterEvents) await pause(lookMs);
      await pause(fault.delayMs);
      while (!this.#isOver) {
        if (await strike(fault)) {
          this.struck.push(fault);
          break;
        }
        await pause(lookMs);
      }
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
