import type { TestDatabase } from '../support/sql.ts';
import { isLostConnection } from './poller.ts';
import type { Scenario } from './scenario.ts';
import { markerIds, tableOf, target } from './tables.ts';

const pauseMs = 30;

/** Somebody who writes into the source all the time: gives all markers the same next number, in one transaction. */
export class Mutator {
  /** What kept it from writing, other than a server that is away. */
  readonly violations: string[] = [];
  #isOver = false;
  readonly #ended: Promise<void>;

  constructor(database: TestDatabase, scenario: Scenario) {
    this.#ended = this.#write(database, scenario);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #write(database: TestDatabase, scenario: Scenario): Promise<void> {
    const ids = markerIds(scenario);
    for (let number = 1; !this.#isOver && this.violations.length === 0; number++) {
      const updates = ids.map((id) => `UPDATE ${tableOf(scenario, id)} SET amount = ${number} WHERE id = ${id}`);
      await database.sql('BEGIN', ...updates, 'COMMIT').catch((error: unknown) => {
        if (!isLostConnection(error)) this.violations.push(`who writes into the source met an error: ${(error as Error).message}`);
      });
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** What is wrong with the markers where all tasks have read at one point in time: the target must have one number in all of them. */
export async function faultsOfMarkers(database: TestDatabase, scenario: Scenario): Promise<string[]> {
  const ids = markerIds(scenario);
  if (ids.length === 0) return [];
  const numbers = await database.sql(`SELECT DISTINCT amount FROM ${target} WHERE batch = 1 AND id IN (${ids.join(', ')})`);
  return numbers.length <= 1 ? [] : [`one snapshot, but a transaction of the source is torn: ${numbers.map(String).join(', ')}`];
}
