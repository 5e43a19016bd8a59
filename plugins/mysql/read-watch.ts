import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './connection.ts';

/** Looks at the session; one that waits for us in all of them has sent what does not arrive. */
const looks = 3;
const pauseMs = 500;

/**
 * Whether rows that have not come for long may still come: the session exists at the server, and the server neither thinks that it has sent everything nor waits
 * for us to take what it sends.
 */
export async function isReadAlive(session: Session): Promise<boolean> {
  if (!session.isOpen) return false;
  const before = arrivedBytes(session);
  for (let look = 0; look < looks; look++) {
    if (look > 0) await delay(pauseMs);
    const state = await stateOf(session);
    if (state === 'gone') return false;
    if (state === 'works') return true;
  }
  return arrivedBytes(session) !== before;
}

async function stateOf(session: Session): Promise<'gone' | 'works' | 'waits'> {
  let rows: (string | null)[][];
  try {
    rows = await session.aside(`SELECT COMMAND, STATE FROM information_schema.PROCESSLIST WHERE ID = ${session.connection.threadId}`);
  } catch (error) {
    // A server that refuses another connection is alive.
    return ((error as { errno?: number }).errno ?? 0) >= 1000 ? 'works' : 'gone';
  }
  const [row] = rows;
  if (row === undefined || row[0] === 'Killed') return 'gone';
  const [command, state] = row;
  return command === 'Sleep' || /^(Writing to net|Sending to client)/i.test(state ?? '') ? 'waits' : 'works';
}

function arrivedBytes({ connection }: Session): number {
  return (connection as unknown as { stream: { bytesRead: number } }).stream.bytesRead;
}
