import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, DrayError, type RecordBatch, type TaskWriter } from '../../../core/sdk/index.ts';
import { loadBatch } from '../../../core/task/load-batch.ts';
import { textSchema } from '../../support/arbitraries.ts';

/** What a target says about the row it refuses: where it really is, somewhere else, or nothing. */
type Hint = (index: number, rowCount: number) => number | undefined;

const right: Hint = (index) => index;
const none: Hint = () => undefined;

/** A target that refuses the rows named in `bad`, and any batch with one of them. */
function target(bad: ReadonlySet<number>, hint: Hint) {
  const written: number[] = [];
  let calls = 0;
  const writer: TaskWriter = {
    async write(batch) {
      calls++;
      const rows = [...batch.rows()].map(([cell]) => Number(cell));
      const index = rows.findIndex((row) => bad.has(row));
      const row = hint(index, rows.length);
      if (index !== -1) throw new DrayError('ROW_REJECTED', 'refused', row === undefined ? {} : { row });
      written.push(...rows);
    },
    async commit() {},
    async abort() {},
  };
  return { writer, written, calls: () => calls };
}

function batchOf(rowCount: number): RecordBatch {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 1 << 20, maxRows: 100_000 });
  for (let row = 0; row < rowCount; row++) builder.push([String(row)]);
  return builder.take()!;
}

async function load(rowCount: number, bad: readonly number[], hint: Hint) {
  const { writer, written, calls } = target(new Set(bad), hint);
  const refused: number[] = [];
  const batch = batchOf(rowCount);
  const counts = await loadBatch(writer, batch, (row) => refused.push(row));
  return { written, refused, calls: calls(), counts, batch };
}

const anyHint: fc.Arbitrary<Hint> = fc.oneof(
  fc.constant(right),
  fc.constant(none),
  fc.integer({ min: -3, max: 40 }).map(
    (row): Hint =>
      () =>
        row,
  ),
  fc.func(fc.integer({ min: -1, max: 40 })),
);

test('of any rows, exactly the bad ones are refused, and all others written once and in order, whatever the hints say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), anyHint, async (isBad, hint) => {
      const rows = isBad.map((_, row) => row);
      const bad = rows.filter((row) => isBad[row]);
      const good = rows.filter((row) => !isBad[row]);
      const { written, refused, counts, batch } = await load(rows.length, bad, hint);
      expect(refused).toEqual(bad);
      expect(written).toEqual(good);
      const goodBytes = good.reduce((sum, row) => sum + batch.slice(row, row + 1).bytes.length, 0);
      expect(counts).toEqual({ rows: good.length, bytes: goodBytes });
    }),
  );
});

test('a batch without a bad row is one write', async () => {
  expect((await load(1000, [], none)).calls).toBe(1);
});

test('with the right hint one bad row costs four writes', async () => {
  expect((await load(1000, [500], right)).calls).toBe(4);
});

test('without a hint one bad row of a thousand is found by halving', async () => {
  expect((await load(1000, [777], none)).calls).toBeLessThanOrEqual(2 * 10 + 1);
});

test('a target that always accuses the first row is soon not believed any more', async () => {
  expect((await load(1000, [777], () => 0)).calls).toBeLessThanOrEqual(2 * 10 + 4);
});

test('what is not a refused row ends the loading with that error', async () => {
  const failure = new DrayError('CONNECTION_LOST', 'gone');
  const writer: TaskWriter = { write: () => Promise.reject(failure), async commit() {}, async abort() {} };
  await expect(loadBatch(writer, batchOf(3), () => undefined)).rejects.toBe(failure);
});

test('the one who is told of a refused row can stop the loading', async () => {
  const { writer, written } = target(new Set([2, 4]), right);
  const enough = new DrayError('DIRTY_LIMIT', 'enough');
  const stop = () => {
    throw enough;
  };
  await expect(loadBatch(writer, batchOf(6), stop)).rejects.toBe(enough);
  expect(written).toEqual([0, 1]);
});
