import { expect, test } from 'vitest';
import { sumOf, tallyOf } from '../../../core/report/report.ts';
import { zeroCounters } from '../../../core/task/spec.ts';

const counters = {
  ...zeroCounters(),
  rowsRead: 12,
  rowsWritten: 9,
  rowsDirty: 2,
  rowsFiltered: 1,
  bytesRead: 120,
  bytesWritten: 90,
  readerWaitMs: 1234,
};

test('a task that is done counts what it read and wrote', () => {
  expect(tallyOf(counters, true)).toEqual({
    rows: { read: 12, written: 9, dirty: 2, filtered: 1 },
    bytes: { read: 120, written: 90 },
    waits: { reader: 1.234, writer: 0 },
  });
});

test('what a failed task wrote was undone and is not counted; its dirty records are', () => {
  expect(tallyOf(counters, false)).toMatchObject({ rows: { read: 2, written: 0, dirty: 2, filtered: 0 }, bytes: { read: 0, written: 0 } });
});

test('the sum of no tasks is zero, and sums add up each number', () => {
  expect(sumOf([])).toEqual(tallyOf(zeroCounters(), true));
  expect(sumOf([tallyOf(counters, true), tallyOf(counters, false)]).rows).toEqual({ read: 14, written: 9, dirty: 4, filtered: 1 });
});
