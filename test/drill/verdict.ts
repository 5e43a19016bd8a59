import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runState } from '../../core/ledger/run-state.ts';
import type { CourseEnd } from './course.ts';
import { eventsIn } from './director.ts';
import type { OpenTarget } from './ends.ts';
import { hiddenFiles, loadFiles, visibleFiles } from './files.ts';
import { faultsOfMarkers } from './mutator.ts';
import type { Scenario } from './scenario.ts';
import { compare, type Difference, markerIds, type Row, rowsIn, target } from './tables.ts';

/** What is wrong with the target of a run that is done. */
export async function faultsOfTarget(scenario: Scenario, end: CourseEnd, place: OpenTarget, wanted: readonly Row[]): Promise<string[]> {
  const { database, folder, check } = place;
  const changing = markerIds(scenario);
  if (database === undefined) {
    const fault = await loadFiles(check!, folder!);
    const hidden = hiddenFiles(folder!);
    const left = hidden.length === 0 ? [] : [`hidden files are left behind: ${hidden.slice(0, 3).join(', ')}`];
    return fault === undefined
      ? [...faultsOfRows(scenario, end, compare(wanted, await rowsIn(check!, [target], changing))), ...left]
      : [fault, ...left];
  }
  return [
    ...faultsOfRows(scenario, end, compare(wanted, await rowsIn(database, [target], changing))),
    ...(await leftTables(scenario, place)),
  ];
}

function faultsOfRows({ guarantee }: Scenario, { processes }: CourseEnd, found: Difference): string[] {
  const faults: string[] = [];
  const ids = (some: readonly number[]) => `(ids ${some.join(', ')} …)`;
  if (found.missing > 0) faults.push(`${found.missing} rows are missing ${ids(found.missingIds)}`);
  const mayRepeat = guarantee === 'at-least-once' && processes.some(({ stderr }) => stderr.includes('may be written twice'));
  if (found.surplus > 0 && !mayRepeat)
    faults.push(`${found.surplus} rows are there that should not be, or too often ${ids(found.surplusIds)}`);
  return faults;
}

/** Tables that a run has made beside the target and should have removed. */
async function leftTables({ publish }: Scenario, { database }: OpenTarget): Promise<string[]> {
  const schema = database!.kind === 'postgres' ? 'current_schema()' : 'DATABASE()';
  const names = (await database!.sql(`SELECT table_name FROM information_schema.tables WHERE table_schema = ${schema}`)).map(
    ([name]) => name!,
  );
  // The rows as they were are kept for `dray rollback`.
  const left = names.filter((name) => name.startsWith('dray_new_') || (publish === 'direct' && name.startsWith('dray_old_')));
  return left.length === 0 ? [] : [`tables are left behind: ${left.join(', ')}`];
}

/** What is wrong with the target of a run that was given up: its rows may be there in part only if they are seen as tasks commit. */
export async function faultsOfRefused(
  scenario: Scenario,
  { database, folder, old }: OpenTarget,
  wanted: readonly Row[],
): Promise<string[]> {
  if (database === undefined) {
    const visible = visibleFiles(folder!);
    return visible.length === 0 ? [] : [`the run was given up, and its files are there: ${visible.slice(0, 3).join(', ')}`];
  }
  const found = await rowsIn(database, [target], markerIds(scenario));
  if (scenario.publish !== 'direct') {
    const { missing, surplus } = compare(old, found);
    return missing + surplus === 0 ? [] : [`the run was given up, and the target is not as it was: ${missing} rows less, ${surplus} more`];
  }
  if (scenario.guarantee === 'at-least-once') return [];
  const { surplus, surplusIds } = compare([...wanted, ...(scenario.writeMode === 'update' ? old : [])], found);
  return surplus === 0
    ? []
    : [`the run was given up, and ${surplus} rows are there that should not be, or too often (ids ${surplusIds.join(', ')} …)`];
}

/** What is wrong where all tasks are said to have read one point in time. */
export async function faultsOfSnapshot(scenario: Scenario, { processes }: CourseEnd, { database, check }: OpenTarget): Promise<string[]> {
  const snapshot = processes.findLast(({ report }) => report?.contents[0]?.snapshot !== undefined)?.report?.contents[0]?.snapshot;
  if (snapshot?.mode !== 'consistent' || snapshot.points !== 1) return [];
  return faultsOfMarkers((database ?? check)!, scenario);
}

/** What is wrong if a run is begun anew because it cannot be resumed: it must have left nothing, since nobody would know of it. */
export async function faultsOfAnew({ guarantee, ...scenario }: Scenario, { database, folder, old }: OpenTarget): Promise<string[]> {
  if (database === undefined) return visibleFiles(folder!).map((name) => `a run that cannot be resumed has left the file ${name}`);
  if (guarantee === 'at-least-once') return [];
  const { missing, surplus } = compare(old, await rowsIn(database, [target], markerIds({ guarantee, ...scenario })));
  return missing + surplus === 0 ? [] : [`a run that cannot be resumed has left ${surplus} rows, and taken ${missing}`];
}

/** What is wrong with the report, and the quarantine, of a run that is done. */
export function faultsOfReport(
  { run, processes }: CourseEnd,
  state: string,
  expected: { dirty: ReadonlySet<number>; read: number },
): string[] {
  const faults: string[] = [];
  const report = processes.at(-1)?.report;
  // Killed behind its last commit, or a content that an earlier process has published: nothing is counted then.
  if (report?.state === 'done' && !report.contents.some(({ isFromEarlierProcess }) => isFromEarlierProcess === true)) {
    const { read, written, dirty, filtered } = report.rows;
    if (read !== written + dirty + filtered)
      faults.push(`the report says read ${read}, written ${written}, dirty ${dirty}, filtered ${filtered}`);
    if (read !== expected.read) faults.push(`the report says read ${read}, and the source has ${expected.read} rows`);
    if (dirty !== expected.dirty.size) faults.push(`the report says dirty ${dirty}, and ${expected.dirty.size} rows are`);
  }
  return [...faults, ...faultsOfQuarantine(run!, state, expected.dirty)];
}

function faultsOfQuarantine(run: string, state: string, dirty: ReadonlySet<number>): string[] {
  const path = join(state, 'runs', run, 'dirty.jsonl');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  // The id is the first cell, whatever a file calls it.
  const rows = lines.map((line) => JSON.parse(line) as { task: number; attempt: number; cells?: object });
  const tasks = runState(eventsIn(state, run))?.tasks;
  const kept = rows
    .filter(({ task, attempt }) => tasks?.get(task)?.committed?.attempt === attempt)
    .map(({ cells }) => Number(Object.values(cells ?? {})[0]));
  const isRight = kept.length === dirty.size && kept.every((id) => dirty.has(id)) && new Set(kept).size === kept.length;
  return isRight
    ? []
    : [`the quarantine has the rows ${kept.sort((a, b) => a - b).join(', ')}, dirty are ${[...dirty].sort((a, b) => a - b).join(', ')}`];
}
