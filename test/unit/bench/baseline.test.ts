import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBaseline, verdictsOf, writeBaseline } from '../../../benchmarks/baseline.ts';
import { gate } from '../../../benchmarks/gate.ts';
import { allLanes } from '../../../benchmarks/lanes.ts';
import { ratiosOf } from '../../../core/bench/ratios.ts';
import type { LaneResult } from '../../../core/bench/results.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { lane, result, series } from './results.ts';

const size = { rows: 1000, channels: [1, 2] };
/** A lane in which dray takes so many times the seconds of psql. */
const laneOf = (ratio: number, name = 'a-b') => lane(name, series('psql', true, 1), series('dray', false, ratio));

test('a baseline keeps the lanes that were not run, and nothing of void ones', async () => {
  const path = join(tempFolder(), 'baseline.json');
  await writeBaseline(path, result(laneOf(1.23456), laneOf(2, 'c-d')), size);
  const isVoid = { ...laneOf(9, 'c-d'), failure: 'dray failed.' };
  await writeBaseline(path, result(laneOf(1.5), isVoid), { ...size, rows: 2000 });
  const { lanes } = await readBaseline(path);
  expect(lanes['a-b']).toMatchObject({ rows: 2000, channels: [1, 2], ratios: { dray: { psql: 1.5 } } });
  expect(lanes['c-d']).toMatchObject({ rows: 1000, ratios: { dray: { psql: 2 } } });
});

test('a missing baseline, and a file that is none, are told in a sentence', async () => {
  const path = join(tempFolder(), 'baseline.json');
  await expect(readBaseline(path)).rejects.toThrow(/--write-baseline/);
  writeFileSync(path, '{}');
  await expect(readBaseline(path)).rejects.toThrow(/is no baseline/);
});

test('the baseline of the repository has lanes that there are', async () => {
  const { lanes } = await readBaseline(join(import.meta.dirname, '..', '..', '..', 'benchmarks', 'baseline.json'));
  const names = allLanes.map(({ name }) => name);
  expect(Object.keys(lanes).length).toBeGreaterThan(0);
  expect(Object.keys(lanes).filter((name) => !names.includes(name))).toEqual([]);
});

test.each([
  [1.0, false],
  [1.14, false],
  [1.16, true],
])('beside a baseline of 1.00 a ratio of %s is worse: %s', (is, isWorse) => {
  const baseline = { measured: '', cpu: '', load: 0, ...size, ratios: { dray: { psql: 1, pgloader: 0.5 } } };
  expect(verdictsOf(baseline, ratiosOf(laneOf(is)))).toEqual([
    { command: 'dray', rival: 'psql', was: 1, is, isWorse },
    { command: 'dray', rival: 'pgloader', was: 0.5, is: undefined, isWorse: false },
  ]);
});

describe('the gate', () => {
  const baseline = { lanes: { 'a-b': { measured: '', cpu: '', load: 0, ...size, ratios: { dray: { psql: 1 } } } } };

  async function gated(...results: LaneResult[]) {
    const runs: number[] = [];
    const said: string[] = [];
    const next = results.values();
    const run = async (_lane: string, _size: unknown, count: number) => {
      runs.push(count);
      return next.next().value!;
    };
    const bad = await gate(baseline, ['a-b'], 5, run, (text) => void said.push(text));
    return { bad, runs, said };
  }

  test('lets a lane pass that is as good as it was', async () => {
    expect(await gated(laneOf(1.1))).toMatchObject({ bad: [], runs: [5] });
  });

  test('looks again with more runs before a lane is bad, and tells both', async () => {
    const { bad, runs, said } = await gated(laneOf(1.3), laneOf(1.05));
    expect({ bad, runs }).toEqual({ bad: [], runs: [5, 15] });
    expect(said.join('\n')).toMatch(/1\.30, baseline 1\.00, \+30 %, more than 15 % worse[\s\S]*1\.05, baseline 1\.00, \+5 %$/m);
  });

  test('fails a lane that is worse twice', async () => {
    expect(await gated(laneOf(1.3), laneOf(1.2))).toMatchObject({ bad: ['a-b'], runs: [5, 15] });
  });

  test('fails a void lane, and one whose rivals are gone', async () => {
    expect(await gated({ ...laneOf(1), failure: 'dray failed.' })).toMatchObject({ bad: ['a-b'], runs: [5] });
    const alone = lane('a-b', { ...series('psql', true), absent: 'absent: psql is not installed' }, series('dray', false, 1));
    expect(await gated(alone)).toMatchObject({ bad: ['a-b'], said: [expect.stringContaining('took no part'), expect.anything()] });
  });
});

test('what is written can be read by people: a line for each ratio', async () => {
  const path = join(tempFolder(), 'baseline.json');
  await writeBaseline(path, result(laneOf(1.5)), size);
  expect(readFileSync(path, 'utf8')).toMatch(/^ +"psql": 1\.5$/m);
  expect(readFileSync(path, 'utf8')).toMatch(/^ +"channels": \[1, 2\],$/m);
});
