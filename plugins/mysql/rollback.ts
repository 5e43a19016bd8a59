import { DrayError, type Json } from 'dray/sdk';
import { findTable } from './catalog.ts';
import { quoteName, type Session } from './connection.ts';
import { canBeRenamed } from './identity.ts';
import { inTransaction, replaceRows } from './in-place.ts';
import { forgetPublication } from './publication.ts';
import { changePlaces, type Published } from './publish.ts';
import { carryCounter, dropTable, exists, tableBeside, unbrand } from './staging.ts';

/** Brings back the rows that were there before a publishing. */
export async function rollBack(session: Session, given: Json): Promise<void> {
  const { database, table: name, previous: previousName, run, number } = given as unknown as Published;
  const table = await findTable(session, `${quoteName(database)}.${quoteName(name)}`);
  const key = { database, run, task: number };
  const previous = { ...tableBeside('old', run, table), name: previousName, sql: `${quoteName(database)}.${quoteName(previousName)}` };
  // The name is free: what was loaded under it has been published.
  const undone = tableBeside('new', run, table);
  if (!(await exists(session, previous))) {
    if (!(await exists(session, undone))) {
      throw new DrayError(
        'ROLLBACK_IMPOSSIBLE',
        `the rows from before the run ${run} are not there any more: the table ${previous.sql} is gone`,
      );
    }
    // They are back, and what they replaced is still to be removed.
  } else if (table.isTransactional && !(await canBeRenamed(session, table))) {
    await inTransaction(session, table.sql, async () => {
      if (await forgetPublication(session, key)) await replaceRows(session, table, previous, undefined);
    });
    await dropTable(session, previous);
    return;
  } else {
    await carryCounter(session, table, previous);
    await unbrand(session, previous, table);
    await changePlaces(session, table, previous, undone);
  }
  await forgetPublication(session, key);
  await dropTable(session, undone);
}
