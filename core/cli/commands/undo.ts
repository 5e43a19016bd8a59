import type { RunEvent } from '../../ledger/events.ts';
import type { ContentState } from '../../ledger/run-state.ts';
import type { StoredRun } from '../../ledger/run-store.ts';
import { DrayError, type Writer } from '../../sdk/index.ts';
import type { RunCommandOptions } from '../job-command.ts';
import { type Reopened, withStoredRun } from '../stored-run.ts';

interface Undoing {
  /** Whether there is something to do for a content. */
  readonly isWanted: (content: ContentState) => boolean;
  readonly nothing: () => DrayError;
  readonly call: (writer: Writer, content: ContentState) => Promise<void>;
  readonly event: (content: number) => RunEvent;
  readonly done: string;
}

/** `dray rollback`: brings back what was there before the run was published. */
export function rollbackRun(run: string, options: RunCommandOptions): Promise<number> {
  return undo(run, options, {
    isWanted: ({ isPublished, isRolledBack, published }) => isPublished && !isRolledBack && published !== null,
    nothing: () =>
      new DrayError('ROLLBACK_IMPOSSIBLE', `nothing was kept of what the run ${run} has replaced, or it was brought back before`),
    call: async (writer, { published }) => {
      if (writer.rollback === undefined) throw new DrayError('ROLLBACK_IMPOSSIBLE', 'the writer of this job cannot bring anything back');
      await writer.rollback(published);
    },
    event: (content) => ({ type: 'rolled back', content, at: new Date().toISOString() }),
    done: 'brought back what was there before',
  });
}

/** `dray discard`: gives up an unfinished run, and removes what it left at its targets. */
export function discardRun(run: string, options: RunCommandOptions): Promise<number> {
  return undo(run, options, {
    isWanted: ({ target, isPublished, isDiscarded }) => target !== undefined && !isPublished && !isDiscarded,
    nothing: () => new DrayError('RUN_NOT_RESUMABLE', `the run ${run} has left nothing unfinished`, { remedy: 'Nothing is to be done.' }),
    call: async (writer) => writer.discard?.(),
    event: (content) => ({ type: 'discarded', content }),
    done: 'removed what the run had not published; rows it had committed to visible tables stay',
  });
}

function undo(run: string, options: RunCommandOptions, { isWanted, nothing, call, event, done }: Undoing): Promise<number> {
  const wantedOf = ({ contents }: StoredRun) => [...contents].filter(([, content]) => isWanted(content));
  const work = async ({ stored, job, ledger, context, screen }: Reopened) => {
    const wanted = wantedOf(stored);
    for (const [index, content] of wanted.toReversed()) {
      const end = job.contents[index]!.writer;
      const writer = await end.plugin.open(end.options, context);
      try {
        await call(writer, content);
      } finally {
        await writer.close?.();
      }
      await ledger.append(event(index));
    }
    if (options.json) screen.json({ run, done, contents: wanted.map(([index]) => index).reverse() });
    else screen.line(`${run}: ${done}`);
    return 0;
  };
  return withStoredRun(run, options, work, (stored) => {
    if (wantedOf(stored).length === 0) throw nothing();
  });
}
