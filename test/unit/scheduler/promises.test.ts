import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decision, SchedulerEvent } from '../../../core/scheduler/events.ts';
import { Scheduler } from '../../../core/scheduler/scheduler.ts';
import { Oracle } from './oracle.ts';
import { anySteps, eventOf, lastEvents, type Step } from './random-events.ts';

/** Lets a scheduler and the oracle live through the same night, to its end. @returns what was decided */
function live(steps: readonly Step[], agingMs: number): { events: [SchedulerEvent, number][]; decisions: Decision[] } {
  const [scheduler, oracle] = [new Scheduler({ agingMs }), new Oracle(agingMs)];
  const events: [SchedulerEvent, number][] = [];
  const decisions: Decision[] = [];
  let now = 1;
  const happen = (event: SchedulerEvent) => {
    const made = scheduler.handle(event, now);
    oracle.follow(event, made, now, (job) => scheduler.look(job));
    events.push([event, now]);
    decisions.push(...made);
  };
  for (const [index, step] of steps.entries()) {
    now += step.passedMs;
    happen(eventOf(step, index, now, oracle));
  }
  for (const event of lastEvents(oracle)) {
    now = Math.max(now + 1, event.type === 'tick' ? (scheduler.nextAt ?? 0) : 0);
    happen(event);
  }
  expect([...oracle.jobs.keys()], 'every job comes to its end').toEqual([]);
  expect(scheduler.nextAt).toBeUndefined();
  return { events, decisions };
}

test('whatever happens, no limit is exceeded, no slot is left idle that somebody could use, the order is kept, and each task runs once', () => {
  fc.assert(
    fc.property(anySteps, (steps) => void live(steps, 1e9)),
    { numRuns: 150 },
  );
});

test('the same holds where jobs rise by waiting', () => {
  fc.assert(
    fc.property(anySteps, fc.integer({ min: 5, max: 100 }), (steps, agingMs) => void live(steps, agingMs)),
    { numRuns: 300 },
  );
});

test('the same events at the same times have the same decisions', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const { events, decisions } = live(steps, 50);
      const again = new Scheduler({ agingMs: 50 });
      expect(events.flatMap(([event, now]) => again.handle(event, now))).toEqual(decisions);
    }),
    { numRuns: 30 },
  );
});
