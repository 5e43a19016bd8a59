import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './connection.ts';

const pauseMs = 50;

/**
 * Waits until no transaction is left that looks at the database as it was before now. Rows in a table that takes another one's place are not visible to such a
 * one: it would find the table empty, or hold a part of the rows.
 * @returns false if one is still there after `patienceMs`
 */
export async function oldSnapshotsEnd(client: Client, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  const first = await snapshots(client);
  let left = first;
  while (left.size > 0) {
    if (performance.now() > deadline) return false;
    await delay(pauseMs);
    const now = await snapshots(client);
    left = new Set([...left].filter((one) => now.has(one)));
  }
  return true;
}

/**
 * Transactions of others that hold a snapshot, or of which we are not told whether they do. Each is named by its session and virtual transaction; locks are
 * shown to everybody.
 */
async function snapshots(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT l.pid || ' ' || l.virtualtransaction AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
       AND (a.backend_xmin IS NOT NULL OR a.query = '<insufficient privilege>')`,
  );
  return new Set(rows.map(({ name }) => name));
}
