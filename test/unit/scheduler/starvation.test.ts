import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobFacts } from '../../../core/scheduler/events.ts';
import { jobOf, Night } from './night.ts';

/** The bound of docs/scheduling.md, for a job that so many others wait beside. */
function bound(
  priority: number,
  { agingMs, others, gates, longestMs }: { agingMs: number; others: number; gates: number; longestMs: number },
): number {
  return (10 - priority) * agingMs + (others + 1) * (gates + 2) * longestMs;
}

test('two data sources that are never free at the same time do not keep a job that needs both from its start', () => {
  const agingMs = 100;
  const night = new Night({ slots: 8, agingMs });
  night.limit('left', 1);
  night.limit('right', 1);
  for (const [side, count] of [
    ['left', 500],
    ['right', 500],
  ] as const) {
    night.submit(side, count, { resources: [side], priority: 9 });
  }
  night.submit('both', 1, { resources: ['left', 'right'], priority: 0 });
  const next = { left: 0, right: 0 };
  // Each side is full all the time; they end in turn.
  for (let turn = 0; turn < 400 && night.starts.every(({ job }) => job !== 'both'); turn++) {
    night.now += 10;
    const side = turn % 2 === 0 ? 'left' : 'right';
    night.end(side, next[side]++);
  }
  const start = night.starts.find(({ job }) => job === 'both');
  expect(start?.at).toBeLessThanOrEqual(bound(0, { agingMs, others: 2, gates: 3, longestMs: 20 }));
});

test('a pool whose slots and data source are never free at the same time does not keep a job from its start', () => {
  const agingMs = 100;
  const night = new Night({ slots: 1, agingMs });
  night.do({ type: 'host', host: 'b', slots: { q: 9 }, spareCpu: 9 });
  night.limit('db', 1);
  night.submit('elsewhere', 500, { pool: 'q', resources: ['db'], priority: 9 });
  night.submit('slots', 500, { priority: 9 });
  night.submit('both', 1, { resources: ['db'], priority: 0 });
  const next = { elsewhere: 0, slots: 0 };
  for (let turn = 0; turn < 400 && night.starts.every(({ job }) => job !== 'both'); turn++) {
    night.now += 10;
    const job = turn % 2 === 0 ? 'elsewhere' : 'slots';
    night.end(job, next[job]++);
  }
  const start = night.starts.find(({ job }) => job === 'both');
  expect(start?.at).toBeLessThanOrEqual(bound(0, { agingMs, others: 2, gates: 2, longestMs: 20 }));
});

test('lines of one content that share its width, each at a server of its own, all move on within the bound', () => {
  const [agingMs, longestMs] = [50, 20];
  const run = fc.array(fc.integer({ min: 1, max: longestMs }), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(run, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (lengths, width, slots) => {
      const night = new Night({ slots, agingMs });
      const servers = ['x', 'y', 'z'];
      for (const server of servers) night.limit(server, 1);
      night.limit('width', width);
      // Others are always there at each of the servers, and more important.
      for (const server of servers) night.submit(`others at ${server}`, 2000, { resources: [server], priority: 9 });
      for (const server of servers) night.submit(`line at ${server}`, 3, { resources: [server, 'width'], priority: 2 });
      const running = new Map<string, number>();
      let seen = 0;
      for (; night.now < 5000; night.now++) {
        for (; seen < night.starts.length; seen++) {
          const { job, task, why } = night.starts[seen]!;
          running.set(`${job}/${task}`, night.now + lengths[seen % lengths.length]!);
          expect(why.waitedMs, job).toBeLessThanOrEqual(bound(why.priority, { agingMs, others: 5, gates: 3, longestMs }));
        }
        const atWork = [...running.keys()].filter((name) => name.startsWith('line'));
        expect(atWork.length).toBeLessThanOrEqual(width);
        for (const [name, endsAt] of running) {
          if (endsAt > night.now) continue;
          running.delete(name);
          const [job, task] = name.split('/') as [string, string];
          night.end(job, Number(task));
        }
      }
      for (const server of servers) expect(night.scheduler.look(`line at ${server}`), server).toBeUndefined();
    }),
    { numRuns: 15 },
  );
});

const resources = ['x', 'y', 'z'];
const anyJob = fc.record({
  priority: fc.nat(9),
  mask: fc.nat(7),
  tasks: fc.integer({ min: 1, max: 4 }),
  maxRunning: fc.integer({ min: 1, max: 3 }),
  pool: fc.constantFrom('p', 'q'),
});

test('whatever high-priority load comes, every waiting job starts a task within the bound', () => {
  const agingMs = 50;
  const longestMs = 20;
  const load = fc.array(
    fc.record({ job: anyJob, lengths: fc.array(fc.integer({ min: 1, max: longestMs }), { minLength: 4, maxLength: 4 }) }),
    { minLength: 10, maxLength: 25 },
  );
  fc.assert(
    fc.property(load, fc.array(anyJob, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (busy, waiting, slots) => {
      const night = new Night({ slots: 0, agingMs });
      night.do({ type: 'host', host: 'a', slots: { p: slots, q: 1 }, spareCpu: 1 });
      for (const name of resources) night.limit(name, 1);
      const facts = (
        { mask, tasks, maxRunning, pool, priority }: (typeof waiting)[number],
        isBusy: boolean,
      ): Partial<JobFacts> & { tasks: JobFacts['tasks'] } => ({
        resources: resources.filter((_, index) => (mask >> index) % 2 === 1).slice(0, 2),
        priority: isBusy ? 9 : priority,
        tasks: jobOf('', tasks).tasks,
        maxRunning,
        pool,
      });
      for (const [index, one] of waiting.entries()) night.submit(`waiting ${index}`, 1, facts(one, false));
      const live = new Map<string, number>();
      const running = new Map<string, { job: string; task: number; endsAt: number }>();
      let seen = 0;
      for (let submitted = 0; night.now < 6000; night.now++) {
        // Each that is over is followed by another, so that there is always something more important to do.
        for (const [index, { job }] of busy.entries()) {
          const name = `busy ${index}.${live.get(`${index}`) ?? 0}`;
          if (night.scheduler.look(name) !== undefined) continue;
          live.set(`${index}`, ++submitted);
          night.submit(`busy ${index}.${submitted}`, 1, facts(job, true));
        }
        for (; seen < night.starts.length; seen++) {
          const { job, task, why } = night.starts[seen]!;
          const { lengths } = busy[(seen * 7) % busy.length]!;
          running.set(`${job}/${task}`, { job, task, endsAt: night.now + lengths[seen % 4]! });
          const others = busy.length + waiting.length;
          expect(why.waitedMs, job).toBeLessThanOrEqual(bound(why.priority, { agingMs, others, gates: 3, longestMs }));
        }
        for (const [key, { job, task, endsAt }] of running) {
          if (endsAt > night.now) continue;
          running.delete(key);
          night.end(job, task);
        }
      }
      for (const index of waiting.keys()) expect(night.scheduler.look(`waiting ${index}`), `waiting ${index}`).toBeUndefined();
    }),
    { numRuns: 15 },
  );
});
