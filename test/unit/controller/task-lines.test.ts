import { expect, test } from 'vitest';
import { taskLines } from '../../../core/controller/task-lines.ts';

const content = { job: 'run/0', priority: 5, pool: 'p', firstRound: 4, maxRunning: 3 };
const task = (id: number, resources: string[], isCuttable = false, isLast = false) => ({ id, weightMs: 10, resources, isCuttable, isLast });

test('tasks of one server stand in one line, with a width of its own', () => {
  const { lines, sharedWidth } = taskLines(content, [task(0, ['a', 't']), task(1, ['t', 'a'], true)]);
  expect(sharedWidth).toBeUndefined();
  const tasks = [0, 1].map((id) => ({ id, weightMs: 10 }));
  expect(lines).toEqual([{ ...content, resources: ['a', 't'], isCuttable: true, tasks }]);
});

test('tasks of several servers stand in a line for each set of them, which share width and weight', () => {
  const tasks = [task(0, ['a', 't']), task(1, ['b', 't'], true), task(2, ['a', 't']), task(3, ['a', 'b', 't'])];
  const { lines, sharedWidth } = taskLines(content, tasks);
  expect(sharedWidth).toBe('width of run/0');
  const told = lines.map(({ job, resources, isCuttable, tasks: own }) => [job, resources, isCuttable, own.map(({ id }) => id)]);
  expect(told).toEqual([
    ['run/0', ['a', 't', sharedWidth], false, [0, 2]],
    ['run/0/1', ['b', 't', sharedWidth], true, [1]],
    ['run/0/2', ['a', 'b', 't', sharedWidth], false, [3]],
  ]);
  for (const line of lines) {
    expect(line).toMatchObject({ priority: 5, pool: 'p', firstRound: 0, maxRunning: 3 });
    for (const { weightMs } of line.tasks) expect(weightMs).toBe(30);
  }
});

test('tasks without servers stand in one line', () => {
  expect(taskLines(content, [task(0, []), task(1, [])]).lines).toHaveLength(1);
});

test('what is to be read last is kept back until all others have started', () => {
  const tasks = [task(0, ['a']), task(1, ['b']), task(2, ['a', 'b'], false, true)];
  const { lines, end } = taskLines(content, tasks);
  expect(end).toEqual({ gate: 'end of run/0', after: [0, 1] });
  expect(lines.map(({ resources }) => resources.includes(end!.gate))).toEqual([false, false, true]);
  // In one line it comes last as it is; and alone there is nothing to wait for.
  expect(taskLines(content, [task(0, ['a']), task(1, ['a'], false, true)])).toMatchObject({
    end: undefined,
    lines: [{ tasks: [{ id: 0 }, { id: 1 }] }],
  });
  expect(taskLines(content, [task(0, ['a'], false, true), task(1, ['b'], false, true)]).end).toBeUndefined();
});
