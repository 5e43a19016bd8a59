import { expect, test } from 'vitest';
import { unlessInstalled } from '../../../benchmarks/rivals/programs.ts';
import { type Contestant, type Course, runCourse } from '../../../core/bench/course.ts';

const command = (title: string, script: string, isRival: boolean): Contestant => ({
  title,
  isRival,
  command: { words: ['/bin/sh', '-c', script], env: {} },
});

async function run(contestants: readonly Contestant[], more: Partial<Course> = {}) {
  const steps: string[] = [];
  const course: Course = {
    ...{ lane: 'a-b', type: 'throughput', rows: 9, runs: 2, contestants },
    prepare: async () => void steps.push('prepare'),
    check: async () => void steps.push('check'),
    ...more,
  };
  const { signal } = new AbortController();
  return { steps, result: await runCourse(course, { signal, say: () => undefined }) };
}

test('commands take turns, with the table emptied before and looked at behind each', async () => {
  const { steps, result } = await run([command('psql', 'exit 0', true), command('dray', 'exit 0', false)]);
  expect(steps).toEqual(Array.from({ length: 4 }, () => ['prepare', 'check']).flat());
  expect(result).toMatchObject({
    series: [
      { title: 'psql', runs: [{}, {}] },
      { title: 'dray', runs: [{}, {}] },
    ],
  });
  expect(result.failure).toBeUndefined();
});

test('a rival that fails is out, and the others go on', async () => {
  const { result } = await run([command('psql', 'echo no table >&2; exit 3', true), command('dray', 'exit 0', false)]);
  expect(result.series[0]).toMatchObject({ runs: [], failure: 'psql failed. Exit code 3: no table' });
  expect(result.series[1]!.runs).toHaveLength(2);
  expect(result.failure).toBeUndefined();
});

test('wrong data of dray makes the lane void, in its first run', async () => {
  const check = async () => {
    throw new Error('moved 8 rows instead of 9');
  };
  const { result } = await run([{ ...command('psql', 'exit 0', true), check: async () => undefined }, command('dray', 'exit 0', false)], {
    check,
  });
  expect(result.failure).toBe('dray moved 8 rows instead of 9.');
  expect(result.series.map(({ runs }) => runs.length)).toEqual([1, 0]);
});

test('a rival that is not installed is reported, not run', async () => {
  const absent = { ...command('x', 'exit 1', true), ...unlessInstalled('sh', 'no-such-program-of-dray') };
  const { result } = await run([absent, command('dray', 'exit 0', false)]);
  expect(result.series[0]).toMatchObject({ runs: [], absent: 'absent: no-such-program-of-dray is not installed' });
  expect(result.series[0]!.failure).toBeUndefined();
});

test('CPU seconds and memory over time are those of the command and what it starts', async () => {
  const busy = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
  const { result } = await run([command('dray', `(${busy}) & (${busy}) & wait; sleep 0.3`, false)], { runs: 1 });
  const [measured] = result.series[0]!.runs;
  expect(measured!.cpuSeconds).toBeGreaterThan(0.05);
  expect(measured!.peakBytes).toBeGreaterThan(100_000);
  expect(measured!.memoryCurve.length).toBeGreaterThanOrEqual(2);
});
