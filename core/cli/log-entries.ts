import type { StoredEvent } from '../ledger/events.ts';
import type { TaskTally } from '../task/spec.ts';
import { count, plural } from './format.ts';

/** One thing that happened in a run. */
export interface LogEntry {
  /** ISO time; absent in journals of older versions. */
  readonly at?: string;
  readonly type: StoredEvent['type'];
  readonly task?: number;
  readonly attempt?: number;
  /** A sentence without its full stop. */
  readonly message: string;
}

/** A run's journal as people read it. */
export function logEntries(events: readonly StoredEvent[]): LogEntry[] {
  const splits = new Map<number, string>();
  const settled = new Set(events.flatMap((event) => (event.type === 'committed' || event.type === 'failed' ? attemptOf(event) : [])));
  return events.flatMap((event): LogEntry[] => {
    if (event.type === 'planned') event.splits.forEach(({ name }, place) => void splits.set(event.firstTask + place, name));
    // What comes of it is told next.
    if (event.type === 'committing' && settled.has(attemptOf(event))) return [];
    const at = 'at' in event ? event.at : event.ms === undefined ? undefined : new Date(event.ms).toISOString();
    const { task, attempt } = event as { task?: number; attempt?: number };
    return [
      {
        ...(at === undefined ? {} : { at }),
        type: event.type,
        ...(task === undefined ? {} : { task }),
        ...(attempt === undefined ? {} : { attempt }),
        message: sentence(event, (number) => `task ${number}${splits.has(number) ? ` (${splits.get(number)})` : ''}`),
      },
    ];
  });
}

function attemptOf({ task, attempt }: { readonly task: number; readonly attempt: number }): string {
  return `${task}.${attempt}`;
}

function sentence(event: StoredEvent, nameOf: (task: number) => string): string {
  switch (event.type) {
    case 'begun':
      return `${event.submitted === undefined ? 'begun' : 'submitted to the server'}: ${event.file}, ${event.guarantee}`;
    case 'opened':
      return 'its turn to begin has come';
    case 'changed':
      return `changed by the user: ${event.change}`;
    case 'resumed':
      return `process ${event.epoch} of the run goes on with it`;
    case 'planned':
      return `content ${event.content + 1}: ${event.reader} → ${event.writer}, cut into ${plural(event.splits.length, 'task')}, ${event.guarantee}`;
    case 'prepared':
      return `content ${event.content + 1}: the target is ready`;
    case 'snapshot':
      return `content ${event.content + 1}: reads at one point in time${event.position === undefined ? '' : `, ${event.position}`}`;
    case 'started':
      return `${nameOf(event.task)} started, attempt ${event.attempt}, ${event.why}`;
    case 'cut':
      return `${nameOf(event.task)} gave parts of its split to task ${event.rest}, for a thread that was idle`;
    case 'committing':
      return `${nameOf(event.task)} was about to commit, and nothing is known of the outcome`;
    case 'committed':
      return `${nameOf(event.task)} committed ${plural((event.tally as unknown as Partial<TaskTally>).rowsWritten ?? 0, 'row')}`;
    case 'failed':
      return `${nameOf(event.task)} failed, attempt ${event.attempt}, ${event.code}: ${event.message}`;
    case 'published':
      return `content ${event.content + 1}: published`;
    case 'discarded':
      return `content ${event.content + 1}: what was unfinished at the target was removed`;
    case 'rolled back':
      return `content ${event.content + 1}: what was there before was brought back`;
    case 'replaying':
      return `content ${event.content + 1}: ${plural(event.rows.length, 'dirty record')} of the quarantine are loaded again`;
    case 'replayed':
      return 'dirty records of the quarantine were loaded';
    case 'ended': {
      const why = event.error === undefined ? '' : `, ${event.error.code}: ${event.error.message}`;
      return `${event.state}, ${count(event.rows.written ?? 0)} rows written${why}`;
    }
  }
}
