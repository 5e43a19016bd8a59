import { expect, test } from 'vitest';
import { waitBefore } from '../../../core/controller/backoff.ts';

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
