import { DrayError } from 'dray/sdk';
import { type Table, tableColumns } from './catalog.ts';
import { quoteName, type Session } from './connection.ts';
import { writeFault } from './faults.ts';
import { checkForeignKeys } from './identity.ts';
import type { Beside } from './staging.ts';

const mostTries = 5;

/**
 * Runs statements as one transaction, again if it loses to another one. What they read to write is locked until the end.
 * @throws DrayError with nothing changed
 */
export async function inTransaction(session: Session, tableSql: string, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await session.execute('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION; SAVEPOINT whole');
      await work();
      await session.execute('RELEASE SAVEPOINT whole');
      await session.execute('COMMIT');
      return;
    } catch (error) {
      await session.execute('ROLLBACK').catch(() => undefined);
      const fault = publishFault(error, tableSql);
      if (fault.code !== 'CONFLICT' || tries === mostTries) throw fault;
    }
  }
}

/** As that of a write, but a row that is refused now cannot be put aside any more. */
function publishFault(error: unknown, tableSql: string): DrayError {
  const fault = writeFault(error, tableSql);
  if (fault.code !== 'ROW_REJECTED') return fault;
  return new DrayError('SQL_FAILED', `the rows cannot go into ${tableSql} together with what is there: ${fault.message}`, {
    cause: error,
    remedy: 'Mend these rows at the source; the table is as it was.',
  });
}

/**
 * Rows of one table in the place of all rows of another, within the transaction. Foreign keys are looked at afterwards: rows that are replaced by ones of
 * the same key must neither be missed in between nor take those with them that refer to them.
 * @param keep a table for what is there now
 */
export async function replaceRows(session: Session, table: Table, from: Beside, keep: Beside | undefined): Promise<void> {
  if (keep !== undefined) await copyRows(session, table, keep);
  const [before] = await session.query('SELECT @@foreign_key_checks');
  await session.execute('SET foreign_key_checks = 0');
  try {
    await session.execute(`DELETE FROM ${table.sql}`);
    await copyRows(session, from, table);
    if (before?.[0] === '1') await checkForeignKeys(session, table);
  } finally {
    await session.execute(`SET foreign_key_checks = ${before?.[0]}`).catch(() => undefined);
  }
}

/** All rows of a table, with all columns, into another like it. */
export async function copyRows(session: Session, from: Beside | Table, to: Beside | Table): Promise<void> {
  const columns = (await tableColumns(session, to)).filter(({ isGenerated }) => !isGenerated);
  const list = columns.map(({ name }) => quoteName(name)).join(', ');
  await session.execute(`INSERT INTO ${to.sql} (${list}) SELECT ${list} FROM ${from.sql}`);
}

/** Rows of one table into another, within the transaction, as `writeMode` says. */
export async function mergeRows(
  session: Session,
  { table, from, columns, mode }: { table: Table; from: Beside; columns: readonly string[]; mode: 'insert' | 'replace' | 'update' },
): Promise<void> {
  const names = columns.map(quoteName);
  const changes = names.map((name) => `${name} = VALUES(${name})`);
  const list = names.join(', ');
  await session.execute(
    `${mode === 'replace' ? 'REPLACE' : 'INSERT'} INTO ${table.sql} (${list}) SELECT ${list} FROM ${from.sql}
     ${mode === 'update' ? `ON DUPLICATE KEY UPDATE ${changes.join(', ')}` : ''}`,
  );
}
