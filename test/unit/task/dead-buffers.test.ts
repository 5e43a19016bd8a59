import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { watchDeadBuffers } from '../../../core/task/dead-buffers.ts';

const mebi = 1024 * 1024;
const bytesOfBuffers = () => getHeapStatistics().external_memory / mebi;

/** How much is left of 12 MiB of buffers some time after the last of them has died, or as soon as it is little. */
async function leftOfBurst(afterMs: number): Promise<number> {
  const before = bytesOfBuffers();
  let burst: Buffer[] = Array.from({ length: 12 }, () => Buffer.allocUnsafeSlow(mebi).fill(1));
  expect(bytesOfBuffers() - before).toBeGreaterThan(10);
  burst = burst.slice(0, 0);
  for (let looks = 0; bytesOfBuffers() - before > 4 && looks < afterMs / 50; looks++) await wait(50);
  return bytesOfBuffers() - before + burst.length;
}

test('dead buffers are freed when nothing moves, as long as somebody wants it', { timeout: 60_000 }, async () => {
  const [endFirst, endSecond] = [watchDeadBuffers(), watchDeadBuffers()];
  endFirst();
  // A busy machine looks seldom.
  expect(await leftOfBurst(20_000)).toBeLessThan(4);
  endSecond();
  expect(await leftOfBurst(500)).toBeGreaterThan(10);
});

test('threads that begin with it at once do not get into each other’s way', { timeout: 60_000 }, async () => {
  const module = new URL('../../../dist/core/task/dead-buffers.js', import.meta.url);
  const code = `
    const { parentPort } = require('node:worker_threads');
    import('${module.href}').then(async ({ watchDeadBuffers }) => {
      const end = watchDeadBuffers();
      let burst = Array.from({ length: 12 }, () => Buffer.allocUnsafeSlow(2 ** 20).fill(1));
      burst = undefined;
      for (let looks = 0; process.memoryUsage().arrayBuffers > 2 ** 22 && looks < 100; looks++) await new Promise((wake) => setTimeout(wake, 20));
      end();
      parentPort.postMessage(process.memoryUsage().arrayBuffers < 2 ** 22);
    });`;
  for (let round = 0; round < 6; round++) {
    const freed = Array.from({ length: 6 }, () => once(new Worker(code, { eval: true }), 'message'));
    expect((await Promise.all(freed)).flat()).toEqual(Array(6).fill(true));
  }
});
