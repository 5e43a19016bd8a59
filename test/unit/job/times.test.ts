import { expect, onTestFinished, test } from 'vitest';
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

test.each([
  // The clocks go from 02:00 to 03:00: the day has no 02:30.
  ['2026-03-28T22:00:00Z', '06:00', '2026-03-29T04:00:00Z'],
  ['2026-03-29T00:30:00Z', '02:30', '2026-03-29T01:30:00Z'],
  ['2026-03-29T02:00:00Z', '02:30', '2026-03-30T00:30:00Z'],
  // And back again from 03:00 to 02:00: the day has 25 hours.
  ['2026-10-24T22:00:00Z', '06:00', '2026-10-25T05:00:00Z'],
  ['2026-10-25T05:00:00Z', '06:00', '2026-10-26T05:00:00Z'],
])('on a day on which the clocks change, at %s, the next %s is %s', (now, time, expected) => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  onTestFinished(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  expect(new Date(momentOf(time, new Date(now))).toISOString()).toBe(new Date(expected).toISOString());
});

test('a date and time is that one', () => {
  expect(momentOf('2026-11-22T06:00:00Z', new Date())).toBe(Date.UTC(2026, 10, 22, 6));
});

test.each(['24:00', '6', 'tomorrow', '2026-11-22', '2026-13-40T00:00:00Z'])('%j is no moment', (given) => {
  expect(moment('no').safeParse(given).error?.issues[0]?.message).toBe('no');
});
