import { expect, test } from 'vitest';
import { controlled } from '../../support/controlled.ts';
import { until } from '../../support/until.ts';

/** Those that are planned at once, and runs of one priority that are at work at once: see controller.ts. */
const mostAtWork = 8;

test('a run that waits to be planned is planned before others once its priority is raised', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  const first = await Promise.all(['a', 'b', 'c', 'd'].map((name) => submit(name, { holds: 'planning' })));
  const planned = await until('as many are planned as may be', 10_000, async () => {
    const waiting = first.filter(({ handle }) => handle.queuedFor === 'plan').length;
    expect(opened.length + waiting).toBe(4);
    return opened.length;
  });
  const ordinary = await submit('ordinary', {});
  const raised = await submit('raised', {});
  await waitsFor(ordinary.handle, 'plan');
  await waitsFor(raised.handle, 'plan');
  expect(raised.handle.slots).toEqual({ running: 0, waiting: 0, delayed: 0 });
  raised.handle.setPriority(9);
  go(opened[0]!);
  await raised.done;
  expect(opened[planned]).toBe('raised');
  for (const name of ['a', 'b', 'c', 'd']) go(name);
  await Promise.all([ordinary.done, ...first.map(({ done }) => done)]);
});

test('a paused run that waits to be planned is planned when it goes on', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => submit(name, { holds: 'planning' })));
  const paused = await submit('paused', { priority: 9 });
  await waitsFor(paused.handle, 'plan');
  paused.handle.pause();
  const other = await submit('other', { priority: 8 });
  await waitsFor(other.handle, 'plan');
  for (const name of ['a', 'b', 'c', 'd']) go(name);
  await other.done;
  expect(opened).not.toContain('paused');
  expect(paused.handle.queuedFor).toBe('plan');
  paused.handle.unpause();
  expect((await paused.done).state).toBe('done');
});

test('a run that waits to begin stands in the line of its new priority', async () => {
  const { submit, go, waitsFor } = controlled();
  const names = Array.from({ length: mostAtWork }, (_, number) => `work ${number}`);
  const atWork = await Promise.all(names.map((name) => submit(name, { holds: 'writing' })));
  for (const { handle } of atWork) await waitsFor(handle, undefined);
  const staying = await submit('staying', {});
  const lowered = await submit('lowered', {});
  await waitsFor(staying.handle, 'open');
  await waitsFor(lowered.handle, 'open');
  // Of priority 4 none is at work.
  lowered.handle.setPriority(4);
  await waitsFor(lowered.handle, undefined);
  await waitsFor(staying.handle, 'open');
  for (const name of names) go(name);
  for (const { done } of [...atWork, staying, lowered]) expect((await done).state).toBe('done');
});

test('a run that is paused while it waits to begin does not begin with another priority either', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  const names = Array.from({ length: mostAtWork }, (_, number) => `work ${number}`);
  const atWork = await Promise.all(names.map((name) => submit(name, { holds: 'writing' })));
  for (const { handle } of atWork) await waitsFor(handle, undefined);
  const paused = await submit('paused', {});
  await waitsFor(paused.handle, 'open');
  paused.handle.pause();
  paused.handle.setPriority(9);
  const other = await submit('other', { priority: 9 });
  await other.done;
  expect(opened).not.toContain('paused');
  paused.handle.unpause();
  expect((await paused.done).state).toBe('done');
  for (const name of names) go(name);
});
