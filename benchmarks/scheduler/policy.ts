import type { Decision, SchedulerEvent } from '../../core/scheduler/events.ts';

/** Who decides which task starts next, and where. The scheduler of dray is one as it is. */
export interface Policy {
  handle(event: SchedulerEvent, now: number): readonly Decision[];
  readonly nextAt: number | undefined;
}

/** The reason of those that need none. */
export const noReason = { waitedMs: 0, priority: 0, level: 0, budgets: [], place: 'most spare' } as const;
