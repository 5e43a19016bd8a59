import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, type Cell, type RecordBatch } from '../../../core/sdk/index.ts';
import { anyRows, textSchema } from '../../support/arbitraries.ts';

test('rows pushed over many takes come back once each, in order, whatever the limits', () => {
  fc.assert(
    fc.property(anyRows, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 5 }), (rows, maxBytes, maxRows) => {
      const builder = new BatchBuilder(textSchema(rows[0]!.length), { maxBytes, maxRows });
      const taken: Cell[][] = [];
      for (const row of rows) {
        builder.push(row);
        if (builder.isFull) taken.push(...builder.take()!.rows());
      }
      taken.push(...(builder.take()?.rows() ?? []));
      expect(taken).toEqual(rows);
      expect(builder.take()).toBeUndefined();
    }),
  );
});

test('a batch handed over keeps its bytes while the next ones are filled', () => {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 1 << 20, maxRows: 10 });
  builder.push(['first']);
  const first = builder.take()!;
  for (let i = 0; i < 50_000; i++) builder.push(['second']);
  expect([...first.rows()]).toEqual([['first']]);
  expect(builder.take()!.rowCount).toBe(50_000);
});

test('a batch is full at its rows or at its bytes, whichever comes first', () => {
  const byRows = new BatchBuilder(textSchema(1), { maxBytes: 1000, maxRows: 2 });
  byRows.push(['a']);
  expect(byRows.isFull).toBe(false);
  byRows.push(['a']);
  expect(byRows.isFull).toBe(true);
  const byBytes = new BatchBuilder(textSchema(1), { maxBytes: 8, maxRows: 1000 });
  byBytes.push(['1234567']);
  expect(byBytes.isFull).toBe(true);
});

test('a row of another width is refused and leaves the builder as it was', () => {
  const builder = new BatchBuilder(textSchema(2), { maxBytes: 1000, maxRows: 10 });
  builder.push(['a', 'b']);
  expect(() => builder.push(['a'])).toThrow(expect.objectContaining({ code: 'COLUMN_COUNT' }));
  expect(() => builder.push(['a', '\ud800'])).toThrow(expect.objectContaining({ code: 'ROW_REJECTED' }));
  builder.push(['c', null]);
  expect([...builder.take()!.rows()]).toEqual([
    ['a', 'b'],
    ['c', null],
  ]);
});

test('bytes written by hand behind reserved room are rows like any other', () => {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 1 << 20, maxRows: 10 });
  builder.push(['pushed']);
  const bytes = Buffer.from(`${'x'.repeat(300_000)}\n\\N\n`);
  builder.reserve(bytes.length);
  bytes.copy(builder.buffer, builder.position);
  builder.advance(builder.position + bytes.length, 2);
  expect([...builder.take()!.rows()]).toEqual([['pushed'], ['x'.repeat(300_000)], [null]]);
});

test('memory that is given back is used again, and no batch that is still read changes', () => {
  const anyStep = fc.oneof(
    fc.record({ rows: fc.integer({ min: 1, max: 3 }), bytes: fc.integer({ min: 0, max: 3000 }) }),
    fc.nat({ max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const builder = new BatchBuilder(textSchema(1), { maxBytes: 1000, maxRows: 100 });
      const live: { batch: RecordBatch; cells: string[] }[] = [];
      for (const [number, step] of steps.entries()) {
        if (typeof step === 'number') {
          const [ended] = live.splice(step, 1);
          if (ended !== undefined) builder.reuse(ended.batch);
        } else {
          const cells = Array.from({ length: step.rows }, () => String(number).padEnd(step.bytes, '.'));
          for (const cell of cells) builder.push([cell]);
          live.push({ batch: builder.take()!, cells });
        }
        for (const { batch, cells } of live) expect([...batch.rows()]).toEqual(cells.map((cell) => [cell]));
      }
    }),
  );
});

test('memory of another builder is not taken', () => {
  const [one, other] = [1, 2].map(() => new BatchBuilder(textSchema(1), { maxBytes: 1000, maxRows: 100 })) as [BatchBuilder, BatchBuilder];
  one.push(['kept']);
  const kept = one.take()!;
  other.reuse(kept);
  other.push(['x'.repeat(1000)]);
  expect([...kept.rows()]).toEqual([['kept']]);
});

test('memory of a slice is not taken, because other slices share it', () => {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 1000, maxRows: 100 });
  builder.push(['first']);
  builder.push(['second']);
  const batch = builder.take()!;
  const [first, second] = [batch.slice(0, 1), batch.slice(1, 2)];
  builder.reuse(first);
  for (let i = 0; i < 100; i++) builder.push(['x'.repeat(500)]);
  expect([...second.rows()]).toEqual([['second']]);
});

test('rows that ask for much more room than they take do not move the batch each time', () => {
  const builder = new BatchBuilder(textSchema(1), { maxBytes: 64 << 10, maxRows: 10_000 });
  const buffers = new Set<Buffer>();
  for (let row = 0; row < 20_000; row++) {
    builder.reserve(32 << 10);
    buffers.add(builder.buffer);
    builder.push(['a row of fifty bytes, or not much more than fifty']);
    if (builder.isFull) builder.take();
  }
  expect(buffers.size).toBeLessThan(3 * 20);
});
