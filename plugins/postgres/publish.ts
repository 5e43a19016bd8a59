import { setTimeout as delay } from 'node:timers/promises';
import { DrayError, type Json } from 'dray/sdk';
import type { Client } from './connection.ts';
import { exchange, isExchangeable } from './exchange.ts';
import { serverFault, writeFault } from './faults.ts';
import { type InPlaceMode, moveInPlace } from './in-place.ts';
import { findPublishMark, ledgerOf, type PublishMark, writePublishMark } from './ledger.ts';
import { oldSnapshotsEnd } from './old-snapshots.ts';
import { type BesideTable, dropPrevious, endUsers, findBeside, targetText } from './staging.ts';
import { shapeOf, type TableShape } from './table-shape.ts';
import { inTransaction, type Session } from './transaction.ts';

/** How long who reads the target may have to wait behind us while we wait for those before us. */
const exchangeLockMs = 300;
/** Pauses between tries to lock the target; thereafter the rows are moved in place, which needs no such lock. */
const exchangePausesMs = [100, 200, 400, 800, 1600, 3200];
const snapshotPatienceMs = 5000;
const inPlaceLockMs = 30_000;

/** What `rollback` needs. */
export interface Published {
  readonly run: string;
  readonly schema: string;
  readonly table: string;
  /** The table with the previous rows, in the same schema. */
  readonly previous: string;
}

export interface Publication {
  readonly run: string;
  /** The target, for SQL. */
  readonly table: string;
  /** Number of the row in the ledger. */
  readonly number: number;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly writeMode: 'insert' | 'update' | 'replace';
  readonly isAppend: boolean;
  readonly keepsPrevious: boolean;
  readonly warn: (message: string) => void;
}

/**
 * Makes what the run loaded beside the target its rows, in one transaction that also leaves a mark in the ledger; done already, if the mark is there.
 * @returns the mark
 */
export async function publishStaged(session: Session, publication: Publication): Promise<PublishMark> {
  const client = await session();
  const target = await targetShape(client, publication.table);
  const place = { ledger: ledgerOf(target.schema), run: publication.run, task: publication.number };
  const earlier = await findPublishMark(client, place);
  const mark = earlier ?? (await moveRows(session, publication, target));
  const stayed = await dropPrevious(await session(), target, publication.run);
  for (const name of stayed) publication.warn(`the table ${name} of an earlier run is in use, and stays until the next run`);
  return mark;
}

async function moveRows(session: Session, publication: Publication, target: TableShape): Promise<PublishMark> {
  const staging = await findBeside(await session(), 'new', publication.run, target);
  if (staging === undefined) {
    throw new DrayError(
      'RUN_NOT_RESUMABLE',
      `the table with what the run ${publication.run} loaded for ${target.sql} is not there any more`,
      { side: 'target' },
    );
  }
  await endUsers(await session(), staging);
  const place = { ledger: ledgerOf(target.schema), run: publication.run, task: publication.number };
  const write = async (client: Client, previous: string | undefined) => {
    const mark: PublishMark = { target: targetText(target), previous, isDone: false };
    await writePublishMark(client, place, mark);
    return mark;
  };
  const isPlainReplace = publication.writeMode === 'insert' && !publication.isAppend;
  if (isPlainReplace && isExchangeable(target, staging) && (await oldSnapshotsEnd(await session(), snapshotPatienceMs))) {
    const mark = await tryExchange(session, { ...publication, target, from: staging, also: write });
    if (mark !== undefined) return mark;
  }
  return movedInPlace(session, { ...publication, target, from: staging, mode: modeOf(publication), also: write });
}

function modeOf({ writeMode, isAppend }: Publication): InPlaceMode {
  if (writeMode !== 'insert') return writeMode;
  return isAppend ? 'add' : 'replace all';
}

interface Taking {
  readonly run: string;
  readonly target: TableShape;
  readonly from: BesideTable;
  readonly keepsPrevious: boolean;
}

interface With<T> {
  /** Done in the same transaction. */
  readonly also: (client: Client, previous: string | undefined) => Promise<T>;
}

/** Exchanges the tables, with short waits for the lock; undefined if it cannot be had, or the target was changed. */
export async function tryExchange<T>(
  session: Session,
  { run, target, from, keepsPrevious, also }: Taking & With<T>,
): Promise<T | undefined> {
  const doing = `put ${from.sql} into the place of ${target.sql}`;
  for (const pauseMs of [...exchangePausesMs, undefined]) {
    try {
      return await inTransaction(session, { doing, lockTimeoutMs: exchangeLockMs }, async (client) => {
        await client.query(`LOCK TABLE ${target.sql} IN ACCESS EXCLUSIVE MODE`);
        await client.query(`LOCK TABLE ${from.sql} IN ACCESS EXCLUSIVE MODE`);
        const now = await shapeOf(client, target.sql);
        if (now === undefined || !isExchangeable(now, from)) return undefined;
        return also(client, await exchange(client, { run, target: now, from, keepsPrevious }));
      });
    } catch (error) {
      const { code } = error as DrayError;
      if (code === 'PERMISSION_DENIED' || (code === 'CONFLICT' && pauseMs === undefined)) return undefined;
      if (code !== 'CONFLICT') throw error;
    }
    if (pauseMs !== undefined) await delay(pauseMs);
  }
  return undefined;
}

interface MovingInPlace extends Taking {
  readonly mode: InPlaceMode;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** Moves the rows into the target, locked against others who write. */
export async function movedInPlace<T>(session: Session, { also, ...move }: MovingInPlace & With<T>): Promise<T> {
  const { target } = move;
  return inTransaction(session, { doing: `publish into ${target.sql}`, lockTimeoutMs: inPlaceLockMs }, async (client) => {
    try {
      // Foreign tables have no locks.
      if (target.kind !== 'f') await client.query(`LOCK TABLE ${target.sql} IN SHARE ROW EXCLUSIVE MODE`);
      return await also(client, await moveInPlace(client, move));
    } catch (error) {
      throw publishFault(error, target.sql);
    }
  });
}

/** A row that the target refuses only now fails the whole: it is no dirty record any more. */
function publishFault(error: unknown, table: string): DrayError {
  const fault = writeFault(error, table);
  if (fault.code !== 'ROW_REJECTED') return fault.code === 'SQL_FAILED' ? serverFault(error, `publish into ${table}`) : fault;
  return new DrayError('SQL_FAILED', `${table} refuses a row of the run: ${fault.message}; it is as it was before`, {
    cause: error,
    remedy: 'Mend the row at the source, or use "publish": "direct", where such rows are dirty records.',
  });
}

export async function targetShape(client: Client, table: string): Promise<TableShape> {
  const target = await shapeOf(client, table);
  if (target !== undefined) return target;
  throw new DrayError('TABLE_MISSING', `the table ${table} is not there any more`, { side: 'target' });
}

/** What `publish` answers: what is needed to take it back, if that is kept. */
export function publishedJson(run: string, target: TableShape, mark: PublishMark): Json | undefined {
  if (mark.previous === undefined) return undefined;
  const published: Published = { run, schema: target.schema, table: target.name, previous: mark.previous };
  return published as unknown as Json;
}
