import type { Arena } from './arena.ts';
import type { BenchDatabase, Digest } from './bench-database.ts';
import { drayCommand, writeJobFile } from './dray-job.ts';
import type { Kind, LatencyLane, ThroughputLane } from './lanes.ts';
import { type Command, type Measurement, measuredRun } from './measured-run.ts';
import type { LaneResult, Series } from './results.ts';
import { programOf, rivalCommand, rivals } from './rivals.ts';

export interface LaneContext {
  readonly arena: Arena;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

interface Contestant {
  readonly title: string;
  readonly isRival: boolean;
  readonly command: Command;
}

interface Course {
  readonly lane: string;
  readonly type: LaneResult['type'];
  readonly rows: number;
  readonly runs: number;
  readonly target: BenchDatabase;
  readonly expected: Digest;
  readonly contestants: readonly Contestant[];
}

/** The rival, dray on one channel and dray on two, in turn, `runs` times. */
export async function runThroughputLane(lane: ThroughputLane, rows: number, runs: number, context: LaneContext): Promise<LaneResult> {
  const { arena } = context;
  const { source, target, table, jobFile, expected } = await ends(lane, rows, arena);
  const { title, programs, needsReadyFile } = rivals[lane.rival];
  const program = programOf(lane.rival);
  const contestants: Contestant[] = [1, 2].map((channels) => ({
    title: `dray, ${channels} channel${channels === 1 ? '' : 's'}`,
    isRival: false,
    command: drayCommand(jobFile, source, target, channels),
  }));
  if (program !== undefined) {
    const readyFile = needsReadyFile ? await arena.readyFile(lane.target, rows) : '';
    contestants.unshift({ title, isRival: true, command: rivalCommand({ name: lane.rival, program, source, target, table, readyFile }) });
  }
  const result = await runCourse({ lane: lane.name, type: 'throughput', rows, runs, target, expected, contestants }, context);
  if (program !== undefined) return result;
  const absent: Series = { title, isRival: true, runs: [], absent: `absent: ${programs.join(' or ')} is not installed` };
  return { ...result, series: [absent, ...result.series] };
}

/** dray alone, with as many channels as it chooses itself. */
export async function runLatencyLane(lane: LatencyLane, rows: number, runs: number, context: LaneContext): Promise<LaneResult> {
  const { source, target, jobFile, expected } = await ends(lane, rows, context.arena);
  const contestants = [{ title: 'dray', isRival: false, command: drayCommand(jobFile, source, target) }];
  return runCourse({ lane: lane.name, type: 'latency', rows, runs, target, expected, contestants }, context);
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
  return runCourse({ lane: lane.name, type: 'memory', rows, runs, target, expected, contestants }, context);
}

async function ends(lane: { readonly source: Kind; readonly target: Kind }, rows: number, arena: Arena) {
  const source = await arena.database(lane.source);
  const target = await arena.database(lane.target);
  const table = await arena.table(lane.source, rows);
  const expected = await arena.expectedDigest(lane.target, rows);
  return { source, target, table, expected, jobFile: await writeJobFile(arena.folder, source, target, table) };
}

/** The first run that fails or moves wrong data makes the lane void and ends it. */
async function runCourse(course: Course, context: LaneContext): Promise<LaneResult> {
  const { lane, type, rows, runs, contestants } = course;
  const measured = contestants.map((): Measurement[] => []);
  let failure: string | undefined;
  try {
    for (let run = 1; run <= runs; run++) {
      const told: string[] = [];
      for (const [index, contestant] of contestants.entries()) {
        const measurement = await verifiedRun(contestant, course, context.signal);
        measured[index]!.push(measurement);
        told.push(`${contestant.title} ${measurement.seconds.toFixed(2)} s`);
      }
      context.say(`${lane}, ${rows.toLocaleString('en-US')} rows, run ${run} of ${runs}: ${told.join('; ')}`);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    failure = error instanceof Error ? error.message : String(error);
    context.say(`${lane}: VOID. ${failure}`);
  }
  return {
    lane,
    type,
    rows,
    series: contestants.map(({ title, isRival }, index) => ({ title, isRival, runs: measured[index]! })),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Only the command itself is on the clock. */
async function verifiedRun({ title, command }: Contestant, { target, expected }: Course, signal: AbortSignal): Promise<Measurement> {
  await target.emptyTarget();
  const measurement = await measuredRun(command, signal).catch((cause: unknown) => {
    throw new Error(`${title} failed. ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const found = await target.digest('target', 'orders');
  if (found.rows !== expected.rows) throw new Error(`${title} moved ${found.rows} rows instead of ${expected.rows}.`);
  if (found.hash !== expected.hash) throw new Error(`${title} moved rows that are not those of the source: the digests differ.`);
  return measurement;
}
