import { createHash } from 'node:crypto';
import { DrayError, type Json } from 'dray/sdk';
import { quoteText, type Session } from './connection.ts';

const lockWaitMs = 10_000;
const noSuchThread = 1094;
const notOwner = 1095;

/**
 * Takes a lock that lives as long as the session. Another session that has it belongs to somebody who was given up (a frozen thread, a stopped process, a
 * half-open connection): it is ended at the server, which undoes what it has not committed before it lets the lock go.
 * @param key what the lock stands for; the same on every machine
 * @param what it is, for people: "task 3"
 * @returns the number of this session at the server
 * @throws DrayError CONFLICT if the other one has not ended within ten seconds
 */
export async function takeLock(session: Session, key: Json, what: string): Promise<string> {
  // At most 64 characters, and one room for all databases of the server.
  const name = quoteText(`dray ${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 40)}`);
  const giveUpAt = performance.now() + lockWaitMs;
  for (let waitSeconds = 0; performance.now() < giveUpAt; waitSeconds = 1) {
    const [row] = await session.query(`SELECT CONNECTION_ID(), GET_LOCK(${name}, ${waitSeconds}), IS_USED_LOCK(${name})`);
    const [own, isOurs, holder] = row as [string, string | null, string | null];
    if (isOurs === '1') return own;
    if (holder !== null) await endSession(session, holder, what);
  }
  throw new DrayError(
    'CONFLICT',
    `the session of an earlier attempt at ${what} did not end within ${lockWaitMs / 1000} s of being told to`,
  );
}

async function endSession(session: Session, id: string, what: string): Promise<void> {
  await session.execute(`KILL CONNECTION ${id}`).catch((error: Error & { readonly errno?: number }) => {
    if (error.errno === noSuchThread) return;
    if (error.errno !== notOwner) throw error;
    throw new DrayError('CONFLICT', `session ${id} of the server holds ${what}, and this user may not end it`, { cause: error });
  });
}
