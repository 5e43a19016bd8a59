import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Night } from './night.ts';

const given = (night: Night, job: string, weightMs: number, from = 0) =>
  night.starts.slice(from).filter((start) => start.job === job).length * weightMs;

test('two jobs of the same priority that always have tasks are never further apart in slot time than a task of each', () => {
  const job = fc.record({ weightMs: fc.integer({ min: 1, max: 500 }), startsAfter: fc.nat(30), hasDeadline: fc.boolean() });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(job, { minLength: 2, maxLength: 5 }),
      fc.array(fc.nat(100), { minLength: 100 }),
      (slots, jobs, ends) => {
        const night = new Night({ slots });
        const since = new Map<number, number>();
        for (const [turn, end] of ends.entries()) {
          for (const [index, { weightMs, startsAfter, hasDeadline }] of jobs.entries()) {
            if (startsAfter !== turn) continue;
            // Those with a deadline go first while they last, which is not to be made up for later.
            night.submit(`${index}`, hasDeadline ? 3 : 1000, hasDeadline ? { weightMs, deadlineAt: index } : { weightMs });
            since.set(index, night.starts.length);
          }
          const running = night.starts.filter((start) => !('ended' in start));
          const one = running[end % Math.max(1, running.length)];
          if (one !== undefined) night.end(one.job, Object.assign(one, { ended: true }).task);
          for (const [a, from] of since) {
            for (const [b, fromB] of since) {
              if (jobs[a]!.hasDeadline || jobs[b]!.hasDeadline) continue;
              const both = Math.max(from, fromB);
              const [weightA, weightB] = [jobs[a]!.weightMs, jobs[b]!.weightMs];
              const apart = Math.abs(given(night, `${a}`, weightA, both) - given(night, `${b}`, weightB, both));
              expect(apart).toBeLessThanOrEqual(weightA + weightB);
            }
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

/** Each task that has started ends, and so the next one starts. */
function takeTurns(night: Night, turns: number): void {
  for (let turn = 0; turn < turns; turn++) night.end(night.starts.at(-1)!.job, night.starts.at(-1)!.task);
}

test('a job that comes later gets its share from then on, and nothing for the time before', () => {
  const night = new Night();
  night.submit('early', 100);
  for (let task = 0; task < 20; task++) night.end('early', task);
  night.submit('late', 100);
  takeTurns(night, 20);
  expect(given(night, 'late', 1, 21)).toBe(10);
});

test('a job that was held up by its data source does not make up for that afterwards', () => {
  const night = new Night();
  night.limit('db', 0);
  night.submit('held up', 100, { resources: ['db'] });
  night.submit('other', 100);
  for (let task = 0; task < 20; task++) night.end('other', task);
  night.limit('db', 10);
  takeTurns(night, 20);
  // It is one ahead, as the first of two that tie.
  expect(given(night, 'held up', 1, 21)).toBe(11);
});

test('a job that was held up by its own width does not make up for that afterwards', () => {
  const night = new Night();
  night.submit('narrow', 100, { maxRunning: 0 });
  night.submit('other', 100);
  for (let task = 0; task < 20; task++) night.end('other', task);
  night.do({ type: 'width', job: 'narrow', maxRunning: 10 });
  takeTurns(night, 20);
  expect(given(night, 'narrow', 1, 21)).toBe(11);
});

test('a job that comes to a data source that was closed before gets its share like those that waited there', () => {
  const night = new Night();
  night.limit('db', 0);
  night.submit('held up', 100, { resources: ['db'] });
  night.submit('other', 100);
  for (let task = 0; task < 20; task++) night.end('other', task);
  night.limit('db', 10);
  night.end('other', 20);
  night.submit('late', 100, { resources: ['db'] });
  const from = night.starts.length;
  takeTurns(night, 30);
  expect(given(night, 'late', 1, from)).toBeGreaterThanOrEqual(9);
});

test('jobs that wait for the same full data source share it by slot time, not by tasks', () => {
  const night = new Night({ slots: 4 });
  night.limit('db', 1);
  night.submit('short', 1000, { resources: ['db'], weightMs: 1 });
  night.submit('long', 1000, { resources: ['db'], weightMs: 10 });
  night.submit('others', 1000);
  for (let turn = 0; turn < 220; turn++) {
    const last = night.starts.filter(({ job }) => job !== 'others').at(-1)!;
    night.end(last.job, last.task);
    night.end('others', turn);
  }
  expect(Math.abs(given(night, 'short', 1) - given(night, 'long', 10))).toBeLessThanOrEqual(11);
});

test('a job whose priority is raised stands among the others there as one that has just come', () => {
  const night = new Night();
  night.submit('raised', 100);
  for (let task = 0; task < 20; task++) night.end('raised', task);
  night.submit('important', 100, { priority: 9 });
  night.do({ type: 'priority', job: 'raised', priority: 9 });
  const from = night.starts.length;
  takeTurns(night, 20);
  expect(given(night, 'raised', 1, from)).toBe(10);
});
