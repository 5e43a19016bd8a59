import type { Json } from 'dray/sdk';
import { quoteText, type Session } from './connection.ts';
import { type LedgerKey, ledgerOf, rowOf } from './ledger.ts';

/** What the ledger keeps of a publishing: that the rows are visible, and how far its postSql is. */
export interface Publication {
  /** What `rollback` needs; null if the previous rows are not kept. */
  readonly published: Json;
  /** Statements of postSql that have been run. */
  readonly statements: number;
}

export async function readPublication(session: Session, key: LedgerKey): Promise<Publication | undefined> {
  const [row] = await session.query(`SELECT info FROM ${ledgerOf(key.database)} WHERE ${rowOf(key)}`);
  return row === undefined ? undefined : (JSON.parse(row[0]!) as Publication);
}

/** In the transaction of the rows, where there is one. */
export async function writePublication(session: Session, key: LedgerKey, publication: Publication): Promise<void> {
  const info = quoteText(JSON.stringify(publication));
  await session.execute(
    `INSERT INTO ${ledgerOf(key.database)} (run, task, attempt, session, info, committed_at)
     VALUES (${quoteText(key.run)}, ${key.task}, 1, CONNECTION_ID(), ${info}, NOW(6)) ON DUPLICATE KEY UPDATE info = ${info}`,
  );
}

/** Forgets a publishing that was rolled back; false if that has been done. */
export async function forgetPublication(session: Session, key: LedgerKey): Promise<boolean> {
  const { affectedRows } = await session.execute(`DELETE FROM ${ledgerOf(key.database)} WHERE ${rowOf(key)}`);
  return affectedRows > 0;
}

/** Whether anything of the run has been published in this database. */
export async function hasPublished(session: Session, { database, run }: Omit<LedgerKey, 'task'>): Promise<boolean> {
  const rows = await session.query(`SELECT 1 FROM ${ledgerOf(database)} WHERE run = ${quoteText(run)} AND task < 0 LIMIT 1`);
  return rows.length > 0;
}
