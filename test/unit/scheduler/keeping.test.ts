import { expect, test } from 'vitest';
import { Night } from './night.ts';

/** Data sources with one place each, which is taken by a job of many tasks with the name of the source in capitals; all rise to the highest level within 100 ms. */
function busyNight(...names: string[]): Night {
  const night = new Night({ slots: 20, agingMs: 10 });
  for (const name of names) {
    night.limit(name, 1);
    night.submit(name.toUpperCase(), 50, { resources: [name], priority: 9 });
  }
  night.now = 1;
  return night;
}

/** Lets some time pass, in which the busy ones have started another task: now all others have waited longer than they. */
function waitUntil(night: Night, now: number, ...busy: string[]): void {
  night.now = 5;
  for (const name of busy) night.end(name, 0);
  night.now = now;
}

test('the job that has waited longest keeps a place at one data source until there is one at the other', () => {
  const night = busyNight('x', 'y');
  night.submit('both', 1, { resources: ['x', 'y'] });
  waitUntil(night, 200, 'X', 'Y');
  expect(night.submit('later', 1, { resources: ['x'], priority: 9 })).toEqual([]);
  expect(night.end('X', 1)).toEqual([]);
  expect(night.end('Y', 1)).toEqual(['both/0@a']);
});

test('a job that a closed data source stops keeps no place at the other', () => {
  const night = busyNight('x');
  night.limit('y', 0);
  night.submit('both', 1, { resources: ['x', 'y'], priority: 0 });
  waitUntil(night, 200, 'X');
  expect(night.end('X', 1)).toEqual(['X/2@a']);
});

test('a job gives back the place it keeps when the other data source is closed', () => {
  const night = busyNight('x', 'y');
  night.submit('both', 1, { resources: ['x', 'y'], priority: 0 });
  waitUntil(night, 200, 'X', 'Y');
  expect(night.end('X', 1)).toEqual([]);
  expect(night.limit('y', 0)).toEqual(['X/2@a']);
});

test('a job whose pool has lost its slots keeps no place', () => {
  const night = busyNight('x', 'y');
  night.do({ type: 'host', host: 'b', slots: { q: 1 }, spareCpu: 1 });
  night.submit('both', 1, { pool: 'q', resources: ['x', 'y'], priority: 0 });
  waitUntil(night, 200, 'X', 'Y');
  expect(night.end('X', 1)).toEqual([]);
  expect(night.do({ type: 'host', host: 'b', slots: {}, spareCpu: 1 })).toEqual(['X/2@a']);
});

test('a job that is paused, removed, or set back by a new priority gives back the place it keeps', () => {
  for (const event of [{ type: 'pause' }, { type: 'remove' }, { type: 'priority', priority: 1 }] as const) {
    const night = busyNight('x', 'y');
    night.submit('both', 1, { resources: ['x', 'y'], priority: 0 });
    waitUntil(night, 200, 'X', 'Y');
    expect(night.end('X', 1)).toEqual([]);
    expect(night.do({ ...event, job: 'both' }), event.type).toEqual(['X/2@a']);
  }
});

test('who has waited longer keeps places instead of who kept them first', () => {
  const night = busyNight('x', 'y', 'z', 'w');
  night.submit('longest', 1, { resources: ['z', 'w'], priority: 0 });
  night.now = 2;
  night.submit('shorter', 1, { resources: ['x', 'y'], priority: 0 });
  waitUntil(night, 300, 'X', 'Y', 'Z', 'W');
  expect(night.end('X', 1)).toEqual([]);
  expect(night.end('Z', 1)).toEqual(['X/2@a']);
  expect(night.end('W', 1)).toEqual(['longest/0@a']);
});

test('a job that rises above who keeps the place it needs takes it over', () => {
  const night = busyNight('x', 'y', 'z');
  night.submit('rises', 1, { resources: ['x', 'z'], priority: 0 });
  night.now = 2;
  night.submit('keeps', 1, { resources: ['x', 'y'], priority: 9 });
  waitUntil(night, 50, 'X', 'Y', 'Z');
  expect(night.end('X', 1)).toEqual([]);
  night.now = 200;
  expect(night.end('Y', 1)).not.toContain('keeps/0@a');
  expect(night.end('Z', 1)).toContain('rises/0@a');
});
