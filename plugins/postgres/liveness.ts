import { setTimeout as delay } from 'node:timers/promises';
import { beside, type Client, sessionOf, unsentBytes } from './connection.ts';

/** Between two looks: over a slow line the server often waits for the next bytes of a batch, but not for the same ones. */
const pauseMs = 1500;

/**
 * Whether an answer that has been pending for long may still come: the session exists at the server, and the server does not wait for us, as we wait for
 * it. Long work there (an index, a lock, a big commit) is alive.
 */
export async function isSessionAlive(client: Client): Promise<boolean> {
  const pid = sessionOf(client);
  if (pid === null) return false;
  return beside(client, async (other) => {
    const first = await waitOf(other, pid, unsentBytes(client));
    if (first === 'works') return true;
    if (first === 'gone') return false;
    await delay(pauseMs);
    const second = await waitOf(other, pid, unsentBytes(client));
    return second !== first && second !== 'gone';
  }).catch(() => false);
}

/** `gone`, `works`, or, if it waits for us, a text that changes when anything moves. */
async function waitOf(other: Client, pid: number, unsent: number): Promise<string> {
  const { rows: views } = await other.query("SELECT 1 WHERE to_regclass('pg_catalog.pg_stat_progress_copy') IS NOT NULL");
  const moved = views.length === 0 ? 'NULL' : '(SELECT bytes_processed::text FROM pg_stat_progress_copy p WHERE p.pid = a.pid)';
  const { rows } = await other.query<{ wait: string | null; since: string; moved: string | null }>(
    `SELECT a.wait_event AS wait, concat_ws(' ', a.query_start, a.state_change, a.state) AS since, ${moved} AS moved
     FROM pg_stat_activity a WHERE a.pid = $1`,
    [pid],
  );
  const [row] = rows;
  if (row === undefined) return 'gone';
  // ClientWrite: it waits until we take what it says, which a client that reads always does.
  if (row.wait !== 'ClientRead' && row.wait !== 'ClientWrite') return 'works';
  return `waits since ${row.since}, ${row.moved ?? 'no'} bytes arrived, ${unsent} to send`;
}
