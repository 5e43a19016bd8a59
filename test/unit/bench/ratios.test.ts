import { expect, test } from 'vitest';
import { ratiosOf } from '../../../core/bench/ratios.ts';
import { resultChart } from '../../../core/bench/result-chart.ts';
import { resultTables } from '../../../core/bench/tables.ts';
import { lane, result, series } from './results.ts';

test('a ratio is the median of all rounds, each against the rival of the same round', () => {
  // Round 2 was slow for both.
  const ratios = ratiosOf(lane('a-b', series('psql', true, 1, 10, 2), series('dray', false, 1.5, 12, 4)));
  expect(ratios).toEqual([{ lane: 'a-b', command: 'dray', rival: 'psql', median: 1.5, least: 1.2, most: 2 }]);
});

test('each command has a ratio to each rival that took part', () => {
  const absent = { ...series('pgloader', true), absent: 'absent: pgloader is not installed' };
  const wrong = { ...series('broken', true, 1), failure: 'broken moved 0 rows instead of 9.' };
  const ratios = ratiosOf(
    lane('a-b', series('p', true, 1), absent, wrong, series('q', true, 2), series('d1', false, 4), series('d2', false, 6)),
  );
  expect(ratios.map(({ command, rival, median }) => `${command} ÷ ${rival} = ${median}`)).toEqual([
    'd1 ÷ p = 4',
    'd1 ÷ q = 2',
    'd2 ÷ p = 6',
    'd2 ÷ q = 3',
  ]);
});

test('a void lane has no ratio', () => {
  expect(ratiosOf({ ...lane('a-b', series('p', true, 1), series('d', false, 2)), failure: 'dray moved 1 row too few.' })).toEqual([]);
});

test('tables show ratios in the order of the rivals, who was absent and what is void', () => {
  const absent = { ...series('pgloader', true), absent: 'absent: pgloader is not installed' };
  const good = lane('a-b', series('p', true, 1), absent, series('q', true, 2), series('d', false, 3));
  const bad = { ...lane('c-d', series('d', false, 3)), failure: 'd moved 1 row too few.' };
  const tables = resultTables(result(good, bad));
  expect(tables).toMatch(/\| d +\| 3\.00 \(3\.00–3\.00\) +\| 3\.00 · 1\.50 +\| 333 /);
  expect(tables).toContain('absent: pgloader is not installed');
  expect(tables).toContain('VOID: c-d. d moved 1 row too few.');
});

test('memory lanes show what was taken in each quarter of the time', () => {
  const tables = resultTables(result({ ...lane('memory', series('d', false, 3)), type: 'memory' }));
  expect(tables).toContain('50, 80, 100, 90');
});

test('the chart has a point for each ratio, curves of memory, and no sign that XML does not take', () => {
  const memory = { ...lane('memory-x', series('d', false, 3)), type: 'memory' as const };
  const svg = resultChart(result(lane('a-b', series('<p> & q', true, 1, 2), series('d', false, 3, 3)), memory));
  expect(svg.match(/<circle/g)).toHaveLength(1);
  expect(svg).toContain('d ÷ &lt;p> &amp; q');
  expect(svg).toContain('Resident memory');
  expect(svg.match(/<svg/g)).toHaveLength(svg.match(/<\/svg>/g)!.length);
});
