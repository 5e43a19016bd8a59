import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ReaderPlugin, WriterPlugin } from '../../../core/sdk/index.ts';
import { Lane } from '../../../core/task/lane.ts';
import type { TaskSpec } from '../../../core/task/spec.ts';
import { countingReader, fakeTask, fakeWriter, listening } from '../../support/fake-plugins.ts';

const rows = 8000;
/** 38 of the batches that tasks are planned with. */
const batch = { maxBytes: 1000, maxRows: 65_536 };

function laneOf(reader: ReaderPlugin, writer: WriterPlugin): Lane {
  return new Lane({
    reader: async () => reader,
    writer: async () => writer,
    transformer: () => Promise.reject(new Error('there is none')),
  });
}

/** @returns how many writes each of two tasks took */
async function writesOf(facts: Partial<TaskSpec>): Promise<number[]> {
  const writes = [0, 0];
  const writer = fakeWriter({
    async beforeWrite(task) {
      writes[task]!++;
      // Much longer than it takes to load a batch: a long way.
      await sleep(100);
    },
  });
  const lane = laneOf(countingReader(rows).plugin, writer.plugin);
  for (const id of [0, 1]) {
    const outcome = await lane.run(fakeTask({ batch, id, ...facts }), listening().listener, new AbortController().signal);
    expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: rows, rowsWritten: rows } });
  }
  expect(writer.committed).toHaveLength(2 * rows);
  await lane.close();
  return writes;
}

test('batches grow where each of them waits, and the next task of the content begins with the bigger ones', async () => {
  const [first, second] = await writesOf({});
  expect(first).toBeLessThan(32);
  expect(second).toBeLessThan(first!);
});

test('batches that a rate limit has made small stay so', async () => {
  const rates = { bytesPerSecond: 1 << 30, recordsPerSecond: 0 };
  expect(Math.min(...(await writesOf({ rates, rateClocks: new SharedArrayBuffer(16) })))).toBeGreaterThanOrEqual(36);
});
