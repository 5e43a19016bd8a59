import { setTimeout as wait } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { freeDeadBuffers } from '../../../core/task/dead-buffers.ts';

const mebi = 1024 * 1024;
const bytesOfBuffers = () => getHeapStatistics().external_memory / mebi;

/** How much is left of 12 MiB of buffers half a second after the last of them has died, or as soon as it is little. */
async function leftOfBurst(): Promise<number> {
  const before = bytesOfBuffers();
  let burst: Buffer[] = Array.from({ length: 12 }, () => Buffer.allocUnsafeSlow(mebi).fill(1));
  expect(bytesOfBuffers() - before).toBeGreaterThan(10);
  burst = burst.slice(0, 0);
  for (let looks = 0; bytesOfBuffers() - before > 4 && looks < 10; looks++) await wait(50);
  return bytesOfBuffers() - before + burst.length;
}

test('dead buffers are freed when nothing moves, as long as somebody wants it', async () => {
  const [endFirst, endSecond] = [freeDeadBuffers(), freeDeadBuffers()];
  endFirst();
  expect(await leftOfBurst()).toBeLessThan(4);
  endSecond();
  expect(await leftOfBurst()).toBeGreaterThan(10);
});
