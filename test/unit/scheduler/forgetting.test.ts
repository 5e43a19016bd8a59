import { expect, test } from 'vitest';
import { Night } from './night.ts';

test('a limit that is gone holds nobody up, and is forgotten with the last job that was under it', () => {
  const night = new Night({ slots: 9 });
  night.limit('width', 1);
  expect(night.submit('a', 3, { resources: ['width'] })).toEqual(['a/0@a']);
  expect(night.do({ type: 'resource gone', resource: 'width' })).toEqual(['a/1@a', 'a/2@a']);
  for (const task of [0, 1, 2]) night.end('a', task);
  // The same name means something else now.
  night.limit('width', 2);
  expect(night.submit('b', 3, { resources: ['width'] })).toEqual(['b/0@a', 'b/1@a']);
});

test('a limit that is named again while jobs are under it is kept with what they use', () => {
  const night = new Night({ slots: 9 });
  night.submit('a', 2, { resources: ['db'] });
  night.do({ type: 'resource gone', resource: 'db' });
  night.limit('db', 2);
  expect(night.submit('b', 1, { resources: ['db'] })).toEqual([]);
  expect(night.end('a', 0)).toEqual(['b/0@a']);
  night.end('a', 1);
  night.end('b', 0);
  night.submit('c', 3, { resources: ['db'] });
  expect(night.scheduler.look('c')).toMatchObject({ running: 2, waiting: 1 });
});
