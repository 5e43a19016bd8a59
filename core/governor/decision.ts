import { budgetOf, type GovernorState } from './governor-state.ts';

/** What may be done at a server now, by all jobs together. */
export interface Decision {
  /** Tasks that may run side by side, at least 1; Infinity: as many as there are. Tasks that run already are not ended. */
  readonly tasks: number;
  /** Nothing new may begin; for a minute at most. */
  readonly isPaused: boolean;
  /** Bytes of packed rows; 0: no limit. */
  readonly bytesPerSecond: number;
  /** The server is not well, and gets less than it could. */
  readonly isSlowed: boolean;
  /** For the progress line: `source 10.0.0.5:3306 slowed to 2 of 6 tasks: 48 threads running, limit 32`. Undefined: nothing stands against more. */
  readonly why: string | undefined;
}

/**
 * What follows from a state of the governor.
 * @param name how people know the server: `source 10.0.0.5:3306`
 */
export function decide(state: GovernorState, now: number, name: string): Decision {
  const { level, slowed, limits, pausedUntil, running } = state;
  const budget = budgetOf(state);
  const tasks = Math.max(1, Math.min(budget, level));
  const isPaused = pausedUntil !== undefined && now < pausedUntil;
  const isSlowed = slowed !== undefined;
  const bytesPerSecond = Math.min((limits.maxMegabytesPerSecond ?? Infinity) * 1e6, slowedBytes(state));
  const facts = {
    tasks,
    isPaused,
    isSlowed,
    bytesPerSecond: Number.isFinite(bytesPerSecond) ? Math.max(1, Math.round(bytesPerSecond)) : 0,
  };
  if (isPaused) return { ...facts, why: `${name} paused, nothing new begins: ${slowed?.cause}` };
  if (isSlowed) return { ...facts, why: `${name} slowed to ${amount(state, facts)}: ${slowed.cause}` };
  if (limits.maxConnections === undefined && running >= budget) {
    return { ...facts, why: `${name} takes ${plural(tasks)} at once: the other half of its free connections is left to others` };
  }
  return { ...facts, why: undefined };
}

/** Of the speed at which it became too much, what is left; tasks that run too many go slower by that. */
function slowedBytes({ slowed, level }: GovernorState): number {
  if (slowed === undefined || slowed.bytesPerSecond === 0 || level >= slowed.tasks) return Infinity;
  return (slowed.bytesPerSecond * level) / slowed.tasks;
}

function amount({ level, slowed }: GovernorState, { tasks, bytesPerSecond }: { tasks: number; bytesPerSecond: number }): string {
  const of = slowed?.tasks ?? 0;
  const share = of > tasks ? `${tasks} of ${plural(of)}` : plural(tasks);
  return level < 1 && bytesPerSecond > 0 ? `${share} and ${megabytes(bytesPerSecond)} MB/s` : share;
}

function plural(tasks: number): string {
  return `${tasks} task${tasks === 1 ? '' : 's'}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}
