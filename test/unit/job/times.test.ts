import { expect, test } from 'vitest';
import { duration, moment, momentOf } from '../../../core/job/times.ts';

test.each([
  [90, 90_000],
  ['90', 90_000],
  ['90s', 90_000],
  ['1.5 m', 90_000],
  ['30min', 1_800_000],
  ['2h', 7_200_000],
])('%j is so long', (given, ms) => {
  expect(duration('no').parse(given)).toBe(ms);
});

test.each(['', 'soon', '-1', 0, '5 days', '1:30'])('%j is no length of time', (given) => {
  expect(duration('no').safeParse(given).error?.issues[0]?.message).toBe('no');
});

test('a time of day is the next one', () => {
  const now = new Date(2026, 10, 21, 12, 0);
  expect(new Date(momentOf('13:30', now))).toEqual(new Date(2026, 10, 21, 13, 30));
  expect(new Date(momentOf('06:00', now))).toEqual(new Date(2026, 10, 22, 6, 0));
  expect(new Date(momentOf('12:00', now))).toEqual(new Date(2026, 10, 22, 12, 0));
});

test('a date and time is that one', () => {
  expect(momentOf('2026-11-22T06:00:00Z', new Date())).toBe(Date.UTC(2026, 10, 22, 6));
});

test.each(['24:00', '6', 'tomorrow', '2026-11-22', '2026-13-40T00:00:00Z'])('%j is no moment', (given) => {
  expect(moment('no').safeParse(given).error?.issues[0]?.message).toBe('no');
});
