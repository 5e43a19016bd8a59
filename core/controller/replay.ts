import type { Job } from '../job/load-job.ts';
import type { QuarantinedRow } from '../ledger/quarantine.ts';
import type { Replay, RunState } from '../ledger/run-state.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import { type Cell, DrayError, type PluginContext, type Schema } from '../sdk/index.ts';
import type { DirtyRecord, TaskTally } from '../task/spec.ts';
import { moveRows } from './move-rows.ts';

/** What a replay has done. */
export interface ReplayResult {
  readonly content: number;
  readonly loaded: number;
  /** Rows that a transformer has let go no further: their replay is done, too. */
  readonly filtered: number;
  /** Rows that were refused again; they stay in the quarantine. */
  readonly refused: readonly { readonly id: string; readonly cause: string }[];
}

/** Rows of the quarantine that wait: of attempts that were committed, with their cells, and not replayed. */
async function waitingRows({ quarantine }: RunLedger, state: RunState): Promise<QuarantinedRow[]> {
  const winners = new Map<number, number>();
  for (const [task, { committed }] of state.tasks)
    if (committed !== undefined) winners.set(task, (committed.tally as unknown as TaskTally).attempt);
  return (await quarantine.rows()).filter(
    ({ id, task, attempt, cells }) => cells !== undefined && winners.get(task) === attempt && !state.replayed.has(id),
  );
}

/** Loads the rows that wait in the quarantine of a run, content by content. Those that are refused again stay there. */
export async function replayRows(job: Job, ledger: RunLedger, context: PluginContext): Promise<ReplayResult[]> {
  const state = ledger.earlier!;
  const rows = new Map((await waitingRows(ledger, state)).map((row) => [row.id, row]));
  const results: ReplayResult[] = [];
  // What was about to be committed comes first, as the same task: a target with a ledger knows whether it is there.
  for (const replay of state.replaying) {
    const isDoubtful = state.contents.get(replay.content)?.plan?.guarantee !== 'exactly-once';
    if (isDoubtful)
      context.warn(`an earlier replay ended while it committed: its ${replay.rows.length} rows may be written twice (at-least-once)`);
    results.push(await load(job, replay, rows, { ledger, context }));
    for (const id of replay.rows) rows.delete(id);
  }
  let task = state.nextReplay;
  for (const content of new Set([...rows.values()].map((row) => row.content))) {
    const ids = [...rows.values()].filter((row) => row.content === content).map(({ id }) => id);
    const replay = { content, task: task++, rows: ids };
    await ledger.append({ type: 'replaying', ...replay });
    results.push(await load(job, replay, rows, { ledger, context }));
  }
  return results;
}

async function load(
  job: Job,
  { content, task, rows: ids }: Replay,
  rows: ReadonlyMap<string, QuarantinedRow>,
  { ledger, context }: { ledger: RunLedger; context: PluginContext },
): Promise<ReplayResult> {
  const plan = ledger.earlier!.contents.get(content)?.plan;
  const { writer, transformers = [] } = job.contents[content] ?? {};
  if (plan === undefined || writer === undefined)
    throw new DrayError('RUN_NOT_RESUMABLE', `the job has no content ${content + 1} any more`);
  const known = ids.flatMap((id) => rows.get(id) ?? []);
  // Rows are counted from 1, in the order in which they were given.
  const idOf = ({ row }: DirtyRecord) => known[row - 1]!.id;
  const { refused, counters } = await moveRows({
    rows: known.map((row) => cellsOf(row, plan.source)),
    // The quarantine holds rows as they were read, so they take the whole way again.
    schema: plan.source,
    transformers,
    writer,
    task,
    attempt: ledger.epoch,
    guarantee: plan.guarantee,
    mode: 'replay',
    context,
    // An attempt that finds this one in the target's ledger cannot tell any more which rows it was.
    beforeCommit: async (complaints) => {
      const bad = new Set(complaints.map(idOf));
      await ledger.append({ type: 'replaying', content, task, rows: ids.filter((id) => !bad.has(id)) });
    },
  });
  await ledger.append({ type: 'replayed', task, at: new Date().toISOString() });
  return {
    content,
    loaded: counters.rowsWritten,
    filtered: counters.rowsFiltered,
    refused: refused.map((one) => ({ id: idOf(one), cause: one.cause })),
  };
}

function cellsOf({ id, cells = {} }: QuarantinedRow, { columns }: Schema): Cell[] {
  const unknown = Object.keys(cells).find((name) => !columns.some((column) => column.name === name));
  if (unknown !== undefined)
    throw new DrayError('JOB_INVALID', `the quarantined row ${id} has a column "${unknown}", and the source had none of that name`);
  return columns.map(({ name }) => cells[name] ?? null);
}
