import type { JobFacts, TaskFacts } from '../scheduler/events.ts';

/** A task of a content, and the servers whose budgets it takes from. */
export interface LinedTask extends TaskFacts {
  readonly resources: readonly string[];
  /** The rest of it can be given to an idle slot. */
  readonly isCuttable: boolean;
  /** It should not start before all others have: it reads rows that are still to come. */
  readonly isLast: boolean;
}

/** The tasks of a content as the scheduler gets them. */
export interface TaskLines {
  readonly lines: readonly [JobFacts, ...JobFacts[]];
  /** Name of the limit that the lines share: so many of their tasks at once. Absent: there is one line, which has its own. */
  readonly sharedWidth: string | undefined;
  /** Name of a limit that keeps lines closed until all tasks of the others have started. */
  readonly end: { readonly gate: string; readonly after: readonly number[] } | undefined;
}

/**
 * Tasks that use the same servers stand in one line, so that each counts at the servers that it uses, and none waits for others. A content with several lines is as
 * wide as all of them together, and has the share of one: what its tasks weigh is multiplied by their number.
 * @param content what its lines have in common; the first one has its name
 * @param tasks at least one
 */
export function taskLines(content: Omit<JobFacts, 'resources' | 'tasks' | 'isCuttable'>, tasks: readonly LinedTask[]): TaskLines {
  const isOneSet = new Set(tasks.map(({ resources }) => JSON.stringify([...resources].sort()))).size === 1;
  const byServers = new Map<string, LinedTask[]>();
  for (const task of tasks) {
    const key = JSON.stringify([...(isOneSet ? [] : [task.isLast]), ...[...task.resources].sort()]);
    const line = byServers.get(key);
    if (line === undefined) byServers.set(key, [task]);
    else line.push(task);
  }
  const lines = [...byServers.values()];
  const isAlone = lines.length === 1;
  const sharedWidth = isAlone ? undefined : `width of ${content.job}`;
  const after = tasks.flatMap(({ id, isLast }) => (isLast ? [] : [id]));
  const end = isAlone || after.length === 0 || after.length === tasks.length ? undefined : { gate: `end of ${content.job}`, after };
  const facts = lines.map(
    (line, index): JobFacts => ({
      ...content,
      // Room that is kept for a first round would be kept by each of them.
      ...(isAlone ? {} : { job: index === 0 ? content.job : `${content.job}/${index}`, firstRound: 0 }),
      resources: [
        ...line[0]!.resources,
        ...(sharedWidth === undefined ? [] : [sharedWidth]),
        ...(end !== undefined && line[0]!.isLast ? [end.gate] : []),
      ],
      isCuttable: line.some(({ isCuttable }) => isCuttable),
      tasks: line.map(({ id, weightMs }) => ({ id, weightMs: weightMs * lines.length })),
    }),
  );
  return { lines: facts as [JobFacts, ...JobFacts[]], sharedWidth, end };
}
