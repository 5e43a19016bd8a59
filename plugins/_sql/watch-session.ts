/** A statement that has been pending for so long is asked about. */
const patienceMs = 10_000;
const lookMs = 2000;

/** A session outside of any task, whose statements nobody else watches. */
export interface WatchedSession {
  /** Tells the statement that waits for its answer from the one after it; undefined if none does. */
  readonly pending: () => unknown;
  /** Asks the server, on another connection. */
  readonly isAlive: () => Promise<boolean>;
  /** Ends the session, so that the statement fails. */
  readonly end: () => Promise<void>;
}

/**
 * Ends a session on which an answer cannot come any more: the connection is dead and does not say so, and publishing would wait without end. Within 30 s.
 * @returns stops watching
 */
export function watchSession({ pending, isAlive, end }: WatchedSession): () => void {
  let seen: unknown;
  let since = 0;
  let isAsking = false;
  const look = async () => {
    const now = pending();
    if (now === undefined || now !== seen) {
      seen = now;
      since = performance.now();
      return;
    }
    if (isAsking || performance.now() - since < patienceMs) return;
    isAsking = true;
    const isWorthIt = await isAlive().catch(() => false);
    isAsking = false;
    since = performance.now();
    if (!isWorthIt && pending() === seen) await end();
  };
  const timer = setInterval(() => void look(), lookMs).unref();
  return () => clearInterval(timer);
}
