import { expect, test } from 'vitest';
import { RateLimit } from '../../../core/transport/rate-limit.ts';

const never = new AbortController().signal;

test('no limit lets everything pass at once', async () => {
  const limit = new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 });
  expect(limit.isUnlimited).toBe(true);
  const booked = new BigInt64Array(limit.shared);
  await limit.take(1e12, 1e12, never);
  expect([...booked]).toEqual([0n, 0n]);
});

test('the first batch passes at once, and what follows waits for what went before', async () => {
  const limit = new RateLimit({ bytesPerSecond: 10_000, recordsPerSecond: 0 });
  const startedAt = performance.now();
  await limit.take(1000, 1, never);
  await limit.take(1000, 1, never);
  await limit.take(1, 1, never);
  // 2000 bytes at 10,000 a second take at least 200 ms; timers may fire a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
});

test('several takers that share the memory together keep to the rate', async () => {
  const rates = { bytesPerSecond: 0, recordsPerSecond: 1000 };
  const first = new RateLimit(rates);
  const takers = [first, new RateLimit(rates, first.shared), new RateLimit(rates, first.shared)];
  const startedAt = performance.now();
  await Promise.all(
    takers.map(async (taker) => {
      for (let i = 0; i < 10; i++) await taker.take(1, 10, never);
    }),
  );
  // 300 records, of which the last 10 do not wait for themselves.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(285);
});

test('of two limits the stricter one holds', async () => {
  const limit = new RateLimit({ bytesPerSecond: 1e9, recordsPerSecond: 10 });
  const startedAt = performance.now();
  await limit.take(1, 1, never);
  await limit.take(1, 1, never);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
});

test('time in which nobody took anything is not saved up', async () => {
  const limit = new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 100 });
  await limit.take(1, 1, never);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const startedAt = performance.now();
  for (let i = 0; i < 6; i++) await limit.take(1, 1, never);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(45);
});

test('an abort ends the wait', async () => {
  const stop = new AbortController();
  const limit = new RateLimit({ bytesPerSecond: 1, recordsPerSecond: 0 });
  await limit.take(3600, 1, stop.signal);
  const waiting = limit.take(1, 1, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
