import { type Command, type Measurement, measuredRun } from './measured-run.ts';
import type { LaneResult, LaneType } from './results.ts';

export interface Contestant {
  readonly title: string;
  readonly isRival: boolean;
  readonly command: Command;
  /** Why it does not take part, in words: its program is not installed. */
  readonly absent?: string;
  /** In place of that of the course: for a command that leaves something else behind, or nothing. */
  check?(): Promise<number | undefined>;
}

/** Commands that do the same work, and what stands around each run of one. */
export interface Course {
  readonly lane: string;
  readonly type: LaneType;
  readonly rows: number;
  readonly runs: number;
  /** Rivals first: each is a measure of those that are none. */
  readonly contestants: readonly Contestant[];
  /** Before each run: takes away what the one before has moved. */
  prepare(): Promise<void>;
  /**
   * After each run. Rejects if it has moved anything but what it should, with the rest of a sentence that the command begins: `moved 7 rows
   * instead of 8`.
   * @returns bytes that it has left in files; undefined where that says nothing
   */
  check(): Promise<number | undefined>;
}

export interface CourseContext {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * All contestants in turn, `runs` times. The first run of dray that fails or moves wrong data makes the lane void and ends it; a rival's
 * takes out that rival.
 */
export async function runCourse(course: Course, context: CourseContext): Promise<LaneResult> {
  const { lane, type, rows, runs, contestants } = course;
  const series = contestants.map(seriesOf);
  let failure: string | undefined;
  try {
    for (let run = 1; run <= runs; run++) {
      const told: string[] = [];
      for (const [index, contestant] of contestants.entries()) {
        const its = series[index]!;
        if (its.absent !== undefined || its.failure !== undefined) continue;
        const measured = await checkedRun(contestant, course, context.signal).catch((error: Error) => {
          context.signal.throwIfAborted();
          if (!contestant.isRival) throw error;
          its.failure = error.message;
          context.say(`${lane}: ${error.message}`);
        });
        if (measured === undefined) continue;
        its.runs.push(measured.measurement);
        if (measured.fileBytes !== undefined) its.fileBytes.push(measured.fileBytes);
        told.push(`${contestant.title} ${measured.measurement.seconds.toFixed(2)} s`);
      }
      context.say(`${lane}, ${rows.toLocaleString('en-US')} rows, run ${run} of ${runs}: ${told.join('; ')}`);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    failure = error instanceof Error ? error.message : String(error);
    context.say(`${lane}: VOID. ${failure}`);
  }
  return { lane, type, rows, series, ...(failure === undefined ? {} : { failure }) };
}

/** Only the command itself is on the clock. */
async function checkedRun(contestant: Contestant, course: Course, signal: AbortSignal) {
  const { title, command } = contestant;
  await course.prepare();
  const measurement = await measuredRun(command, signal).catch((cause: unknown) => {
    throw new Error(`${title} failed. ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const fileBytes = await (contestant.check ?? course.check)().catch((cause: unknown) => {
    throw new Error(`${title} ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  });
  return { measurement, fileBytes };
}

function seriesOf({ title, isRival, absent }: Contestant) {
  const runs: Measurement[] = [];
  const fileBytes: number[] = [];
  return { title, isRival, runs, fileBytes, absent, failure: undefined as string | undefined };
}
