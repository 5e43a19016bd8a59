import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ServerFlow } from '../../../core/transport/server-flow.ts';

const never = new AbortController().signal;
/** When the next byte may pass, in ns from now. */
const bookedNs = (flow: ServerFlow) => Number(new BigInt64Array(flow.shared)[0]! - process.hrtime.bigint());

test('without a limit bytes are counted, of all who share the memory, and pass at once', async () => {
  const flow = new ServerFlow();
  const other = new ServerFlow(flow.shared);
  await Promise.all([flow.take(1000, never), other.take(1e12, never)]);
  expect(flow.bytes).toBe(1e12 + 1000);
  expect(bookedNs(flow)).toBeLessThan(0);
});

test('under a limit what follows waits for what went before, on whatever thread', async () => {
  const flow = new ServerFlow();
  flow.limit(10_000);
  const other = new ServerFlow(flow.shared);
  expect(other.bytesPerSecond).toBe(10_000);
  const startedAt = performance.now();
  await flow.take(1000, never);
  await other.take(1000, never);
  await flow.take(1, never);
  // 2000 bytes at 10,000 a second take at least 200 ms; timers may fire a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
});

test('a limit that another thread sets holds here', async () => {
  const flow = new ServerFlow();
  const script = `const { workerData } = require('node:worker_threads'); Atomics.store(new BigInt64Array(workerData), 1, 4321n);`;
  const worker = new Worker(script, { eval: true, workerData: flow.shared });
  await new Promise((resolve) => worker.once('exit', resolve));
  expect(flow.bytesPerSecond).toBe(4321);
});

test('what waits for hours passes soon when the limit is raised, and at once when it is lifted', async () => {
  const flow = new ServerFlow();
  flow.limit(1);
  await flow.take(36_000, never);
  const waiting = flow.take(1, never);
  expect(bookedNs(flow)).toBeGreaterThan(35_000e9);
  flow.limit(1_000_000);
  expect(bookedNs(flow)).toBeLessThan(1e9);
  await waiting;
  flow.limit(1);
  await flow.take(36_000, never);
  const last = flow.take(1, never);
  flow.limit(0);
  await last;
});

test('when the limit is lowered what is booked takes longer', async () => {
  const flow = new ServerFlow();
  flow.limit(1000);
  await flow.take(10_000, never);
  flow.limit(100);
  expect(bookedNs(flow)).toBeGreaterThan(90e9);
  expect(bookedNs(flow)).toBeLessThanOrEqual(100e9);
});

test('an abort ends the wait', async () => {
  const stop = new AbortController();
  const flow = new ServerFlow();
  flow.limit(1);
  await flow.take(3600, stop.signal);
  const waiting = flow.take(1, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});
