import { DrayError, type Json } from 'dray/sdk';
import { targetColumns } from '../_sql/parts.ts';
import { type Table, tableColumns } from './catalog.ts';
import type { Session } from './connection.ts';
import { canBeRenamed } from './identity.ts';
import { copyRows, inTransaction, mergeRows, replaceRows } from './in-place.ts';
import { hasLedger, type LedgerKey } from './ledger.ts';
import { hasPublished, type Publication, readPublication, writePublication } from './publication.ts';
import {
  type Beside,
  brand,
  carryCounter,
  createLike,
  dropPrevious,
  dropTable,
  exists,
  tableBeside,
  unbrand,
  withoutQueueing,
} from './staging.ts';
import type { MysqlWriterOptions } from './writer.ts';

/** What `rollback` needs. */
export interface Published {
  readonly database: string;
  readonly table: string;
  /** Name of the table with the rows that were there before. */
  readonly previous: string;
  readonly run: string;
  /** Number in the ledger. */
  readonly number: number;
}

interface Publishing {
  readonly session: Session;
  readonly table: Table;
  /** Of the publishing in the ledger. */
  readonly key: LedgerKey;
  readonly options: Pick<MysqlWriterOptions, 'publish' | 'keepPrevious' | 'writeMode' | 'column'>;
}

/** Makes the rows of a staging table those of its target, in one step; does what is missing if that was begun before. */
export async function publishStaging(publishing: Publishing): Promise<Publication> {
  const { session, table, key, options } = publishing;
  const [staging, previous] = [tableBeside('new', key.run, table), tableBeside('old', key.run, table)];
  const done = await readPublication(session, key);
  const publication = done ?? (await makeVisible(publishing, staging, previous));
  await dropTable(session, staging);
  await dropPrevious(session, table, key.run);
  if (!options.keepPrevious) await dropTable(session, previous);
  return publication;
}

async function makeVisible(publishing: Publishing, staging: Beside, previous: Beside): Promise<Publication> {
  const { session, table, key, options } = publishing;
  const { database, name } = table;
  const published: Published = { database, table: name, previous: previous.name, run: key.run, number: key.task };
  const publication = { published: options.keepPrevious ? (published as unknown as Json) : null, statements: 0 };
  if (!(await exists(session, staging))) {
    if (!(await exists(session, previous))) {
      throw new DrayError('RUN_NOT_RESUMABLE', `the loaded rows are not there any more: the table ${staging.sql} is gone`);
    }
    // The tables have changed places already.
    await markSwap(publishing, previous, publication);
    return publication;
  }
  await dropTable(session, previous);
  const replacesAll = options.publish === 'atomic' && options.writeMode === 'insert';
  if (replacesAll && (await canBeRenamed(session, table)) && (await swap(publishing, staging, previous))) {
    await markSwap(publishing, previous, publication);
    return publication;
  }
  if (!table.isTransactional) {
    throw new DrayError(
      'SQL_FAILED',
      `${table.sql} must keep its identity (foreign keys, triggers), and its engine ${table.engine} has no transactions`,
      {
        remedy: 'Use "publish": "direct", or change the table to InnoDB.',
      },
    );
  }
  if (options.keepPrevious) await createLike(session, previous, table, { run: key.run, kind: 'old' });
  const keep = options.keepPrevious ? previous : undefined;
  const columns = targetColumns(await tableColumns(session, table), options.column, table.sql).map((column) => column.name);
  await inTransaction(session, table.sql, async () => {
    if (replacesAll) await replaceRows(session, table, staging, keep);
    else {
      if (keep !== undefined) await copyRows(session, table, keep);
      await mergeRows(session, { table, from: staging, columns, mode: options.writeMode });
    }
    await writePublication(session, key, publication);
  });
  return publication;
}

const mayNotRename = 'PERMISSION_DENIED';

/** False if this user may not rename the table. */
async function swap({ session, table }: Publishing, staging: Beside, previous: Beside): Promise<boolean> {
  try {
    await carryCounter(session, table, staging);
    await unbrand(session, staging, table);
    await changePlaces(session, table, staging, previous);
    return true;
  } catch (error) {
    if (error instanceof DrayError && error.code === mayNotRename) return false;
    throw error;
  }
}

/** One step for whoever reads: MySQL renames all tables of a statement at once. */
export async function changePlaces(session: Session, table: Table, next: Beside, aside: Beside): Promise<void> {
  await withoutQueueing(
    session,
    `let ${next.sql} take the place of ${table.sql}`,
    `RENAME TABLE ${table.sql} TO ${aside.sql}, ${next.sql} TO ${table.sql}`,
  );
}

async function markSwap({ session, table, key }: Publishing, previous: Beside, publication: Publication): Promise<void> {
  await brand(session, previous, table, { run: key.run, kind: 'old' });
  await writePublication(session, key, publication);
}

/** Drops what a run has loaded and not published. */
export async function discardStaging(session: Session, target: Pick<Table, 'database' | 'name'>, run: string): Promise<void> {
  const { database } = target;
  const staging = tableBeside('new', run, target);
  if (!(await exists(session, staging))) return;
  // A publishing that failed has made a table for the previous rows, and left it empty.
  const isPublished = (await hasLedger(session, database)) && (await hasPublished(session, { database, run }));
  if (!isPublished) await dropTable(session, tableBeside('old', run, target));
  await dropTable(session, staging);
}
