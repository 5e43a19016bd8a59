import { expect, test } from 'vitest';
import { estimate } from '../../../core/scheduler/estimate.ts';

const gigabyte = 1e9;
const cores = (threads: number) => [{ what: 'the cores of this machine', threads }];

test('the wanted end and the measured speed say how many threads the first round has', () => {
  const size = { tasks: 100, bytes: 60 * gigabyte, bytesPerSecond: 50e6, finishWithinMs: 300_000 };
  expect(estimate(size, cores(32))).toMatchObject({ firstRound: 4, expectedMs: 300_000, taskMs: 12_000 });
});

test('no more threads than the tightest bound allows, which is named', () => {
  const size = { tasks: 100, bytes: 60 * gigabyte, bytesPerSecond: 50e6, finishWithinMs: 60_000 };
  const bounds = [...cores(8), { what: 'the connections of db1:3306', threads: 3 }];
  expect(estimate(size, bounds)).toMatchObject({ firstRound: 3, why: expect.stringContaining('db1:3306') });
});

test('without a wanted end a job takes what the host can carry, and not more than it has tasks', () => {
  const size = { tasks: 3, bytes: undefined, bytesPerSecond: 50e6, finishWithinMs: undefined };
  expect(estimate(size, cores(8)).firstRound).toBe(3);
  expect(estimate({ ...size, tasks: 20 }, cores(8)).firstRound).toBe(8);
});

test('a first round may be wider than a job has tasks: the difference is kept free beside it', () => {
  const size = { tasks: 2, bytes: 60 * gigabyte, bytesPerSecond: 50e6, finishWithinMs: 300_000 };
  expect(estimate(size, cores(32)).firstRound).toBe(4);
});

test('there is always one thread', () => {
  const size = { tasks: 0, bytes: 0, bytesPerSecond: 50e6, finishWithinMs: 1000 };
  expect(estimate(size, cores(0)).firstRound).toBe(1);
});
