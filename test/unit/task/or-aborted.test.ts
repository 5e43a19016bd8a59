import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { orAborted } from '../../../core/task/or-aborted.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const forever = () => new Promise<never>(() => undefined);

test('a call that ends is passed on, whether it succeeds or fails', async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(5), signal, 100)).toBe(5);
  await expect(orAborted(Promise.reject(new Error('no')), signal, 100)).rejects.toThrow('no');
});

test('without an abort a call may take as long as it likes', async () => {
  let ended = false;
  void orAborted(forever(), new AbortController().signal, 100).finally(() => {
    ended = true;
  });
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(ended).toBe(false);
});

test('a call that ends within the grace time is still heard', async () => {
  const stop = new AbortController();
  const call = orAborted(new Promise((resolve) => setTimeout(() => resolve('rolled back'), 50)), stop.signal, 100);
  stop.abort(new Error('stop'));
  await vi.advanceTimersByTimeAsync(50);
  expect(await call).toBe('rolled back');
  expect(vi.getTimerCount()).toBe(0);
});

test.each(['before', 'during'])('a call that does not end is given up after the grace time; the signal fired %s the call', async (when) => {
  const stop = new AbortController();
  if (when === 'before') stop.abort(new Error('stop'));
  const call = expect(orAborted(forever(), stop.signal, 100)).rejects.toThrow('stop');
  stop.abort(new Error('stop'));
  await vi.advanceTimersByTimeAsync(100);
  await call;
});
