import type { ContentState } from '../../ledger/run-state.ts';
import { findRun, reopenRun } from '../../ledger/run-store.ts';
import { asDrayError, DrayError, type PluginContext, type Writer } from '../../sdk/index.ts';
import { onInterrupt } from '../interrupt.ts';
import { Screen } from '../screen.ts';
import { stateOf } from '../state.ts';
import { storedJob } from './resume.ts';
import type { RunCommandOptions } from './run.ts';

interface Undoing {
  /** Whether there is something to do for a content. */
  readonly isWanted: (content: ContentState) => boolean;
  readonly nothing: () => DrayError;
  readonly call: (writer: Writer, content: ContentState) => Promise<void>;
  readonly event: (content: number) => Parameters<Awaited<ReturnType<typeof reopenRun>>['append']>[0];
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

async function undo(run: string, options: RunCommandOptions, { isWanted, nothing, call, event, done }: Undoing): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  try {
    const stored = await findRun(stateOf(options), run);
    const wanted = [...stored.contents].filter(([, content]) => isWanted(content));
    if (wanted.length === 0) throw nothing();
    const job = await storedJob(stored, options, screen);
    const ledger = await reopenRun(stored);
    const context: PluginContext = {
      run,
      job: job.name,
      warn: (message) => screen.warn(message),
      print: (text) => process.stdout.write(text),
      signal: interrupt.signal,
    };
    try {
      for (const [index, content] of wanted.reverse()) {
        const end = job.contents[index]!.writer;
        const writer = await end.plugin.open(end.options, context);
        try {
          await call(writer, content);
        } finally {
          await writer.close?.();
        }
        await ledger.append(event(index));
      }
    } finally {
      await ledger.close();
    }
    if (options.json) screen.json({ run, done, contents: wanted.map(([index]) => index) });
    else screen.line(`${run}: ${done}`);
    return 0;
  } catch (error) {
    const failure = asDrayError(error, { side: 'target' });
    if (options.json) screen.json({ run, error: { code: failure.code, message: failure.message } });
    screen.error(failure.toWire());
    return failure.exitCode;
  } finally {
    interrupt.release();
  }
}
