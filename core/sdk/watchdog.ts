import { DrayError, type Side } from './errors.ts';

/** Nothing has moved for so long: the connection is asked about. */
const patienceMs = 10_000;
/** An answer that takes longer is a no. */
const answerMs = 10_000;
const lookMs = 1000;

/** A side of a task, or a session, as the watchdog sees it. */
export interface Watched {
  readonly side: Side;
  /** Changes whenever something moves; undefined while this side has nothing to wait for. */
  readonly movement: () => unknown;
  /** See the SDK; undefined: the plugin cannot tell, and is believed. */
  readonly isAlive: () => Promise<boolean> | undefined;
}

/**
 * Notices connections that are dead and do not say so: a firewall that forgot them, a host that is gone, a peer that waits for us. A long query, a
 * wait for a lock or a slow commit look the same from here, so that time alone decides nothing: the plugin asks the server.
 * @param onDead told once per dead side; within 30 s of the last movement
 * @returns stops watching
 */
export function watchOver(watched: readonly Watched[], onDead: (error: DrayError) => void): () => void {
  const seen = watched.map((): { movement: unknown; at: number; isAsking: boolean } => ({ movement: undefined, at: 0, isAsking: false }));
  const look = () => {
    for (const [index, one] of watched.entries()) {
      const last = seen[index]!;
      const movement = one.movement();
      const now = performance.now();
      if (movement === undefined || movement !== last.movement) Object.assign(last, { movement, at: now });
      else if (!last.isAsking && now - last.at >= patienceMs) void ask(one, last, onDead);
    }
  };
  const timer = setInterval(look, lookMs).unref();
  return () => clearInterval(timer);
}

async function ask(
  { side, isAlive, movement }: Watched,
  last: { movement: unknown; at: number; isAsking: boolean },
  onDead: (error: DrayError) => void,
) {
  last.isAsking = true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), answerMs).unref();
  });
  const answer = isAlive();
  const isDead = answer !== undefined && !(await Promise.race([answer.catch(() => false), late]));
  clearTimeout(timer);
  last.isAsking = false;
  if (isDead && movement() === last.movement) {
    const seconds = Math.round((performance.now() - last.at) / 1000);
    onDead(new DrayError('CONNECTION_LOST', `the connection to the ${side} is dead: nothing has moved on it for ${seconds} s`, { side }));
  }
  last.at = performance.now();
}
