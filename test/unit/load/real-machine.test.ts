import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { LoadSensor } from '../../../core/load/load-sensor.ts';
import { type SlotPlan, slotsFor } from '../../../core/load/slots.ts';
import { isThisMachine } from '../../../core/load/this-machine.ts';
import { until } from '../../support/until.ts';

const hogMs = 2000;

/** Another process that wants a whole core until the test has ended. */
async function startHog(): Promise<void> {
  const script = `process.stdout.write('on'); while (performance.now() < 60_000);`;
  const hog = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void hog.kill('SIGKILL'));
  await once(hog.stdout, 'data');
}

test('on this machine the work of another process is others work', async () => {
  const sensor = new LoadSensor();
  await startHog();
  sensor.sample();
  await wait(300);
  sensor.sample();
  await wait(hogMs);
  const sample = sensor.sample();
  expect(sample.cores).toBeGreaterThanOrEqual(1);
  // The hog wants a whole core, and has half of one if the tests leave it that little.
  expect(sample.busyOthers).toBeGreaterThan(0.3);
  expect(sample.busyOthers).toBeLessThanOrEqual(sample.cores);
  expect(sample.ours).toBeLessThan(0.5);
  expect(sample.memoryAvailableBytes).toBeGreaterThan(1 << 20);
  expect(sample.rssBytes).toBeGreaterThan(10 << 20);
});

test('on this machine, with other processes busy on every core, one slot is left', async () => {
  const sensor = new LoadSensor();
  const cores = availableParallelism();
  for (let hog = 0; hog < 2 * cores; hog++) await startHog();
  const limits = { maxSlots: 4 * cores, coresPerSlot: 1, bytesPerSlot: 1 << 20, reserveBytes: 0 };
  let plan: SlotPlan | undefined;
  await until(
    'one slot is left',
    30_000,
    async () => {
      plan = slotsFor({ sample: sensor.sample(), running: 0, localEnds: 0, now: performance.now() }, limits, plan);
      expect(plan.slots).toBe(1);
    },
    500,
  );
  expect(plan?.why).toMatch(/^1 of \d+ slots: others use \d+\.\d of \d+ cores$/);
});

test('on this machine our own work is ours', async () => {
  const sensor = new LoadSensor();
  const until = performance.now() + 1500;
  let turns = 0;
  while (performance.now() < until) turns++;
  await wait(0);
  const sample = sensor.sample();
  expect(turns).toBeGreaterThan(0);
  expect(sample.ours).toBeGreaterThan(0.2);
  expect(sample.loopUtilisation).toBeGreaterThan(0.5);
});

test('a server on this machine is known by its address or by the name of the machine', () => {
  expect(['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]', hostname()].map(isThisMachine)).toEqual(Array(6).fill(true));
  expect(['db.example.com', '192.0.2.1', '2001:db8::1'].map(isThisMachine)).toEqual([false, false, false]);
});
