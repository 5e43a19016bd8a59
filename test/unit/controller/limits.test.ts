import { expect, test } from 'vitest';
import { batchLimits, defaultChannels, sharedLimits, taskSpecs } from '../../../core/controller/limits.ts';
import { openPlan } from '../../../core/controller/plan.ts';
import { countingReader, fakeJob, fakeWriter } from '../../support/fake-plugins.ts';

const full = batchLimits({ bytesPerSecond: 0, recordsPerSecond: 0 }, 2);

test('under a rate limit a batch is a fifth of a second, at least one row or byte, at most a full one', () => {
  expect(batchLimits({ bytesPerSecond: 50_000, recordsPerSecond: 100 }, 2)).toEqual({ maxBytes: 10_000, maxRows: 20 });
  expect(batchLimits({ bytesPerSecond: 1, recordsPerSecond: 1 }, 2)).toEqual({ maxBytes: 1, maxRows: 1 });
  expect(batchLimits({ bytesPerSecond: 1e12, recordsPerSecond: 1e12 }, 2)).toEqual(full);
  expect(full.maxBytes).toBeGreaterThan(100_000);
});

test('a task that is alone has bigger batches than tasks side by side', () => {
  expect(batchLimits({ bytesPerSecond: 0, recordsPerSecond: 0 }, 1).maxBytes).toBeGreaterThan(full.maxBytes);
});

test('a job that says nothing gets one to four channels', () => {
  expect(defaultChannels()).toBeGreaterThanOrEqual(1);
  expect(defaultChannels()).toBeLessThanOrEqual(4);
});

test('all tasks of a job share its clocks and its count of dirty records, and are plain values', async () => {
  const splits = [{ name: 'a' }, { name: 'b' }];
  const job = fakeJob(countingReader(1, splits).plugin, fakeWriter().plugin, { bytesPerSecond: 1000, maxDirtyRecords: 7 });
  const quiet = () => undefined;
  const context = { run: 'r', job: 'r', warn: () => undefined, print: () => undefined, signal: new AbortController().signal };
  const plan = await openPlan(job.contents[0]!, {
    channels: 2,
    mayBeFewer: false,
    splitBytes: undefined,
    context,
    note: quiet,
    planning: quiet,
  });
  const limits = sharedLimits(job, 2);
  const specs = taskSpecs(job, {
    run: 'r',
    content: 1,
    taskIds: [5, 6],
    flowsOf: () => [],
    channels: 2,
    plan,
    target: { schema: plan.source },
    guarantee: 'exactly-once',
    limits,
  });
  expect(specs.map(({ id, content, split, maxDirtyRecords }) => [id, content, split.name, maxDirtyRecords])).toEqual([
    [5, 1, 'a', 7],
    [6, 1, 'b', 7],
  ]);
  for (const spec of specs) {
    expect(spec.rateClocks).toBe(limits.rate.shared);
    expect(spec.dirtyCount).toBe(limits.dirtyCount);
    expect(structuredClone(spec)).toEqual(spec);
  }
});

test.each([
  [{ bytesPerSecond: 10_000, bytesPerChannel: 1000 }, 2000],
  [{ bytesPerSecond: 500, bytesPerChannel: 1000 }, 500],
  [{ bytesPerSecond: 0, bytesPerChannel: 1000 }, 2000],
  [{ bytesPerSecond: 700, bytesPerChannel: 0 }, 700],
  [{ bytesPerSecond: 0, bytesPerChannel: 0 }, 0],
])('of the limits %j both hold for two channels together: %d bytes per second', (facts, bytesPerSecond) => {
  const job = fakeJob(countingReader(1, [{ name: 'a' }]).plugin, fakeWriter().plugin, facts);
  expect(sharedLimits(job, 2).rate.rates).toEqual({ bytesPerSecond, recordsPerSecond: 0 });
});
