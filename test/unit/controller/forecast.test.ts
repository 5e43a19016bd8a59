import { expect, test } from 'vitest';
import { lengthWords, missWords, remainingMs } from '../../../core/controller/forecast.ts';

test('what is left takes as long as what is done did', () => {
  expect(remainingMs({ rowsRead: 25, estimatedRows: 100, elapsedMs: 10_000 })).toBe(30_000);
  expect(remainingMs({ rowsRead: 200, estimatedRows: 100, elapsedMs: 99_000 })).toBeCloseTo(1000);
});

test('nothing is said of the end before anything is known of the speed', () => {
  expect(remainingMs({ rowsRead: 50, estimatedRows: 100, elapsedMs: 500 })).toBeUndefined();
  expect(remainingMs({ rowsRead: 1, estimatedRows: 100, elapsedMs: 5000 })).toBeUndefined();
  expect(remainingMs({ rowsRead: 1, estimatedRows: undefined, elapsedMs: 5000 })).toBeUndefined();
});

test('it is said by how much the end will be missed, or is', () => {
  const due = { at: 100_000, words: '06:00' };
  expect(missWords(due, 40_000, 30_000)).toBeUndefined();
  expect(missWords(due, 40_000, 900_000)).toBe('will miss 06:00 by 14 min');
  expect(missWords(due, 130_000, undefined)).toBe('misses 06:00 by 30 s');
  expect(missWords(due, 90_000, undefined)).toBeUndefined();
});

test.each([
  [400, '1 s'],
  [89_000, '89 s'],
  [120_000, '2 min'],
  [7_200_000, '2.0 h'],
])('%i ms are %s', (ms, words) => {
  expect(lengthWords(ms)).toBe(words);
});
