import type { EarlierCommit, Json } from 'dray/sdk';
import { committedInfo, earlierCommit, fenced, ledgerDays, ledgerTable } from '../_sql/ledger.ts';
import { quoteName, quoteText, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { takeLock } from './lock.ts';

const mostDeadlocks = 5;

/** A task of a run, as the ledger knows it. */
export interface LedgerKey {
  readonly database: string;
  readonly run: string;
  readonly task: number;
}

/** An attempt that has taken its task over. */
export interface Attempt extends LedgerKey {
  readonly attempt: number;
  /** Of the connection that commits. */
  readonly session: string;
}

interface ServerError extends Error {
  readonly errno?: number;
}

/** The ledger of a database, for SQL. */
export function ledgerOf(database: string): string {
  return `${quoteName(database)}.${quoteName(ledgerTable)}`;
}

/** Condition that finds the row of a task. */
export function rowOf({ run, task }: LedgerKey): string {
  return `run = ${quoteText(run)} AND task = ${task}`;
}

export async function hasLedger(session: Session, database: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME = '${ledgerTable}'`,
  );
  return rows.length > 0;
}

/** Creates the ledger of a database if it is not there; several runs may do so at once. Rejects with what the server says. */
export async function createLedger(session: Session, database: string): Promise<void> {
  if (await hasLedger(session, database)) await forgetOldRuns(session, database);
  else await session.execute(creation(database));
}

/** A ledger that cannot be tidied now still serves. */
async function forgetOldRuns(session: Session, database: string): Promise<void> {
  const since = `DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL ${ledgerDays} DAY, '%Y%m%d')`;
  await session
    .execute(`DELETE FROM ${ledgerOf(database)} WHERE run < ${since} AND run REGEXP '^[0-9]{8}-[0-9]{6}-' LIMIT 100000`)
    .catch(() => undefined);
}

function creation(database: string): string {
  return `CREATE TABLE IF NOT EXISTS ${ledgerOf(database)} (
    run varchar(64) NOT NULL, task int NOT NULL, attempt int NOT NULL, session varchar(64) NOT NULL, info longtext NULL,
    committed_at timestamp(6) NULL, PRIMARY KEY (run, task)
  ) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'What dray has committed: one row for each task of a run'`;
}

/** What keeps this user from keeping a ledger in a database, as a part of a sentence; undefined: nothing. Changes nothing. */
export async function ledgerRefusal(session: Session, database: string): Promise<string | undefined> {
  const ledger = ledgerOf(database);
  const isThere = await hasLedger(session, database);
  // To prepare a statement, the server looks at the rights, and runs nothing.
  const statements = isThere
    ? [
        `INSERT INTO ${ledger} (run, task, attempt, session) VALUES ('', 0, 0, '')`,
        `UPDATE ${ledger} SET info = NULL, committed_at = NULL WHERE run = '' AND task = 0`,
        `SELECT run, task, attempt, session, info, committed_at FROM ${ledger}`,
        `DELETE FROM ${ledger} WHERE run = ''`,
      ]
    : [creation(database)];
  for (const statement of statements) {
    try {
      await session.execute(`PREPARE dray_right FROM ${quoteText(statement)}`);
    } catch (error) {
      const fault = serverFault(error, `use ${ledger}`);
      if (fault.code === 'PERMISSION_DENIED') return `this user may not ${isThere ? 'write' : 'create'} the ledger ${ledger}`;
      if (fault.code === 'COLUMN_MISSING') return `${ledger} is a table of something else`;
      throw fault;
    }
  }
  return undefined;
}

/**
 * Makes this session the only one that can commit the task. Ends the session of an earlier attempt if there still is one (a frozen thread, a half-open
 * connection), and waits until its rows are gone.
 * @returns what an earlier attempt has committed, if it has
 * @throws DrayError FENCED if a later attempt has taken over; CONFLICT if the earlier one does not end within ten seconds
 */
export async function takeOver(session: Session, key: LedgerKey, attempt: number): Promise<EarlierCommit | Attempt> {
  try {
    const early = await standing(session, key, attempt);
    if (early !== undefined) return early;
    const id = await takeLock(session, [key.database, key.run, key.task], `task ${key.task}`);
    await register(session, { ...key, attempt, session: id });
    // With the lock, and behind the registration: from here on no other attempt can commit.
    return (await standing(session, key, attempt)) ?? { ...key, attempt, session: id };
  } catch (error) {
    throw serverFault(error, `take over task ${key.task} in ${ledgerOf(key.database)}`);
  }
}

async function standing(session: Session, key: LedgerKey, attempt: number): Promise<EarlierCommit | undefined> {
  const [row] = await session.query(`SELECT attempt, info FROM ${ledgerOf(key.database)} WHERE ${rowOf(key)}`);
  if (row === undefined) return undefined;
  const [registered, info] = row as [string, string | null];
  if (info !== null) return earlierCommit(info);
  if (Number(registered) > attempt) throw fenced({ id: key.task, attempt });
  return undefined;
}

/** Writes the attempt's number down, only upwards. */
async function register(session: Session, { attempt, session: id, ...key }: Attempt): Promise<void> {
  const statement = `INSERT INTO ${ledgerOf(key.database)} (run, task, attempt, session)
    VALUES (${quoteText(key.run)}, ${key.task}, ${attempt}, ${quoteText(id)})
    ON DUPLICATE KEY UPDATE session = IF(info IS NULL AND attempt <= ${attempt}, ${quoteText(id)}, session),
      attempt = IF(info IS NULL, GREATEST(attempt, ${attempt}), attempt)`;
  // Tasks that begin side by side can lock each other's gaps.
  for (let deadlocks = 0; ; deadlocks++) {
    try {
      await session.execute(statement);
      return;
    } catch (error) {
      if ((error as ServerError).errno !== 1213 || deadlocks === mostDeadlocks) throw error;
    }
  }
}

/**
 * Writes down that the attempt has committed, in the transaction of its rows.
 * @throws DrayError FENCED if it is not the last one: then the transaction must be rolled back
 */
export async function recordCommit(session: Session, own: Attempt, tally: Json): Promise<void> {
  const result = await session.execute(
    `UPDATE ${ledgerOf(own.database)} SET info = ${quoteText(committedInfo({ task: own.task }, tally))}, committed_at = NOW(6)
     WHERE ${rowOf(own)} AND attempt = ${own.attempt} AND session = ${quoteText(own.session)} AND info IS NULL`,
  );
  if (result.affectedRows !== 1) throw fenced({ id: own.task, attempt: own.attempt });
}
