import { setTimeout } from 'node:timers/promises';
import { DrayError } from 'dray/sdk';
import type { Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { beginSnapshot, snapshotLost } from './snapshot.ts';

/** A statement that was killed. */
const interrupted = 1317;
/** ER_TABLE_DEF_CHANGED: the table was altered or truncated, and its older rows are gone. */
const writtenAnew = 1412;
/** No savepoint of this name: the transaction is another one. */
const noSavepoint = 1305;
/** Too many connections: of all, of this user, and what the user may have. */
const fullServer = [1040, 1203, 1226];
/** Together less than a task may take to end. */
const [mostTries, pauseMs] = [8, 1000];

/** The transaction of one session in whose snapshot one read after the other goes. When the session ends, so does the snapshot. */
export class HeldSnapshot {
  readonly session: Session;
  #interruption: Promise<unknown> | undefined;
  #isReading = false;

  private constructor(session: Session) {
    this.session = session;
  }

  /**
   * @param session that is ready for it
   * @param name of the keeper's lock
   */
  static async begin(session: Session, name: string): Promise<HeldSnapshot> {
    await beginSnapshot(session, name);
    return new HeldSnapshot(session);
  }

  /**
   * One read. Afterwards the tables are free to be altered again: their locks go back to the savepoint (mysqldump --single-transaction does the same).
   * @throws DrayError SNAPSHOT_LOST if the session is not there any more
   */
  async use(read: () => Promise<void>): Promise<void> {
    this.#requireOpen();
    try {
      await this.session.execute('SAVEPOINT dray');
      this.#isReading = true;
      await read().finally(() => {
        this.#isReading = false;
      });
    } catch (error) {
      await this.#release().catch(() => undefined);
      this.#requireOpen(error);
      throw error;
    }
    await this.#release();
  }

  /** Ends the statement that runs, and not the session. */
  interrupt(): void {
    // A session that does not let go of its statement is not worth keeping.
    this.#interruption ??= this.#killQuery().catch(() => this.session.kill());
  }

  /** A server that is full lets nobody in to say it; the statement may also end by itself meanwhile, since its rows are still taken. */
  async #killQuery(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.session.aside(`KILL QUERY ${this.session.connection.threadId}`);
        return;
      } catch (error) {
        if (tries === mostTries || !fullServer.includes((error as { errno?: number }).errno ?? 0)) throw error;
        await setTimeout(pauseMs);
        if (!this.#isReading) return;
      }
    }
  }

  async #release(): Promise<void> {
    await this.#interruption;
    this.#interruption = undefined;
    for (;;) {
      try {
        await this.session.execute('ROLLBACK TO SAVEPOINT dray');
        return;
      } catch (error) {
        const { errno } = error as { errno?: number };
        // The interruption came when the read had ended already, and has hit this one.
        if (errno === interrupted) continue;
        if (errno === noSavepoint) throw snapshotLost('the server has ended its transaction', error);
        const fault = serverFault(error, 'go on in the snapshot');
        throw fault.code === 'CONNECTION_LOST' ? snapshotLost('its session has ended at the server', error) : fault;
      }
    }
  }

  #requireOpen(cause?: unknown): void {
    if (this.session.isOpen || (cause instanceof DrayError && cause.code === 'SNAPSHOT_LOST')) return;
    throw snapshotLost('its session has ended at the server', cause);
  }
}

/** An error of a read in a snapshot. */
export function snapshotFault(error: unknown, split: string): DrayError {
  if ((error as { errno?: number }).errno !== writtenAnew) return serverFault(error, `read ${split}`);
  const why = 'it was written anew (TRUNCATE, ALTER TABLE), and the snapshot does not see its rows any more';
  return new DrayError('SCHEMA_CHANGED', `the table of ${split} has changed since the run was planned: ${why}`, { cause: error });
}
