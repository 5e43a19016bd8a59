import { expect, onTestFinished, test } from 'vitest';
import { Dispatcher } from '../../../core/controller/dispatcher.ts';
import { until } from '../../support/until.ts';

test('with fewer slots the next tasks of every pool wait, and with more they start', async () => {
  const dispatcher = new Dispatcher({ default: 2, night: 2 });
  onTestFinished(() => dispatcher.close());
  const started: string[] = [];
  const tasks = [0, 1, 2].map((id) => ({ id, weightMs: 1 }));
  dispatcher.setSlots({ default: 1, night: 1 }, 4);
  for (const pool of ['default', 'night']) {
    const facts = { job: pool, priority: 5, pool, resources: [], firstRound: 2, maxRunning: 3, tasks };
    dispatcher.submit(facts, { start: (task) => started.push(`${pool} ${task}`) });
  }
  const starts = (...wanted: string[]) => until('they start', 5000, async () => expect([...started].sort()).toEqual(wanted));
  await starts('default 0', 'night 0');
  dispatcher.tell({ type: 'ended', job: 'night', task: 0 });
  await starts('default 0', 'night 0', 'night 1');
  dispatcher.setSlots({ default: 2, night: 1 }, 4);
  await starts('default 0', 'default 1', 'night 0', 'night 1');
  dispatcher.setSlots({ default: 2, night: 2 }, 4);
  await starts('default 0', 'default 1', 'night 0', 'night 1', 'night 2');
});
