import { expect, test } from 'vitest';
import { Connections } from '../../../plugins/_sql/connections.ts';

function numbered() {
  const events: string[] = [];
  const connections = new Connections<string, number>(
    async (connection, signal) => {
      events.push(`open ${connection}`);
      signal.addEventListener('abort', () => events.push(`end ${connection}: ${(signal.reason as Error).message}`));
      await new Promise(setImmediate);
      if (connection === 9) throw new Error('nobody there');
      return `session ${connection}`;
    },
    async (session) => {
      events.push(`close ${session}`);
    },
  );
  return { connections, events };
}

test('a connection is opened when it is first asked for, and only once, however many ask', async () => {
  const { connections, events } = numbered();
  expect(events).toEqual([]);
  expect(await Promise.all([connections.get(1), connections.get(1), connections.get(0)])).toEqual(['session 1', 'session 1', 'session 0']);
  expect(await connections.get(1)).toBe('session 1');
  expect(events).toEqual(['open 1', 'open 0']);
});

test('all that were opened are closed, also one that is still being opened, and one that failed does not get in the way', async () => {
  const { connections, events } = numbered();
  await connections.get(0);
  await expect(connections.get(9)).rejects.toThrow('nobody there');
  const opening = connections.get(2);
  await connections.closeAll();
  await opening;
  expect(events).toEqual(['open 0', 'open 9', 'open 2', 'close session 0', 'close session 2']);
});

test('one that is dropped is ended, not closed, and the next that asks gets another one', async () => {
  const { connections, events } = numbered();
  await connections.get(1);
  connections.drop(1, new Error('cancelled'));
  connections.drop(1, new Error('twice'));
  connections.drop(2, new Error('never opened'));
  await connections.get(1);
  await connections.closeAll();
  expect(events).toEqual(['open 1', 'end 1: cancelled', 'open 1', 'close session 1']);
});

test('those that were asked for longest ago are closed when only so many are kept', async () => {
  const closed: string[] = [];
  const connections = new Connections<string>(
    async (key) => key,
    async (open) => {
      closed.push(open);
    },
  );
  for (const key of ['a', 'b', 'c', 'a']) await connections.get(key);
  await connections.keep(2);
  expect(closed).toEqual(['b']);
  await connections.closeBeyond(2, 'c');
  expect(closed).toEqual(['b']);
  await connections.closeBeyond(1, 'c');
  await connections.closeAll();
  expect(closed).toEqual(['b', 'c', 'a']);
});
