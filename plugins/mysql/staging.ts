import { DrayError } from 'dray/sdk';
import {
  isStaleRun,
  markText,
  readMark,
  type StagingKind,
  type StagingMark,
  stagingName,
  stagingPattern,
  targetHash,
} from '../_sql/staging-names.ts';
import type { Table } from './catalog.ts';
import { quoteName, quoteText, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { copyForeignKeys } from './identity.ts';

/** A table that dray makes beside the target, in its database. */
export interface Beside {
  readonly database: string;
  readonly name: string;
  /** For SQL. */
  readonly sql: string;
}

/** The comment of such a table. */
interface Mark extends StagingMark {
  /** The comment that the table has as the target. */
  readonly comment?: string;
}

export function tableBeside(kind: StagingKind, run: string, { database, name }: Pick<Table, 'database' | 'name'>): Beside {
  const own = stagingName(kind, run, { schema: database, table: name });
  return { database, name: own, sql: `${quoteName(database)}.${quoteName(own)}` };
}

export async function exists(session: Session, { database, name }: { readonly database: string; readonly name: string }): Promise<boolean> {
  return (await factsOf(session, { database, name })) !== undefined;
}

/** An empty table like the target, for the rows of a run: columns, keys, checks, partitions, its counter, and foreign keys to other tables. */
export async function createStaging(session: Session, target: Table, run: string): Promise<Beside> {
  const staging = tableBeside('new', run, target);
  await dropStale(session, target);
  if (target.engine === null) {
    throw new DrayError('JOB_INVALID', `${target.sql} is a view, and only a table can be published in one step`, {
      remedy: 'Name the table in "table", or use "publish": "direct".',
    });
  }
  await dropTable(session, staging);
  await createLike(session, staging, target, { run, kind: 'new' });
  await copyForeignKeys(session, target, staging.sql);
  await carryCounter(session, target, staging);
  return staging;
}

/** An empty table with the target's columns and keys, and a comment that proves it is ours. */
export async function createLike(session: Session, beside: Beside, target: Table, { run, kind }: { run: string; kind: StagingKind }) {
  await session.execute(`CREATE TABLE ${beside.sql} LIKE ${target.sql}`);
  await brand(session, beside, target, { run, kind });
}

/** Writes into a table's comment that it is ours, and what its comment was. */
export async function brand(
  session: Session,
  beside: Beside,
  target: Table,
  { run, kind }: { run: string; kind: StagingKind },
): Promise<void> {
  const { comment = '' } = (await factsOf(session, beside)) ?? {};
  if (readMark(comment) !== undefined) return;
  const mark: Mark = {
    run,
    kind,
    target: targetHash({ schema: target.database, table: target.name }),
    ...(comment === '' ? {} : { comment }),
  };
  // The longest comment has 2048 characters.
  const text = markText(mark).length <= 2048 ? markText(mark) : markText({ run, kind, target: mark.target });
  await session.execute(`ALTER TABLE ${beside.sql} COMMENT = ${quoteText(text)}`);
}

/** Gives a table the comment that it has as the target. */
export async function unbrand(session: Session, beside: Beside, target: Table): Promise<void> {
  const mark = readMark<Mark>((await factsOf(session, beside))?.comment ?? null);
  if (mark === undefined) return;
  const comment = mark.comment ?? (await factsOf(session, target))?.comment ?? '';
  await session.execute(`ALTER TABLE ${beside.sql} COMMENT = ${quoteText(readMark(comment) === undefined ? comment : '')}`);
}

/** Lets AUTO_INCREMENT go on where the other table's is. */
export async function carryCounter(session: Session, from: Table | Beside, to: Table | Beside): Promise<void> {
  const [wanted, own] = [(await factsOf(session, from))?.counter, (await factsOf(session, to))?.counter];
  if (wanted === undefined || own === undefined || BigInt(own) >= BigInt(wanted)) return;
  await session.execute(`ALTER TABLE ${to.sql} AUTO_INCREMENT = ${wanted}`);
}

/** Drops what earlier publishing kept of a target, except the table of this run. */
export async function dropPrevious(session: Session, target: Table, run: string): Promise<void> {
  await dropMarked(session, target, 'old', (mark) => mark.run !== run);
}

/** Drops what runs that ended long ago have loaded and not published. */
async function dropStale(session: Session, target: Table): Promise<void> {
  await dropMarked(session, target, 'new', (mark) => isStaleRun(mark.run));
}

async function dropMarked(session: Session, target: Table, kind: StagingKind, isMeant: (mark: StagingMark) => boolean): Promise<void> {
  const about = { schema: target.database, table: target.name };
  const rows = await session.query(
    `SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteText(target.database)} AND TABLE_NAME LIKE ${quoteText(stagingPattern(kind, about))}`,
  );
  for (const [name, comment] of rows as [string, string][]) {
    const mark = readMark(comment);
    if (mark === undefined || mark.kind !== kind || mark.target !== targetHash(about) || !isMeant(mark)) continue;
    await dropTable(session, { database: target.database, name, sql: `${quoteName(target.database)}.${quoteName(name)}` });
  }
}

export async function dropTable(session: Session, table: Beside): Promise<void> {
  await withoutQueueing(session, `drop ${table.sql}`, `DROP TABLE IF EXISTS ${table.sql}`);
}

const lockTries = 30;

/**
 * Runs a statement that needs a table for itself. Others' statements queue up behind one that waits for that, so it waits for a second at most, lets
 * them pass, and tries again.
 * @throws DrayError CONFLICT if somebody holds the table for about a minute
 */
export async function withoutQueueing(session: Session, doing: string, sql: string): Promise<void> {
  await session.execute('SET lock_wait_timeout = 1');
  try {
    for (let tries = 1; ; tries++) {
      try {
        await session.execute(sql);
        return;
      } catch (error) {
        const fault = serverFault(error, doing);
        if (fault.code !== 'CONFLICT' || tries === lockTries) throw fault;
      }
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800));
    }
  } finally {
    if (session.isOpen) await session.execute('SET lock_wait_timeout = DEFAULT').catch(() => undefined);
  }
}

interface TableFacts {
  readonly comment: string;
  /** The next value of AUTO_INCREMENT. */
  readonly counter: string | undefined;
}

async function factsOf(
  session: Session,
  { database, name }: { readonly database: string; readonly name: string },
): Promise<TableFacts | undefined> {
  const [row] = await session.query(
    `SELECT TABLE_COMMENT, AUTO_INCREMENT FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME = ${quoteText(name)}`,
  );
  if (row === undefined) return undefined;
  const [comment, counter] = row as [string | null, string | null];
  return { comment: comment ?? '', counter: counter ?? undefined };
}
