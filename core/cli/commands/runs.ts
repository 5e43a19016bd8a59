import { listRuns, type StoredRun } from '../../ledger/run-store.ts';
import { count, plural } from '../format.ts';
import { Screen } from '../screen.ts';
import { type StateOptions, stateOf } from '../state.ts';

export interface RunsOptions extends StateOptions {
  readonly json: boolean;
  readonly limit: number;
}

/** `dray runs`: the runs of the state folder, newest first. */
export async function printRuns(options: RunsOptions): Promise<void> {
  const screen = new Screen();
  const folder = stateOf(options);
  const runs = (await listRuns(folder)).slice(0, options.limit);
  if (options.json) screen.json({ runs: runs.map(described) });
  else if (runs.length === 0) screen.line(`no runs in ${folder}`);
  else for (const run of runs) screen.line(lineOf(run));
}

function described({ run, state, begun, ended, tasks, contents, isResumable, folder }: StoredRun) {
  const committed = [...tasks.values()].filter((task) => task.committed !== undefined).length;
  const planned = [...contents.values()].reduce((sum, { plan }) => sum + (plan?.splits.length ?? 0), 0);
  return {
    run,
    state,
    job: begun.job,
    file: begun.file,
    started: begun.at,
    ...(ended === undefined ? {} : { ended: ended.at, rows: ended.rows }),
    guarantee: begun.guarantee,
    tasks: { planned, committed },
    isResumable,
    folder,
    ...(ended?.error === undefined ? {} : { error: ended.error }),
  };
}

function lineOf(stored: StoredRun): string {
  const { run, state, job, started, rows, tasks, isResumable, error } = described(stored);
  const moved = rows === undefined ? `${tasks.committed} of ${plural(tasks.planned, 'task')}` : `${count(rows.written ?? 0)} rows`;
  const hint = isResumable ? '  (resumable)' : '';
  const why = error === undefined ? '' : `  ${error.code}`;
  return `${run}  ${state.padEnd(11)}  ${started.slice(0, 19).replace('T', ' ')}  ${job}  ${moved}${why}${hint}`;
}
