import type { Ended } from './dray.ts';
import type { Fault, Scenario } from './scenario.ts';

/** How a process of a run failed, with a code and a sentence. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** A reason that the documentation names. */
  readonly isAllowed: boolean;
  /** Neither resuming nor starting anew would help. */
  readonly isFinal: boolean;
}

/** What can pass; a run in which nothing was committed yet may end with it for good, and is started anew. */
const passing = ['CONNECT_FAILED', 'CONNECTION_LOST', 'CONFLICT', 'SERVER_BUSY', 'WORKER_DIED', 'SNAPSHOT_LOST'];

/** @returns undefined for a process that was killed */
export function refusalOf(
  { exitCode, report, stderr }: Ended,
  { guarantee, source, isAnalyzed }: Scenario,
  { isResumable, struck, warned }: { isResumable: boolean; struck: readonly Fault[]; warned: boolean },
): Refusal | undefined {
  if (exitCode === null) return undefined;
  const error = report?.error;
  if (error === undefined) {
    // The whole process was one thread, and a thread was to end.
    const wasThread = struck.some(({ kind }) => kind === 'thread');
    return wasThread ? undefined : { code: `exit code ${exitCode}`, message: stderr.slice(-500), isAllowed: false, isFinal: true };
  }
  const { code, message } = error;
  const hasStruck = (kind: Fault['kind']) => struck.some((fault) => fault.kind === kind);
  const end = (isAllowed: boolean, isFinal: boolean): Refusal => ({ code, message, isAllowed, isFinal });
  const isByBlocks = source === 'postgres' && !isAnalyzed;
  if (code === 'SNAPSHOT_LOST' && isByBlocks) return end(true, true);
  if (code === 'RUN_NOT_RESUMABLE' && message.includes('at work already')) return end(true, false);
  if (code === 'COMMIT_UNKNOWN') return end(guarantee !== 'exactly-once' && isResumable, false);
  if (code === 'DIRTY_LIMIT') return end(guarantee !== 'exactly-once' && warned, true);
  if (code === 'DISK_FULL') return end(hasStruck('disk full'), false);
  return end(passing.includes(code), false);
}
