import { expect, test } from 'vitest';
import { checkLedgerRemembers, publishingNumber } from '../../../plugins/_sql/ledger.ts';
import { isStaleRun, markText, readMark, stagingName, stagingPattern, startOfRun } from '../../../plugins/_sql/staging-names.ts';

const run = '20261121-030405-a1b2c3';
const target = { schema: 'shop', table: 'orders' };

test('the table of a run tells which run and which target', () => {
  expect(stagingName('new', run, target)).toMatch(/^dray_new_20261121_030405_a1b2c3_[0-9a-f]{8}_orders$/);
});

test.each([
  ['kinds', stagingName('old', run, target)],
  ['runs', stagingName('new', '20261121-030405-a1b2c4', target)],
  ['schemas', stagingName('new', run, { ...target, schema: 'shop2' })],
  ['tables of which only the end differs', stagingName('new', run, { ...target, table: 'orders_and_much_more' })],
])('other %s have other names', (_what, name) => {
  expect(name).not.toBe(stagingName('new', run, target));
});

test.each(['x'.repeat(63), 'ö'.repeat(31), '漢'.repeat(21), '😀'.repeat(15)])('names leave room for those of indexes: %s', (table) => {
  const name = stagingName('new', run, { schema: 's', table });
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(56);
  expect(name).not.toContain('\ufffd');
});

test('names of runs that are none of ours, or long, still make names of their own', () => {
  const names = ['a'.repeat(60), `${'a'.repeat(59)}b`, 'mit"quote', 'x'].map((odd) => stagingName('new', odd, target));
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^\w{1,56}$/);
});

test('the pattern finds all runs of a target, and no other target', () => {
  const pattern = new RegExp(`^${stagingPattern('new', target).replaceAll('\\_', '_').replaceAll('%', '.*')}$`);
  expect(stagingName('new', 'another-run', target)).toMatch(pattern);
  expect(stagingName('new', run, { ...target, table: 'order' })).not.toMatch(pattern);
  expect(stagingName('old', run, target)).not.toMatch(pattern);
});

test('a mark is read back, and what is none is not taken for one', () => {
  const mark = { run, kind: 'new', target: 'shop.orders' } as const;
  expect(readMark(markText(mark))).toEqual(mark);
  for (const comment of [null, '', 'made by me', 'made by dray: {', 'not made by dray: {}']) expect(readMark(comment)).toBeUndefined();
});

test('runs are stale after a week, and not resumed exactly once after three months', () => {
  const start = startOfRun(run)!;
  expect(start.toISOString()).toBe('2026-11-21T03:04:05.000Z');
  const days = (count: number) => start.getTime() + count * 86_400_000;
  expect([isStaleRun(run, days(6.9)), isStaleRun(run, days(7.1)), isStaleRun('other', days(99))]).toEqual([false, true, false]);
  expect(() => checkLedgerRemembers('20200101-000000-abcdef')).toThrow(/began more than 90 days ago/);
  expect(() => checkLedgerRemembers('other')).not.toThrow();
});

test('each content of a run publishes under a number of its own, the same each time', () => {
  expect(publishingNumber([{ task: 4 }, { task: 3 }], target)).toBe(-4);
  expect(publishingNumber([{ task: 0 }], target)).toBe(-1);
  const empty = publishingNumber([], target);
  expect(empty).toBe(publishingNumber([], { ...target }));
  expect(empty).not.toBe(publishingNumber([], { ...target, table: 'other' }));
  expect(empty).toBeLessThan(-999_999_999);
  expect(empty).toBeGreaterThanOrEqual(-(2 ** 31));
});
