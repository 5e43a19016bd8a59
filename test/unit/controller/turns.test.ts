import { expect, onTestFinished, test } from 'vitest';
import { Dispatcher } from '../../../core/controller/dispatcher.ts';
import { taskLines } from '../../../core/controller/task-lines.ts';
import { type CutRequest, Turns } from '../../../core/controller/turns.ts';
import { until } from '../../support/until.ts';

const content = { job: 'run/0', priority: 5, pool: 'p', firstRound: 4, maxRunning: 4 };

/** Two tasks that read from the server `a`, and one that reads from `b`; what starts stands in `started`. */
function threeTasks(slots: number) {
  const dispatcher = new Dispatcher({ p: slots });
  onTestFinished(() => dispatcher.close());
  const task = (id: number, server: string) => ({ id, weightMs: 1, resources: [server], isCuttable: server === 'a', isLast: false });
  const turns = new Turns(dispatcher, taskLines(content, [task(0, 'a'), task(1, 'a'), task(2, 'b')]));
  const started: number[] = [];
  const requests: CutRequest[] = [];
  turns.onCut = (request) => requests.push(request);
  const taken = (async () => {
    for (let turn = await turns.next(); turn !== undefined; turn = await turns.next()) started.push(turn.task);
  })();
  onTestFinished(async () => {
    turns.close();
    await taken;
  });
  const starts = (...wanted: number[]) =>
    until(`${wanted.join(' ')} have started`, 5000, async () => expect([...started].sort((a, b) => a - b)).toEqual(wanted));
  return { dispatcher, turns, started, requests, starts };
}

test('an idle slot is given the rest of a task of that line which it asks, and what is cut off counts at its servers', async () => {
  const { dispatcher, turns, requests, starts } = threeTasks(4);
  await starts(0, 1, 2);
  await until('it is asked for', 5000, async () => expect(requests).toHaveLength(1));
  const [request] = requests as [CutRequest];
  expect([0, 1, 2].map((task) => request.isFor(task))).toEqual([true, true, false]);
  dispatcher.tell({ type: 'limit', resource: 'a', maxRunning: 2 });
  turns.add({ id: 9, weightMs: 1 }, 1);
  turns.ended(2);
  await until('the line of b is over', 5000, async () => expect(dispatcher.look('run/0/1')).toBeUndefined());
  expect(dispatcher.look('run/0')).toMatchObject({ running: 2, waiting: 1 });
  turns.ended(0);
  await starts(0, 1, 2, 9);
  expect(request.isFor(9)).toBe(true);
});

test('a width holds for all lines together, also one that is changed', async () => {
  const { dispatcher, turns, started, starts } = threeTasks(4);
  await starts(0, 1, 2);
  turns.setWidth(1);
  turns.again(0, 0);
  turns.again(1, 0);
  await until('two wait', 5000, async () => expect(dispatcher.look('run/0')).toMatchObject({ running: 0, waiting: 2 }));
  turns.ended(2);
  await until('the next one has started', 5000, async () => expect(started).toHaveLength(4));
  expect(dispatcher.look('run/0')).toMatchObject({ running: 1, waiting: 1 });
  turns.setWidth(2);
  await until('both run', 5000, async () => expect(dispatcher.look('run/0')).toMatchObject({ running: 2, waiting: 0 }));
});
