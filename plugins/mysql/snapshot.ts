import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DrayError } from 'dray/sdk';
import { findTables } from './catalog.ts';
import { quoteText, type Session } from './connection.ts';
import { serverFault } from './faults.ts';

/*
 * A transaction of MySQL cannot be joined by another session, but transactions begin at the same point if nothing is written in between. So one session, the
 * keeper, locks the tables against writing until all readers have begun theirs. A lock with a name (GET_LOCK) tells them whether it still does: whoever sees it
 * after having begun has begun in time.
 */

/** By session of the reader: name of the keeper's lock. */
export type SnapshotToken = Readonly<Record<string, string>>;

/** What one session of a job reads. */
export interface SourceOfReads {
  readonly key: string;
  /** Names of its tables in the job file. */
  readonly tables: readonly string[];
  /** A query: nobody knows its tables. */
  readonly hasQueries: boolean;
}

/** A session that keeps one server still, used for nothing else. */
export interface Keeper {
  readonly session: Session;
  readonly source: SourceOfReads;
  /** Of its lock with a name. */
  readonly name: string;
}

/** Writers wait behind a lock that waits itself: so it does not wait for long, and leaves them a pause before the next try. */
const lockWaitSeconds = 1;
const lockTries = 4;
const lockPauseMs = 500;
/** A keeper that nobody releases lets go by itself. */
const mostHeldMs = 10_000;

/** Engine by engine: what keeps no older versions of rows has no snapshots. @throws DrayError SNAPSHOT_REFUSED */
export async function requireVersions(session: Session, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  for (const { name, engine } of await findTables(session, tables)) {
    if (engine === null || engine === 'InnoDB') continue;
    throw new DrayError('SNAPSHOT_REFUSED', `table ${name} has the engine ${engine}, which knows no snapshots`, {
      remedy: 'Set job.setting.snapshot to "per-task", or ALTER TABLE … ENGINE = InnoDB.',
    });
  }
}

export function lockName(): string {
  return `dray-${randomBytes(8).toString('hex')}`;
}

/**
 * Has one or more servers keep still at once.
 * @param isAlone one reader and one server: there is nothing to agree on, and no table is locked
 * @returns where the binary logs stand; of servers that have none, or do not tell us, nothing
 * @throws DrayError SNAPSHOT_REFUSED if the locks are not to be had
 */
export async function keepStill(keepers: readonly Keeper[], isAlone: boolean): Promise<string[]> {
  for (const { session, name } of keepers) {
    await session.query(`SELECT GET_LOCK(${quoteText(name)}, 0)`);
    await session.execute(`SET SESSION lock_wait_timeout = ${lockWaitSeconds}`);
  }
  if (isAlone) return [];
  await lockAll(keepers);
  const positions: string[] = [];
  for (const { session } of keepers) positions.push(...(await logPosition(session)));
  return positions;
}

/** Lets the writers go on after a while, whatever happens. @returns stops that */
export function letGoLater(keepers: readonly Keeper[]): () => void {
  const timer = setTimeout(() => void letGo(keepers), mostHeldMs).unref();
  return () => clearTimeout(timer);
}

/** The name goes first, so that whoever sees it has begun while the tables were locked. A session that cannot be told is ended. */
export async function letGo(keepers: readonly Keeper[]): Promise<void> {
  await Promise.all(
    keepers.map(async ({ session, name }) => {
      try {
        await session.query(`DO RELEASE_LOCK(${quoteText(name)})`);
        await session.execute('UNLOCK TABLES');
      } catch {
        await session.kill();
      }
    }),
  );
}

/** Makes a session ready for `beginSnapshot`, and keeps it from being ended while other lanes work. */
export async function readyForSnapshot(session: Session): Promise<void> {
  await session.execute(
    'SET SESSION wait_timeout = 31536000 /*M!100300 , SESSION idle_transaction_timeout = 0, SESSION idle_readonly_transaction_timeout = 0 */',
  );
  await session.execute('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  // Where changes are logged, ROLLBACK TO SAVEPOINT keeps the locks on tables, and ALTER TABLE waits until we are done. Without the right it does.
  await session.execute('SET SESSION sql_log_bin = 0').catch(() => undefined);
}

/** @throws DrayError SNAPSHOT_LOST if the keeper has let go already */
export async function beginSnapshot(session: Session, name: string): Promise<void> {
  await session.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  const [[holder] = []] = await session.query(`SELECT IS_USED_LOCK(${quoteText(name)})`);
  if (holder !== null && holder !== undefined) return;
  await session.execute('ROLLBACK');
  throw snapshotLost('it can be joined only before the first row is read');
}

/** @param why a clause that ends the sentence */
export function snapshotLost(why: string, cause?: unknown): DrayError {
  return new DrayError('SNAPSHOT_LOST', `the snapshot of the run is lost to this reader: ${why}`, { cause });
}

async function lockAll(keepers: readonly Keeper[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      for (const { session, source } of keepers) await lock(session, source);
      return;
    } catch (error) {
      for (const { session } of keepers) await session.execute('UNLOCK TABLES');
      const fault = serverFault(error, 'keep the source still');
      if (fault.code !== 'CONFLICT') throw fault;
      if (tries < lockTries) {
        await delay(lockPauseMs);
        continue;
      }
      throw new DrayError('SNAPSHOT_REFUSED', `the tables could not be locked for a moment in ${lockTries} tries: ${fault.message}`, {
        cause: error,
        remedy: 'Run the job when no long transaction writes to these tables, or set job.setting.snapshot to "per-task".',
      });
    }
  }
}

async function lock(session: Session, { tables, hasQueries }: SourceOfReads): Promise<void> {
  const refusals: string[] = [];
  if (!hasQueries) {
    const found = await findTables(session, tables);
    try {
      await session.execute(`LOCK TABLES ${found.map(({ sql }) => `${sql} READ`).join(', ')}`);
      return;
    } catch (error) {
      refusals.push(refusalOf(error));
    }
  }
  try {
    await session.execute('FLUSH TABLES WITH READ LOCK');
  } catch (error) {
    refusals.push(refusalOf(error));
    throw new DrayError('SNAPSHOT_REFUSED', `several readers need a lock to begin at one point in time: ${refusals.join('; ')}`, {
      cause: error,
      remedy: 'Grant LOCK TABLES (for queries: RELOAD), use one channel, or set job.setting.snapshot to "per-task".',
    });
  }
}

/** What the server said if it was about rights; anything else is thrown on. */
function refusalOf(error: unknown): string {
  const { code, message } = serverFault(error, 'lock');
  if (code !== 'PERMISSION_DENIED' && (error as { errno?: number }).errno !== 1044) throw error;
  return message.replace(/^cannot lock: /, '');
}

/** Where the binary log stands, if it does. MariaDB tells everybody; MySQL those with REPLICATION CLIENT. */
async function logPosition(session: Session): Promise<string[]> {
  const rows = await session.query("SHOW STATUS LIKE 'binlog\\_snapshot\\_%'");
  const status = new Map(rows.map(([name, value]) => [name!.toLowerCase(), value]));
  const file = status.get('binlog_snapshot_file');
  if (file !== undefined) return file === '' ? [] : [`${file}:${status.get('binlog_snapshot_position')}`];
  for (const statement of ['SHOW BINARY LOG STATUS', 'SHOW MASTER STATUS']) {
    const [row] = await session.records(statement).catch(() => []);
    if (row?.File !== undefined) return [`${row.File}:${row.Position}`];
  }
  return [];
}
