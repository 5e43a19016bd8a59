import { type ContentReport, sumOf, type Tally, type TargetReport, type TaskReport } from './report.ts';

/** What several targets of the same rows have got: read once, and all else added up. @param tasks by target and place */
export function tallyOfTargets(tasks: readonly (readonly TaskReport[])[]): Tally {
  const all = sumOf(tasks.flat());
  const places = tasks.reduce((most, { length }) => Math.max(most, length), 0);
  const reads = Array.from({ length: places }, (_, place) => tasks.flatMap((ofTarget) => ofTarget[place] ?? []));
  const once = (pick: (task: TaskReport) => number) => reads.reduce((sum, ofPlace) => sum + Math.max(0, ...ofPlace.map(pick)), 0);
  return {
    rows: { ...all.rows, read: once(({ rows }) => rows.read) },
    bytes: { ...all.bytes, read: once(({ bytes }) => bytes.read) },
    waits: all.waits,
  };
}

/**
 * The report of such a content of which an earlier process of the run has published some targets, or which was not run.
 * @param report of those that were run; undefined: none was
 * @param targets all of them, as if none had been run
 */
export function reportWithEarlier(report: ContentReport | undefined, targets: readonly ContentReport[]): ContentReport {
  const whole = reportOfTargets(targets, []);
  if (report === undefined) return whole;
  const ran = report.targets!.values();
  // Both are in the order of the job file.
  const all = whole.targets!.map((target) => (target.isFromEarlierProcess === true ? target : ran.next().value!));
  return { ...report, writer: whole.writer, targets: all };
}

/**
 * The report of a content with several targets.
 * @param reports of each target as a content of its own
 * @param tasks of each target
 */
export function reportOfTargets(
  reports: readonly (ContentReport & Pick<TargetReport, 'error'>)[],
  tasks: readonly (readonly TaskReport[])[],
): ContentReport {
  const known = reports.find(({ channels }) => channels !== undefined) ?? reports[0]!;
  const states = reports.map(({ state }) => state);
  const guarantees = reports.flatMap(({ guarantee }) => guarantee ?? []);
  const {
    error: _error,
    guarantee: _guarantee,
    isFromEarlierProcess: _isEarlier,
    ...facts
  } = known as ContentReport & Pick<TargetReport, 'error'>;
  return {
    ...facts,
    writer: reports.map(({ writer }) => writer).join(', '),
    state: states.includes('failed') ? 'failed' : states.every((state) => state === 'done') ? 'done' : 'not started',
    ...tallyOfTargets(tasks),
    ...(guarantees.length === 0 ? {} : { guarantee: guarantees.includes('at-least-once') ? 'at-least-once' : 'exactly-once' }),
    ...(reports.every(({ isFromEarlierProcess }) => isFromEarlierProcess) ? { isFromEarlierProcess: true } : {}),
    targets: reports.map(({ writer, state, rows, bytes, waits, guarantee, error, isFromEarlierProcess }) => ({
      writer,
      state,
      rows,
      bytes,
      waits,
      ...(guarantee === undefined ? {} : { guarantee }),
      ...(error === undefined ? {} : { error }),
      ...(isFromEarlierProcess === undefined ? {} : { isFromEarlierProcess }),
    })),
  };
}
