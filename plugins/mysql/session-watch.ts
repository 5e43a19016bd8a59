import type { Session } from './connection.ts';

/** So long a batch may be on its way through a slow network: about 70 kB/s. */
const sendingMs = 15_000;

/**
 * Whether the answer to the statement under way can still come: asked of the server on another connection. Work, waits for locks and commits are worth
 * waiting for however long they take; a server that waits for us, or has ended the session, is not.
 */
export async function isWorthWaitingFor(session: Session): Promise<boolean> {
  const askedAt = session.askedAt;
  if (askedAt === undefined) return session.isOpen;
  let rows: (string | null)[][];
  try {
    rows = await session.aside(
      `SELECT COMMAND, STATE FROM information_schema.PROCESSLIST WHERE ID = ${(session.connection.threadId as number | null) ?? 0}`,
    );
  } catch (error) {
    // A server that refuses another connection is alive.
    return typeof (error as { errno?: unknown }).errno === 'number' && (error as { errno: number }).errno >= 1000;
  }
  // Answered in the meantime.
  if (session.askedAt !== askedAt) return true;
  const [row] = rows;
  if (row === undefined) return false;
  const [command, state] = row;
  if (command === 'Killed') return false;
  // "Reading file" is LOAD DATA at work, waits for locks included.
  const isWaitingForUs = command === 'Sleep' || state === 'Reading from net';
  return !isWaitingForUs || performance.now() - askedAt < sendingMs;
}
