import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type DrayError, watchOver } from '../../../core/sdk/index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Watches a side that moves, and answers, as the test says. */
function watched(isAlive: () => Promise<boolean> | undefined) {
  const dead: DrayError[] = [];
  const side = { movement: 0 as number | undefined, asked: 0 };
  const stop = watchOver(
    [
      {
        side: 'target',
        movement: () => side.movement,
        isAlive: () => {
          side.asked++;
          return isAlive();
        },
      },
    ],
    (error) => dead.push(error),
  );
  return { dead, side, stop };
}

test('a side that does not move for ten seconds is asked, and is dead within thirty if it says so', async () => {
  const { dead, side, stop } = watched(async () => false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(side.asked).toBe(0);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(dead[0]).toMatchObject({ code: 'CONNECTION_LOST', side: 'target', isRetryable: true });
  stop();
});

test('no answer within ten seconds is a no', async () => {
  const { dead, stop } = watched(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(dead).toHaveLength(1);
  stop();
});

test('an answer that fails is a no', async () => {
  const { dead, stop } = watched(() => Promise.reject(new Error('unreachable')));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(dead.length).toBeGreaterThan(0);
  stop();
});

test.each([
  ['says that it is alive', () => Promise.resolve(true)],
  ['cannot tell', () => undefined],
])('a side that %s is left alone, however long it takes', async (_, isAlive) => {
  const { dead, side, stop } = watched(isAlive);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(dead).toEqual([]);
  expect(side.asked).toBeGreaterThan(100);
  stop();
});

test('a side that moves, or has nothing to wait for, is not asked', async () => {
  const { side, stop } = watched(async () => false);
  for (let second = 0; second < 60; second++) {
    side.movement = second;
    await vi.advanceTimersByTimeAsync(1000);
  }
  side.movement = undefined;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(side.asked).toBe(0);
  stop();
});

test('what has moved while it was asked is not dead', async () => {
  const { dead, side, stop } = watched(async () => {
    side.movement = 1;
    return false;
  });
  await vi.advanceTimersByTimeAsync(13_000);
  expect([side.asked, dead]).toEqual([1, []]);
  stop();
});

test('nothing is asked after the watch has ended', async () => {
  const { side, stop } = watched(async () => false);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(side.asked).toBe(0);
});
