import { describe, expect, test } from 'vitest';
import { Night } from './night.ts';

describe('the order of jobs', () => {
  test('a more important job overtakes at the edge of a task, and a running task is never stopped', () => {
    const night = new Night();
    expect(night.submit('first', 2)).toEqual(['first/0@a']);
    expect(night.submit('important', 1, { priority: 9 })).toEqual([]);
    expect(night.end('first', 0)).toEqual(['important/0@a']);
    expect(night.end('important', 0)).toEqual(['first/1@a']);
  });

  test('of the same priority the earliest deadline goes first, and those without one last', () => {
    const night = new Night();
    night.submit('runs', 1);
    night.submit('never', 1);
    night.submit('late', 1, { deadlineAt: 2000 });
    night.submit('soon', 1, { deadlineAt: 1000 });
    night.submit('important', 1, { priority: 6 });
    const order = ['runs', 'important', 'soon', 'late'].flatMap((job) => night.end(job, 0));
    expect(order).toEqual(['important/0@a', 'soon/0@a', 'late/0@a', 'never/0@a']);
  });

  test('waiting raises a job by one priority for each aging time, and its start sets it back', () => {
    const night = new Night({ agingMs: 60_000 });
    night.submit('runs', 1);
    night.submit('waits', 2, { priority: 6 });
    night.now = 100_000;
    night.submit('passed', 1, { priority: 8 });
    night.now = 180_000;
    expect(night.end('runs', 0)).toEqual(['waits/0@a']);
    expect(night.others).toEqual([
      { type: 'promoted', job: 'waits', level: 7 },
      { type: 'promoted', job: 'waits', level: 9 },
      { type: 'promoted', job: 'passed', level: 9 },
    ]);
    expect(night.starts.at(-1)!.why).toMatchObject({ waitedMs: 180_000, priority: 6, level: 9 });
    expect(night.end('waits', 0)).toEqual(['passed/0@a']);
  });

  test('those that have risen above all priorities go in the order in which they began to wait', () => {
    const night = new Night({ agingMs: 1000 });
    night.submit('runs', 1);
    night.submit('humble', 1, { priority: 0 });
    night.now = 5000;
    night.submit('important', 1, { priority: 9, deadlineAt: 1 });
    night.now = 12_000;
    expect(night.end('runs', 0)).toEqual(['humble/0@a']);
  });

  test('another priority counts at once, and the time that was waited before does not', () => {
    const night = new Night({ agingMs: 1000 });
    night.submit('runs', 1);
    night.submit('a', 1);
    night.submit('b', 1);
    night.now = 1500;
    night.do({ type: 'priority', job: 'b', priority: 7 });
    night.do({ type: 'priority', job: 'a', priority: 6 });
    night.now = 1600;
    expect(night.end('runs', 0)).toEqual(['b/0@a']);
    expect(night.starts.at(-1)!.why).toMatchObject({ priority: 7, level: 7 });
  });

  test('a job that rises while its data source has room again is not passed by', () => {
    const night = new Night({ slots: 2, agingMs: 1000 });
    night.limit('db', 1);
    night.submit('holds', 1, { resources: ['db'], priority: 9 });
    night.submit('fills', 1, { priority: 9 });
    night.submit('woken', 1, { resources: ['db'], priority: 4 });
    night.now = 100;
    night.submit('risen', 1, { resources: ['db'], priority: 3 });
    night.limit('db', 2);
    night.do({ type: 'priority', job: 'risen', priority: 8 });
    night.submit('other', 1, { priority: 6 });
    expect(night.end('fills', 0)).toEqual(['risen/0@a']);
  });
});

describe('budgets', () => {
  test('a job that waits for its data source lets others pass, and takes its place as soon as there is one', () => {
    const night = new Night({ slots: 2 });
    night.limit('db', 1);
    night.submit('reads', 1, { resources: ['db'] });
    expect(night.submit('waits', 1, { resources: ['db'], priority: 9 })).toEqual([]);
    expect(night.submit('passes', 2, { priority: 0 })).toEqual(['passes/0@a']);
    expect(night.end('reads', 0)).toEqual(['waits/0@a']);
    expect(night.starts.at(-1)!.why.budgets).toEqual([{ resource: 'db', running: 1, limit: 1 }]);
  });

  test('after a limit was lowered nothing starts there until enough has ended; after it was raised all that fit start', () => {
    const night = new Night({ slots: 9 });
    night.limit('db', 3);
    night.submit('a', 9, { resources: ['db'] });
    night.limit('db', 1);
    expect([night.end('a', 0), night.end('a', 1)]).toEqual([[], []]);
    expect(night.end('a', 2)).toEqual(['a/3@a']);
    expect(night.limit('db', 4)).toEqual(['a/4@a', 'a/5@a', 'a/6@a']);
  });

  test('no more tasks of a job run side by side than its width', () => {
    const night = new Night({ slots: 9 });
    expect(night.submit('a', 9, { maxRunning: 2 })).toHaveLength(2);
    expect(night.do({ type: 'width', job: 'a', maxRunning: 4 })).toHaveLength(2);
    expect([night.do({ type: 'width', job: 'a', maxRunning: 1 }), night.end('a', 0)]).toEqual([[], []]);
  });

  test('of two pools that share a data source the more urgent job gets it, whichever pool waited there first', () => {
    const night = new Night();
    night.host('a', 1);
    night.do({ type: 'host', host: 'b', slots: { q: 2 }, spareCpu: 2 });
    night.limit('db', 1);
    night.submit('runs', 1, { pool: 'q', resources: ['db'] });
    night.submit('first', 1, { pool: 'q', resources: ['db'] });
    night.submit('important', 1, { resources: ['db'], priority: 8 });
    expect(night.end('runs', 0)).toEqual(['important/0@a']);
  });
});

describe('life of a job', () => {
  test('a task that is to start again waits until its time, goes before the others then, and is asked for by a tick', () => {
    const night = new Night();
    night.submit('a', 3);
    expect(night.do({ type: 'again', job: 'a', task: 0, notBefore: 500 })).toEqual(['a/1@a']);
    expect([night.scheduler.nextAt, night.scheduler.look('a')]).toEqual([500, { waiting: 2, delayed: 1, running: 1, level: 5 }]);
    night.now = 500;
    expect([night.do({ type: 'tick' }), night.end('a', 1)]).toEqual([[], ['a/0@a']]);
    expect(night.scheduler.nextAt).toBeUndefined();
  });

  test('a paused job starts nothing; waiting counts from when it goes on', () => {
    const night = new Night({ agingMs: 1000 });
    night.submit('a', 2);
    night.do({ type: 'pause', job: 'a' });
    expect(night.end('a', 0)).toEqual([]);
    night.now = 60_000;
    expect(night.do({ type: 'unpause', job: 'a' })).toEqual(['a/1@a']);
    expect(night.starts.at(-1)!.why).toMatchObject({ waitedMs: 0, level: 5 });
  });

  test('of a removed job nothing starts any more, not even the rest of a task; it is forgotten when the last task has ended', () => {
    const night = new Night({ slots: 2 });
    night.submit('a', 2, { isCuttable: true });
    expect(night.end('a', 0)).toEqual([]);
    expect(night.others).toEqual([{ type: 'cut', job: 'a' }]);
    night.do({ type: 'remove', job: 'a' });
    expect(night.do({ type: 'add', job: 'a', task: { id: 9, weightMs: 1 } })).toEqual([]);
    expect(night.scheduler.look('a')).toEqual({ waiting: 0, delayed: 0, running: 1, level: 5 });
    night.end('a', 1);
    expect(night.scheduler.look('a')).toBeUndefined();
  });

  test('an idle slot asks the jobs whose last task runs for a rest, one at a time, and again when a task of theirs has ended', () => {
    const night = new Night({ slots: 4 });
    night.submit('whole', 1);
    night.submit('a', 2, { isCuttable: true });
    expect(night.others).toEqual([{ type: 'cut', job: 'a' }]);
    expect(night.do({ type: 'add', job: 'a', task: { id: 2, weightMs: 1 } })).toEqual(['a/2@a']);
    expect(night.others).toHaveLength(1);
    night.end('whole', 0);
    expect(night.others).toHaveLength(2);
    night.do({ type: 'uncut', job: 'a' });
    night.do({ type: 'tick' });
    expect(night.others).toHaveLength(2);
    night.end('a', 0);
    expect(night.others).toHaveLength(3);
  });

  test('a job that has nothing to give does not keep an idle slot from the next', () => {
    const night = new Night({ slots: 0 });
    night.submit('a', 1, { isCuttable: true });
    night.submit('b', 1, { isCuttable: true });
    night.host('a', 2);
    expect(night.others).toEqual([]);
    night.host('a', 3);
    expect(night.others).toEqual([{ type: 'cut', job: 'a' }]);
    night.do({ type: 'uncut', job: 'a' });
    expect(night.others.slice(1)).toEqual([{ type: 'cut', job: 'b' }]);
  });

  test('an id may not be used twice at the same time', () => {
    const night = new Night();
    night.submit('a', 1);
    expect(() => night.submit('a', 1)).toThrow('submitted twice');
    night.end('a', 0);
    expect(night.submit('a', 1)).toEqual(['a/0@a']);
  });
});
