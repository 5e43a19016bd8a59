import { expect, test } from 'vitest';
import { BatchPace } from '../../../core/task/batch-pace.ts';

const kilobyte = 1024;
const planned = 512 * kilobyte;

/** Batches that have gone one after the other over a way that takes `delayMs` for each and `megabytesPerSecond` besides. */
function settled(pace: BatchPace, { delayMs, megabytesPerSecond }: { delayMs: number; megabytesPerSecond: number }, batches = 400): number {
  for (let batch = 0; batch < batches; batch++) pace.wrote(pace.bytes, delayMs + pace.bytes / (megabytesPerSecond * 1000));
  return pace.bytes;
}

test('batches stay as planned where the target answers at once', () => {
  expect(settled(new BatchPace(planned), { delayMs: 0.2, megabytesPerSecond: 60 })).toBe(planned);
});

test('batches grow to four times their size where the way to the target is long', () => {
  expect(settled(new BatchPace(planned), { delayMs: 90, megabytesPerSecond: 100 })).toBe(4 * planned);
});

test('no batch that was planned for a task alone becomes bigger than four megabytes', () => {
  expect(settled(new BatchPace(2048 * kilobyte), { delayMs: 100, megabytesPerSecond: 100 })).toBe(4096 * kilobyte);
});

test('a target that is slow by itself gets no bigger batches for long', () => {
  const pace = new BatchPace(planned);
  const sizes: number[] = [];
  for (let batch = 0; batch < 200; batch++) {
    pace.wrote(pace.bytes, pace.bytes / 5000);
    sizes.push(pace.bytes);
  }
  expect(sizes.at(-1)).toBe(planned);
  // It is tried once: four writes of the double size.
  expect(sizes.filter((size) => size > planned).length).toBe(4);
});

test('batches shrink where one takes longer than a second, down to 64 KiB', () => {
  expect(settled(new BatchPace(planned), { delayMs: 0, megabytesPerSecond: 0.2 })).toBe(128 * kilobyte);
  expect(settled(new BatchPace(planned), { delayMs: 0, megabytesPerSecond: 0.001 })).toBe(64 * kilobyte);
});

test('batches that were meant to be tiny do not grow by shrinking', () => {
  expect(settled(new BatchPace(100), { delayMs: 5000, megabytesPerSecond: 1 })).toBe(100);
});

test('batches grow again when a target is fast again', () => {
  const pace = new BatchPace(planned);
  settled(pace, { delayMs: 0, megabytesPerSecond: 0.1 });
  expect(pace.bytes).toBeLessThan(planned);
  expect(settled(pace, { delayMs: 90, megabytesPerSecond: 100 })).toBe(4 * planned);
});

test('small last batches of splits and huge rows do not count', () => {
  const pace = new BatchPace(planned);
  for (let batch = 0; batch < 100; batch++) {
    pace.wrote(10, 5000);
    pace.wrote(50_000_000, 5000);
  }
  expect(pace.bytes).toBe(planned);
});
