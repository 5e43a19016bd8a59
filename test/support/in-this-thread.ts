import type { RunListener, RunOptions } from '../../core/controller/run-job.ts';
import type { Executor } from '../../core/task/spec.ts';

/** Lanes whose tasks run here: for plugins that are values, and not modules. */
export function inThisThread(run: Executor['run'], cut: Executor['cut'] = async () => undefined): RunOptions['executor'] {
  return (_tasks, channels) => ({ lanes: channels, join: async () => undefined, run, cut, close: async () => undefined });
}

const nothing = () => undefined;

/** What a run tells of its course, unheard. */
export const unheard: Pick<RunListener, 'note' | 'planning' | 'contentStarts' | 'progress' | 'contentEnds'> = {
  note: nothing,
  planning: nothing,
  contentStarts: nothing,
  progress: nothing,
  contentEnds: nothing,
};
