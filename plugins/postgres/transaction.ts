import { settleCommit } from './commit-fate.ts';
import { type Client, disconnect } from './connection.ts';
import { serverFault } from './faults.ts';

/** The connection of the main thread; opened again if it was lost. */
export type Session = () => Promise<Client>;

interface TransactionOptions {
  /** Completes the sentence "cannot …". */
  readonly doing: string;
  /** How long a lock may take; then it is a CONFLICT. */
  readonly lockTimeoutMs: number;
}

/**
 * Does something in one transaction, in which each statement sees what is committed when it begins. Rejects only if nothing of it remains, or with
 * COMMIT_UNKNOWN.
 */
export async function inTransaction<T>(
  session: Session,
  { doing, lockTimeoutMs }: TransactionOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await session();
  const fail = (error: unknown): never => {
    throw serverFault(error, doing);
  };
  const begin = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = ${lockTimeoutMs}; SELECT txid_current() AS txid`;
  const begun = (await client.query(begin).catch(fail)) as unknown as { rows: { txid: string }[] }[];
  const txid = begun[2]!.rows[0]!.txid;
  let result: T;
  try {
    result = await work(client);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => disconnect(client));
    return fail(error);
  }
  try {
    await client.query('COMMIT');
  } catch (error) {
    const fault = serverFault(error, doing);
    if (fault.code !== 'CONNECTION_LOST') throw fault;
    await disconnect(client);
    await settleCommit(client, txid, fault);
  }
  return result;
}
