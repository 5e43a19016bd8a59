import { expect, test } from 'vitest';
import { Night } from './night.ts';

test('tasks of a job stay together while there is room, and then go where most CPU is spare', () => {
  const night = new Night({ slots: 0 });
  night.host('a', 2, { spareCpu: 1 });
  night.host('b', 2, { spareCpu: 8 });
  night.host('c', 2, { spareCpu: 7.5 });
  expect(night.submit('wide', 5)).toEqual(['wide/0@b', 'wide/1@b', 'wide/2@c', 'wide/3@c', 'wide/4@a']);
  expect(night.starts.map(({ why }) => why.place)).toEqual(['most spare', 'together', 'most spare', 'together', 'most spare']);
});

test('a job with no more tasks than its first round has all of them on one host, and the difference is kept free there', () => {
  const night = new Night({ slots: 0 });
  night.host('a', 2);
  night.host('b', 5);
  expect(night.submit('small', 2, { firstRound: 4 })).toEqual(['small/0@b', 'small/1@b']);
  expect(night.submit('other', 9)).toEqual(['other/0@b', 'other/1@a', 'other/2@a']);
  night.end('small', 0);
  expect(night.end('small', 1)).toHaveLength(3);
});

test('a job that is bound to a host waits for a slot there while others take those of another', () => {
  const night = new Night({ slots: 2 });
  night.submit('bound', 2, { firstRound: 2, maxRunning: 1 });
  night.submit('fills', 1);
  night.host('b', 1);
  expect(night.do({ type: 'width', job: 'bound', maxRunning: 2 })).toEqual([]);
  expect(night.submit('passes', 1)).toEqual(['passes/0@b']);
  expect(night.end('fills', 0)).toEqual(['bound/1@a']);
});

test('slots that are kept free are given up as far as a smaller host cannot keep them, so that the job itself can go on', () => {
  const night = new Night({ slots: 8 });
  night.submit('small', 1, { firstRound: 8 });
  night.host('a', 4);
  expect(night.do({ type: 'again', job: 'small', task: 0, notBefore: 0 })).toEqual(['small/0@a']);
});

test('a paused job keeps no slots free', () => {
  const night = new Night({ slots: 4 });
  night.submit('small', 1, { firstRound: 4 });
  night.do({ type: 'pause', job: 'small' });
  expect(night.submit('other', 9)).toHaveLength(3);
});

test('what ran on a lost host waits again, goes first, and runs elsewhere, even if it was bound to that host', () => {
  const night = new Night({ slots: 3 });
  night.submit('bound', 2, { firstRound: 2 });
  night.submit('wide', 3);
  night.host('b', 1);
  expect(night.do({ type: 'host lost', host: 'a' })).toEqual([]);
  expect(night.scheduler.look('bound')).toMatchObject({ waiting: 2, running: 0 });
  night.end('bound', 0);
  expect(night.end('wide', 1)).toEqual(['bound/0@b']);
  night.end('bound', 0);
  expect(night.end('bound', 1)).toEqual(['wide/0@b']);
});

test('a host on which a pool is not named any more takes no task of it, and jobs bound to it go elsewhere', () => {
  const night = new Night({ slots: 2 });
  night.submit('bound', 3, { firstRound: 3 });
  night.do({ type: 'host', host: 'a', slots: { q: 2 }, spareCpu: 2 });
  expect([night.end('bound', 0), night.end('bound', 1)]).toEqual([[], []]);
  expect(night.host('b', 1)).toEqual(['bound/2@b']);
});

test('pools do not share slots', () => {
  const night = new Night({ slots: 1 });
  night.do({ type: 'host', host: 'a', slots: { p: 1, q: 1 }, spareCpu: 2 });
  expect(night.submit('a', 2)).toHaveLength(1);
  expect(night.submit('b', 1, { pool: 'q' })).toEqual(['b/0@a']);
});
