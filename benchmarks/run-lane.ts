import { type CourseContext, runCourse } from '../core/bench/course.ts';
import type { LaneResult } from '../core/bench/results.ts';
import type { Arena } from './arena.ts';
import type { Lane } from './lane.ts';

export interface LaneSize {
  readonly rows: number;
  readonly runs: number;
  readonly channels: readonly number[];
}

/** Makes ready what a lane needs and runs it. A lane that cannot be made ready is void, and the others go on. */
export async function runLane(lane: Lane, size: LaneSize, context: CourseContext & { readonly arena: Arena }): Promise<LaneResult> {
  const { arena, signal, say } = context;
  const rows = lane.rows?.(size.rows) ?? size.rows;
  const runs = lane.runs?.(size.runs) ?? size.runs;
  const named = { lane: lane.name, type: lane.type };
  try {
    const course = await lane.open({ rows, channels: lane.channels ?? size.channels, arena });
    return await runCourse({ ...named, runs, ...course }, context);
  } catch (error) {
    signal.throwIfAborted();
    const failure = `It could not be made ready. ${error instanceof Error ? error.message : String(error)}`;
    say(`${lane.name}: VOID. ${failure}`);
    return { ...named, rows, series: [], failure };
  }
}
