import { expect, test } from 'vitest';
import type { RunHandle } from '../../../core/controller/run-handle.ts';
import { controlled } from '../../support/controlled.ts';
import { until } from '../../support/until.ts';

const stands = (handle: RunHandle, slots: { running: number; waiting: number }) =>
  until(`it stands at ${JSON.stringify(slots)}`, 10_000, async () => expect(handle.slots).toMatchObject(slots));

test('a run that waits for a slot and is widened beyond its tasks makes no slots for others', async () => {
  const { submit, go } = controlled(1);
  const first = await submit('first', { holds: 'writing' });
  await stands(first.handle, { running: 1, waiting: 0 });
  const widened = await submit('widened', { holds: 'writing' });
  const other = await submit('other', {});
  await stands(widened.handle, { running: 0, waiting: 1 });
  await stands(other.handle, { running: 0, waiting: 1 });
  expect(widened.handle.setWidth(1000)).toBe(1000);
  go('first');
  await first.done;
  await stands(widened.handle, { running: 1, waiting: 0 });
  expect(widened.handle.width).toBe(1);
  expect(other.handle.slots).toMatchObject({ running: 0, waiting: 1 });
  go('widened');
  for (const { done } of [widened, other]) expect((await done).state).toBe('done');
});

test('a run that is widened while it publishes leaves no slots behind', async () => {
  const { submit, go, arrives } = controlled(1);
  const publishing = await submit('publishing', { holds: 'publishing' });
  await arrives('publishing');
  publishing.handle.setWidth(8);
  go('publishing');
  await publishing.done;
  const first = await submit('first', { holds: 'writing' });
  await stands(first.handle, { running: 1, waiting: 0 });
  const second = await submit('second', {});
  await stands(second.handle, { running: 0, waiting: 1 });
  go('first');
  for (const { done } of [first, second]) expect((await done).state).toBe('done');
});
