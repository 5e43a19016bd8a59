import { expect, test } from 'vitest';
import { waitBefore } from '../../../core/controller/backoff.ts';
import { TaskQueue } from '../../../core/controller/task-queue.ts';

test('gives tasks out in their order, and ends when all are settled', async () => {
  const queue = new TaskQueue(['a', 'b']);
  expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
  const third = queue.take();
  queue.settle();
  expect(queue.isSettled).toBe(false);
  queue.settle();
  expect(await third).toBeUndefined();
  expect(queue.isSettled).toBe(true);
});

test('a lane without work waits for a task that may come back', async () => {
  const queue = new TaskQueue(['a']);
  const taken = await queue.take();
  const waiting = queue.take();
  queue.again(taken!, 0);
  expect(await waiting).toBe('a');
});

test('a task that is to wait is not given out before, and others go first', async () => {
  const queue = new TaskQueue(['a', 'b']);
  const first = await queue.take();
  const startedAt = performance.now();
  queue.again(first!, 100);
  expect(await queue.take()).toBe('b');
  expect(await queue.take()).toBe('a');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
});

test('stopping wakes everybody who waits', async () => {
  const queue = new TaskQueue(['a']);
  await queue.take();
  const waiting = [queue.take(), queue.take()];
  queue.stop();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
});

test.each([
  [1, 0, 250],
  [1, 1, 500],
  [2, 1, 1000],
  [5, 0.5, 6000],
  [20, 0, 15_000],
  [20, 1, 30_000],
])('before attempt %i + 1, with chance %d: %i ms', (failures, random, expected) => {
  expect(waitBefore(failures, 30_000, random)).toBe(expected);
});
