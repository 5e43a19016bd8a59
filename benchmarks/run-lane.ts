import type { Arena } from './arena.ts';
import { type BenchDatabase, type Digest, differenceOf } from './bench-database.ts';
import { type Contestant, type Course, type CourseContext, runCourse } from './course.ts';
import { drayCommand, drayContestant, passwordOf, writeJobFile } from './dray-job.ts';
import type { FileLane } from './files/file-lanes.ts';
import type { Kind, LatencyLane, ThroughputLane } from './lanes.ts';
import type { LaneResult } from './results.ts';
import { programOf, rivalCommand, rivals } from './rivals.ts';

export interface LaneContext extends CourseContext {
  readonly arena: Arena;
}

/** The rival, dray on one channel and dray on two, in turn, `runs` times. */
export async function runThroughputLane(lane: ThroughputLane, rows: number, runs: number, context: LaneContext): Promise<LaneResult> {
  const { arena } = context;
  const { source, target, table, jobFile, expected } = await ends(lane, rows, arena);
  const { title, programs, needsReadyFile } = rivals[lane.rival];
  const program = programOf(lane.rival);
  const env = { ...passwordOf(source, 'source'), ...passwordOf(target, 'target') };
  const readyFile = needsReadyFile ? await arena.readyFile(lane.target, rows) : '';
  const rival: Contestant = {
    title,
    isRival: true,
    command: rivalCommand({ name: lane.rival, program: program ?? '', source, target, table, readyFile }),
    ...(program === undefined ? { absent: `absent: ${programs.join(' or ')} is not installed` } : {}),
  };
  const contestants = [rival, ...[1, 2].map((channels) => drayContestant(jobFile, env, { channels }))];
  return runCourse({ lane: lane.name, type: 'throughput', rows, runs, contestants, ...intoTable(target, expected) }, context);
}

/** dray alone, with as many channels as it chooses itself. */
export async function runLatencyLane(lane: LatencyLane, rows: number, runs: number, context: LaneContext): Promise<LaneResult> {
  const { source, target, jobFile, expected } = await ends(lane, rows, context.arena);
  const contestants = [{ title: 'dray', isRival: false, command: drayCommand(jobFile, source, target) }];
  return runCourse({ lane: lane.name, type: 'latency', rows, runs, contestants, ...intoTable(target, expected) }, context);
}

/** dray alone on two channels. */
export async function runMemoryLane(
  lane: { readonly name: string; readonly source: Kind; readonly target: Kind },
  rows: number,
  runs: number,
  context: LaneContext,
): Promise<LaneResult> {
  const { source, target, jobFile, expected } = await ends(lane, rows, context.arena);
  const contestants = [{ title: 'dray, 2 channels', isRival: false, command: drayCommand(jobFile, source, target, 2) }];
  return runCourse({ lane: lane.name, type: 'memory', rows, runs, contestants, ...intoTable(target, expected) }, context);
}

/** Commands with files, in turn; or, as a memory lane, dray alone. */
export async function runFileLane(
  lane: FileLane,
  type: 'files' | 'memory',
  { rows, runs }: { readonly rows: number; readonly runs: number },
  context: LaneContext,
): Promise<LaneResult> {
  return runCourse({ lane: lane.name, type, rows, runs, ...(await lane.course(rows, context.arena)) }, context);
}

async function ends(lane: { readonly source: Kind; readonly target: Kind }, rows: number, arena: Arena) {
  const source = await arena.database(lane.source);
  const target = await arena.database(lane.target);
  const table = await arena.table(lane.source, rows);
  const expected = await arena.expectedDigest(lane.target, rows);
  return { source, target, table, expected, jobFile: await writeJobFile(arena.folder, source, target, table) };
}

/** Commands that fill `target.orders`, which must then be what its source is. */
export function intoTable(target: BenchDatabase, expected: Digest): Pick<Course, 'prepare' | 'check'> {
  return {
    prepare: () => target.emptyTarget(),
    async check() {
      const difference = differenceOf(await target.digest('target', 'orders'), expected);
      if (difference !== undefined) throw new Error(difference);
      return undefined;
    },
  };
}
