/** What a content is held to. */
export interface Due {
  /** When it should have ended, on the clock of performance.now(). */
  readonly at: number;
  /** The same for people: `06:00`, `30 min after its start`. */
  readonly words: string;
}

/** Before that, what is done says nothing of what is left. */
const minElapsedMs = 2000;
const minShare = 0.02;

/** When a content will end that goes on as it did so far, in milliseconds from now; undefined while that cannot be told. */
export function remainingMs({
  rowsRead,
  estimatedRows,
  elapsedMs,
}: {
  rowsRead: number;
  estimatedRows: number | undefined;
  elapsedMs: number;
}): number | undefined {
  if (estimatedRows === undefined || estimatedRows === 0 || elapsedMs < minElapsedMs) return undefined;
  const share = Math.min(0.99, rowsRead / estimatedRows);
  return share < minShare ? undefined : (elapsedMs * (1 - share)) / share;
}

/** `will miss 06:00 by 14 min`; undefined if it will not, or nobody can tell. */
export function missWords(due: Due, now: number, remaining: number | undefined): string | undefined {
  const lateMs = now + (remaining ?? 0) - due.at;
  if (lateMs <= 0) return undefined;
  return `${remaining === undefined ? 'misses' : 'will miss'} ${due.words} by ${lengthWords(lateMs)}`;
}

export function lengthWords(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
