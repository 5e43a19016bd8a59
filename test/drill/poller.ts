import type { TestDatabase } from '../support/sql.ts';
import { type Row, target } from './tables.ts';

const pauseMs = 40;

/**
 * Somebody who reads the target all the time, by one short query after the other. With atomic publish it must see the rows of before or those of after, and never
 * those of before again.
 */
export class Poller {
  /** What it saw that must not be. */
  readonly violations: string[] = [];
  /** How often it saw each. */
  readonly seen = { before: 0, after: 0, lost: 0 };
  readonly #before: string;
  readonly #after: string;
  #isOver = false;
  readonly #ended: Promise<void>;

  constructor(database: TestDatabase, before: readonly Row[], after: readonly Row[]) {
    this.#before = summaryOf(before);
    this.#after = summaryOf(after);
    this.#ended = this.#poll(database);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #poll(database: TestDatabase): Promise<void> {
    while (!this.#isOver && this.violations.length < 5) {
      try {
        const [counts] = await database.sql(`SELECT COUNT(*), COALESCE(SUM(id), 0), COALESCE(SUM(batch), 0) FROM ${target}`);
        this.#look((counts ?? []).join(' '));
      } catch (error) {
        if (isLostConnection(error)) this.seen.lost++;
        else this.violations.push(`a reader of the target met an error: ${(error as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #look(found: string): void {
    // They may be the same: nothing to tell apart.
    if (found === this.#after) this.seen.after++;
    else if (found !== this.#before)
      this.violations.push(`a reader of the target saw ${found}, neither before (${this.#before}) nor after (${this.#after})`);
    else if (this.seen.after > 0) this.violations.push('a reader of the target saw the rows of before again');
    else this.seen.before++;
  }
}

function summaryOf(rows: readonly Row[]): string {
  const sum = (pick: (row: Row) => number) => rows.reduce((total, row) => total + pick(row), 0);
  return [rows.length, sum(({ id }) => id), sum(({ batch }) => batch)].join(' ');
}

/** The server is away, or on its way down or up: SQLSTATE classes 08 and 57, and errors of the socket. */
export function isLostConnection(error: unknown): boolean {
  const { code = '', message } = error as { code?: string; message: string };
  return (
    /^(08|57P)|^E(CONN|PIPE)|PROTOCOL_CONNECTION_LOST|ER_SERVER_SHUTDOWN|ER_CON_COUNT/.test(code) ||
    /Connection terminated|not queryable|socket hang up/i.test(message)
  );
}
