import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, DrayError, type RecordBatch } from '../../../core/sdk/index.ts';
import { Channel } from '../../../core/transport/channel.ts';
import { RateLimit } from '../../../core/transport/rate-limit.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { until } from '../../support/until.ts';

const unlimited = () => new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 });

function channelOf(limits: { maxBytes?: number; maxBatches?: number }, stop = new AbortController()) {
  return { stop, channel: new Channel({ maxBytes: 1 << 20, maxBatches: 4, ...limits }, unlimited(), stop.signal) };
}

function batchOf(text: string): RecordBatch {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 1 << 20, maxRows: 10 });
  builder.push([text]);
  return builder.take()!;
}

/** Whether a promise has settled by the time everything that could settle it has had its turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test('a channel full of batches makes the reader wait until one is taken', async () => {
  const { channel } = channelOf({ maxBatches: 2 });
  await channel.push(batchOf('a'));
  const second = channel.push(batchOf('b'));
  expect(await isSettled(second)).toBe(false);
  await channel.next();
  await second;
});

test('a channel full of bytes makes the reader wait, but one batch of any size fits', async () => {
  const { channel } = channelOf({ maxBytes: 10 });
  const push = channel.push(batchOf('x'.repeat(1000)));
  expect(await isSettled(push)).toBe(false);
  expect((await channel.next())!.bytes.length).toBe(1001);
  await push;
});

test('batches come out in the order they went in, each once, whoever is faster', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), fc.scheduler(), fc.integer({ min: 1, max: 4 }), async (texts, scheduler, maxBatches) => {
      const { channel } = channelOf({ maxBatches });
      const taken: string[] = [];
      const read = async () => {
        for (const text of texts) {
          await scheduler.schedule(Promise.resolve());
          await channel.push(batchOf(text));
        }
        channel.end();
      };
      const write = async () => {
        for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) {
          taken.push(batch.cell(0, 0)!);
          await scheduler.schedule(Promise.resolve());
        }
      };
      await scheduler.waitFor(Promise.all([read(), write()]));
      expect(taken).toEqual(texts);
    }),
  );
});

test('an empty channel makes the writer wait, and the end wakes it', async () => {
  const { channel } = channelOf({});
  const next = channel.next();
  expect(await isSettled(next)).toBe(false);
  channel.end();
  expect(await next).toBeUndefined();
});

test('the time the reader waited for room and the time the writer waited for a batch are measured apart', async () => {
  const slowWriter = channelOf({ maxBatches: 1 }).channel;
  const push = slowWriter.push(batchOf('a'));
  await new Promise((resolve) => setTimeout(resolve, 30));
  await slowWriter.next();
  await push;
  expect(slowWriter.readerWaitMs).toBeGreaterThanOrEqual(25);
  expect(slowWriter.writerWaitMs).toBe(0);

  const slowReader = channelOf({}).channel;
  const next = slowReader.next();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await slowReader.push(batchOf('a'));
  await next;
  expect(slowReader.writerWaitMs).toBeGreaterThanOrEqual(25);
  expect(slowReader.readerWaitMs).toBeLessThan(slowReader.writerWaitMs);
});

test('an abort wakes a waiting reader and a waiting writer with its reason', async () => {
  const reason = new DrayError('CANCELLED', 'stop');
  const full = channelOf({ maxBatches: 1 });
  const push = full.channel.push(batchOf('a'));
  full.stop.abort(reason);
  await expect(push).rejects.toBe(reason);

  const empty = channelOf({});
  const next = empty.channel.next();
  empty.stop.abort(reason);
  await expect(next).rejects.toBe(reason);
});

test('after an abort neither side can go on', async () => {
  const { channel, stop } = channelOf({});
  await channel.push(batchOf('a'));
  const reason = new DrayError('CANCELLED', 'stop');
  stop.abort(reason);
  await expect(channel.next()).rejects.toBe(reason);
  await expect(channel.push(batchOf('b'))).rejects.toBe(reason);
});

test('an abort wakes a reader that a rate limit makes wait, with its reason', async () => {
  const stop = new AbortController();
  const rate = new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 1 });
  const channel = new Channel({ maxBytes: 1000, maxBatches: 100 }, rate, stop.signal);
  await channel.push(batchOf('a'));
  const push = channel.push(batchOf('b'));
  const reason = new DrayError('CANCELLED', 'stop');
  stop.abort(reason);
  await expect(push).rejects.toBe(reason);
});

test('a batch that the rate limit holds back is not seen by the writer before its time', async () => {
  const rate = new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 20 });
  const channel = new Channel({ maxBytes: 1000, maxBatches: 100 }, rate, new AbortController().signal);
  const startedAt = performance.now();
  const pushes = (async () => {
    for (const text of ['a', 'b', 'c', 'd']) await channel.push(batchOf(text));
  })();
  for (let taken = 0; taken < 4; taken++) await channel.next();
  await pushes;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(3 * 50 - 5);
  await until('the wait was counted as the reader’s', 1000, async () => expect(channel.readerWaitMs).toBeGreaterThan(100));
});
