import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arena } from './arena.ts';
import { Course, type CourseEnd } from './course.ts';
import type { Ended } from './dray.ts';
import { type OpenSource, type OpenTarget, openSource, openTarget, wanted } from './ends.ts';
import { Mutator } from './mutator.ts';
import { Poller } from './poller.ts';
import type { FaultKind, Scenario } from './scenario.ts';
import { dirtyIds, type Row } from './tables.ts';
import { faultsOfAnew, faultsOfRefused, faultsOfReport, faultsOfSnapshot, faultsOfTarget } from './verdict.ts';

/** `done`: in one process; `resumed`: in several; `refused`: given up with a code, and nothing is wrong at the target. */
export type Outcome = 'done' | 'resumed' | 'refused' | 'violation';

export interface Result {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** Faults that struck before the run was over. */
  readonly struck: readonly FaultKind[];
  readonly violations: readonly string[];
  /** How each process ended: a code of an error, or `done`, or the signal that ended it. */
  readonly ends: readonly string[];
  readonly seconds: number;
}

/** Makes the tables of a scenario, runs its job through its faults, and compares. */
export async function runScenario(scenario: Scenario, arena: Arena, keep: boolean): Promise<Result> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), `dray-drill-${scenario.seed}-`));
  await arena.ready();
  const source = await openSource(arena, scenario, join(folder, 'in'));
  const target = await openTarget(arena, scenario, join(folder, 'out'));
  let isKept = keep;
  try {
    const { end, violations } = await judged(scenario, arena, { source, target, folder });
    const ends = [...(end.hasSlept ? ['asleep'] : []), ...end.processes.map(endOf)];
    const outcome = violations.length > 0 ? 'violation' : !end.isDone ? 'refused' : ends.length > 1 ? 'resumed' : 'done';
    const struck = end.struck.map(({ kind }) => kind);
    isKept = keep && outcome === 'violation';
    if (isKept) keepOutputs(folder, end);
    return { scenario, outcome, struck, violations, ends, seconds: (performance.now() - startedAt) / 1000 };
  } catch (error) {
    throw new Error(`${(error as Error).message} (${folder})`, { cause: error });
  } finally {
    await arena.ready();
    await Promise.all([source.close(), target.close()]);
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
}

function endOf({ exitCode, report }: Ended): string {
  if (report?.error !== undefined) return report.error.code;
  return exitCode === 0 ? 'done' : exitCode === null ? 'killed' : `exit ${exitCode}`;
}

interface Places {
  readonly source: OpenSource;
  readonly target: OpenTarget;
  readonly folder: string;
}

async function judged(
  scenario: Scenario,
  arena: Arena,
  { source, target, folder }: Places,
): Promise<{ end: CourseEnd; violations: string[] }> {
  const state = join(folder, 'state');
  const dirty = new Set(dirtyIds(scenario));
  const rows: readonly Row[] = wanted(scenario, source, target, dirty);
  const poller = scenario.publish !== 'direct' ? new Poller(target.database!, target.old, rows) : undefined;
  const mutator = scenario.isMutated ? new Mutator(source.database, scenario) : undefined;
  let end: CourseEnd;
  try {
    const leftBehind = async () => {
      await arena.ready();
      return faultsOfAnew(scenario, target);
    };
    end = await new Course(scenario, { source, target, folder, state, leftBehind }).toEnd(jobFile(scenario, source, target, folder));
  } finally {
    await Promise.all([poller?.stop(), mutator?.stop()]);
  }
  await arena.ready();
  const violations = [...end.violations, ...(poller?.violations ?? []), ...(mutator?.violations ?? [])];
  if (end.isDone) {
    violations.push(...(await faultsOfTarget(scenario, end, target, rows)));
    violations.push(...(await faultsOfSnapshot(scenario, end, target)));
    violations.push(...faultsOfReport(end, state, { dirty, read: source.rows.length }));
  } else violations.push(...(await faultsOfRefused(scenario, target, rows)));
  return { end, violations };
}

function jobFile(scenario: Scenario, source: OpenSource, target: OpenTarget, folder: string): string {
  const { channels, guarantee, snapshot, dirtyRows, bytesPerSecond } = scenario;
  const setting = {
    speed: { channel: channels, byte: bytesPerSecond },
    splitBytes: 1 << 20,
    guarantee,
    ...(snapshot === undefined || scenario.source === 'textfile' ? {} : { snapshot }),
    ...(dirtyRows === 0 ? {} : { errorLimit: { record: dirtyRows } }),
    retry: { maxWaitSeconds: 4 },
  };
  const path = join(folder, 'job.json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, JSON.stringify({ job: { setting, content: [{ reader: source.plugin, writer: target.plugin }] } }, null, 2));
  return path;
}

function keepOutputs(folder: string, { processes }: CourseEnd): void {
  for (const [index, { stderr, report }] of processes.entries()) {
    writeFileSync(join(folder, `process-${index + 1}.log`), stderr);
    writeFileSync(join(folder, `process-${index + 1}.json`), JSON.stringify(report ?? null, null, 2));
  }
}
