import { describe, expect, test } from 'vitest';
import { DrayError, type ReaderPlugin, RecordBatch, type RecordOutput, type Split, type WriterPlugin } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import type { TaskSpec } from '../../../core/task/spec.ts';
import { fakeReader, fakeTask, fakeWriter, listening } from '../../support/fake-plugins.ts';

/** A pack of tables with so many rows each: `a` has a1, a2, …; then `b`, and so on. */
function packOf(counts: readonly number[]): Split {
  const members = counts.map((rows, index): Split => ({ name: 'abcdef'[index]!, part: rows }));
  return { name: 'a, b and more', members };
}

/** Delivers the rows of a member; says itself that the rows it is told to are no records. */
function tableReader(rejects: readonly string[] = []) {
  let reading = 0;
  return fakeReader({
    async read({ name, part }, out: RecordOutput) {
      expect(++reading).toBe(1);
      for (let row = 1; row <= Number(part); row++) {
        if (rejects.includes(name + row)) out.reject(new DrayError('ROW_REJECTED', 'no record'));
        else if (!out.push([name + row])) await out.drain();
      }
      await new Promise(setImmediate);
      reading--;
    },
  });
}

async function run(reader: ReaderPlugin, writer: WriterPlugin, facts: Partial<TaskSpec> = {}) {
  const { heard, listener } = listening();
  const outcome = await runTask(fakeTask({ maxDirtyRecords: null, ...facts }), { reader, writer }, listener, new AbortController().signal);
  return { outcome, heard };
}

const cells = (...counts: number[]) =>
  counts.flatMap((rows, index) => Array.from({ length: rows }, (_, row) => ['abcdef'[index]! + (row + 1)]));

test('the members of a pack are read one after the other, by one reader, and committed at once', async () => {
  const reader = tableReader();
  const writer = fakeWriter();
  const { outcome } = await run(reader.plugin, writer.plugin, { split: packOf([12, 0, 7, 25]) });
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: 44, rowsWritten: 44, rowsDirty: 0 } });
  expect(reader.events).toEqual(['read a', 'read b', 'read c', 'read d', 'close']);
  expect(writer.committed).toEqual(cells(12, 0, 7, 25));
  expect(writer.events).toEqual(['commit 0', 'close']);
});

test('the reader is given each member as it is, and never the pack', async () => {
  const members: Split[] = [
    { name: 'a', part: { table: 'a' }, estimatedRows: 3 },
    { name: 'b', part: { table: 'b' }, range: { columns: ['id'], from: ['1'], to: null, includesNull: false } },
  ];
  const given: Split[] = [];
  const reader = fakeReader({ read: async (split) => void given.push(split) });
  await run(reader.plugin, fakeWriter().plugin, { split: { name: 'a and b', members } });
  expect(given).toEqual(members);
});

describe('a dirty record of a pack', () => {
  test('that the target refuses names the member and the position within it', async () => {
    const refused = ['a1', 'a12', 'c1', 'c7', 'd11'];
    const writer = fakeWriter({ refuses: ([cell]) => refused.includes(cell!) });
    const { outcome, heard } = await run(tableReader().plugin, writer.plugin, { split: packOf([12, 0, 7, 25]) });
    expect(outcome.counters).toMatchObject({ rowsRead: 44, rowsWritten: 39, rowsDirty: 5 });
    expect(heard.dirty.map(({ side, split, row }) => [side, split, row])).toEqual([
      ['target', 'a', 1],
      ['target', 'a', 12],
      ['target', 'c', 1],
      ['target', 'c', 7],
      ['target', 'd', 11],
    ]);
  });

  test('that does not fit the target does too', async () => {
    const schema = { columns: [{ name: 'c0', type: 'string' as const, isNullable: true, length: 2 }] };
    const { heard } = await run(tableReader().plugin, fakeWriter({ schema }).plugin, { split: packOf([3, 11]), target: { schema } });
    expect(heard.dirty.map(({ split, row }) => [split, row])).toEqual([
      ['b', 10],
      ['b', 11],
    ]);
  });

  test('that the reader rejects does too', async () => {
    const { outcome, heard } = await run(tableReader(['a2', 'b1', 'd4']).plugin, fakeWriter().plugin, { split: packOf([12, 3, 0, 5]) });
    expect(outcome.counters).toMatchObject({ rowsRead: 20, rowsWritten: 17, rowsDirty: 3 });
    expect(heard.dirty.map(({ side, split, row }) => [side, split, row])).toEqual([
      ['source', 'a', 2],
      ['source', 'b', 1],
      ['source', 'd', 4],
    ]);
  });

  test('that the target refuses names the right member also behind rows that the reader rejected', async () => {
    const writer = fakeWriter({ refuses: ([cell]) => cell === 'b1' });
    const { heard } = await run(tableReader(['a2', 'a3']).plugin, writer.plugin, { split: packOf([5, 5]) });
    expect(heard.dirty.filter(({ side }) => side === 'target').map(({ split, row }) => [split, row])).toEqual([['b', 1]]);
  });
});

test('a member that cannot be read is the place of the error, and nothing of the pack is committed', async () => {
  const reader = fakeReader({
    async read({ name }, out) {
      if (name === 'b') throw new DrayError('SQL_FAILED', 'no such thing');
      out.push([name]);
    },
  });
  const writer = fakeWriter();
  const { outcome } = await run(reader.plugin, writer.plugin, { split: packOf([1, 1, 1]) });
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'SQL_FAILED', side: 'source', place: 'b' } });
  expect(reader.events).toEqual(['read a', 'read b', 'close']);
  expect(writer.committed).toEqual([]);
});

test('a target that fails stops the pack before its next member', async () => {
  const writer = fakeWriter({ beforeWrite: () => Promise.reject(new DrayError('DISK_FULL', 'full')) });
  const reader = fakeReader({
    async read({ name }, out, signal) {
      // More than a batch.
      for (let row = 0; row < 12; row++) if (!out.push([name])) await out.drain();
      if (name === 'b') await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  });
  const { outcome } = await run(reader.plugin, writer.plugin, { split: packOf([1, 1, 1]) });
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'DISK_FULL', side: 'target' } });
  expect(reader.events).toEqual(['read a', 'read b', 'close']);
});

describe('batches of a pack', () => {
  /** Hands over what it reads in its own ways: packed batches of its own, or row by row and with a flush behind each member. */
  const handingOver = (kinds: readonly ('sends' | 'pushes' | 'flushes')[]) => {
    let member = 0;
    return fakeReader({
      async read({ name, part }, out: RecordOutput) {
        const kind = kinds[member++ % kinds.length]!;
        const rows = Array.from({ length: Number(part) }, (_, row) => name + (row + 1));
        if (kind === 'sends')
          return out.send(new RecordBatch(out.schema, Buffer.from(rows.map((row) => `${row}\n`).join('')), rows.length));
        for (const row of rows) if (!out.push([row])) await out.drain();
        if (kind === 'flushes') await out.flush();
      },
    });
  };

  /** How many rows each write had. */
  async function writesOf(reader: ReaderPlugin, counts: readonly number[], maxBytes: number) {
    const sizes: number[] = [];
    const writer = fakeWriter({ onWrite: (rows) => sizes.push(rows) });
    const batch = { maxBytes, maxRows: 10_000 };
    const { outcome } = await run(reader, writer.plugin, { split: packOf(counts), batch });
    expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: cells(...counts).length } });
    expect(writer.committed).toEqual(cells(...counts));
    return sizes;
  }

  test('hold what the reader has left of several members, and that alone', async () => {
    expect(await writesOf(handingOver(['pushes']).plugin, [3, 4, 0, 5, 2], 1 << 20)).toEqual([14]);
    expect(await writesOf(handingOver(['flushes']).plugin, [3, 4, 0, 5, 2], 1 << 20)).toEqual([3, 4, 5, 2]);
  });

  test.each([[['sends']], [['pushes', 'sends']], [['sends', 'pushes', 'flushes']], [['pushes', 'flushes', 'sends']]] as const)(
    'keep the order of rows, when the reader %s',
    async (kinds) => {
      await writesOf(handingOver(kinds).plugin, [3, 4, 0, 5, 2], 1 << 20);
    },
  );

  test('are handed over when they are full, and a big one as it is', async () => {
    expect(await writesOf(handingOver(['pushes', 'sends']).plugin, [2, 400, 3, 4], 1000)).toEqual([2, 400, 3, 4]);
    expect((await writesOf(handingOver(['pushes']).plugin, [300, 300], 1000)).length).toBeGreaterThan(2);
  });
});
