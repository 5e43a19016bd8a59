import { expect, test } from 'vitest';
import { Speed } from '../../../core/serve/speed.ts';

test('the speed is that of the last ten seconds', () => {
  const speed = new Speed(0);
  expect(speed.perSecond(0, 0)).toBe(0);
  for (let second = 1; second <= 60; second++) speed.add(1000 * second, 1000 * second);
  expect(speed.perSecond(60_000, 60_000)).toBe(1000);
  for (let second = 61; second <= 70; second++) speed.add(60_000, 1000 * second);
  expect(speed.perSecond(60_000, 70_000)).toBe(0);
});

test('rows that were undone are no negative speed', () => {
  const speed = new Speed(0);
  speed.add(5000, 1000);
  speed.add(9000, 12_000);
  expect(speed.perSecond(100, 13_000)).toBe(0);
});
