import { setTimeout as delay } from 'node:timers/promises';
import { DrayError } from 'dray/sdk';
import { beside, type Client } from './connection.ts';

/** How long a server that has gone may take to come back and tell. */
const patienceMs = 20_000;

/**
 * Finds out, through another connection, what became of a transaction whose COMMIT was not answered. A session that still has it open has not received
 * the COMMIT, and is ended.
 * @param txid as `txid_current()` told it
 * @returns if it was committed
 * @throws DrayError CONNECTION_LOST (the cause) if it was rolled back; COMMIT_UNKNOWN if nothing tells
 */
export async function settleCommit(client: Client, txid: string, lost: DrayError): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const status = await beside(client, (other) => statusOf(other, txid)).catch(() => undefined);
    if (status === 'committed') return;
    if (status === 'aborted') throw lost;
    if (performance.now() > deadline) break;
    await delay(250);
  }
  throw new DrayError(
    'COMMIT_UNKNOWN',
    `the connection was lost during COMMIT, and the server does not tell what became of transaction ${txid}`,
    {
      cause: lost,
    },
  );
}

async function statusOf(other: Client, txid: string): Promise<string | null | undefined> {
  const { rows } = await other.query<{ status: string | null }>('SELECT txid_status($1::int8) AS status', [txid]);
  const status = rows[0]?.status;
  if (status === 'in progress') {
    await other.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid::text::int8 = $1::int8 % 4294967296', [
      txid,
    ]);
  }
  return status;
}
