import { expect, test } from 'vitest';
import { logEntries } from '../../../core/cli/log-entries.ts';
import type { StoredEvent } from '../../../core/ledger/events.ts';

const at = '2026-11-21T03:04:05.000Z';
const source = { columns: [] };

test('a journal is told in sentences with times, and tasks by their splits', () => {
  const events: StoredEvent[] = [
    {
      ...{ type: 'begun', run: 'r', job: 'orders', file: '/jobs/orders.json', digest: '', parameters: {}, secretParameters: [], at },
      ...{ guarantee: 'exactly-once', channels: 2 },
    },
    {
      ...{ type: 'planned', content: 0, reader: 'mysql', writer: 'postgres', source, firstTask: 4, guarantee: 'exactly-once', ms: 1 },
      splits: [{ name: 'id < 5' }, { name: 'id >= 5' }],
    },
    { type: 'started', task: 5, attempt: 1, why: 'thread 2: waited 0.1 s, priority 5' },
    { type: 'committing', task: 5, attempt: 1 },
    { type: 'failed', task: 5, attempt: 1, code: 'CONFLICT', message: 'a deadlock' },
    { type: 'committing', task: 5, attempt: 2 },
    { type: 'committing', task: 4, attempt: 1 },
    { type: 'committed', task: 4, attempt: 1, commit: null, tally: { rowsWritten: 1234 } },
    { type: 'ended', state: 'failed', at, rows: { written: 1234 }, error: { code: 'CONNECTION_LOST', message: 'gone' } },
  ];
  expect(logEntries(events)).toEqual([
    { at, type: 'begun', message: 'begun: /jobs/orders.json, exactly-once' },
    { at: '1970-01-01T00:00:00.001Z', type: 'planned', message: 'content 1: mysql → postgres, cut into 2 tasks, exactly-once' },
    { type: 'started', task: 5, attempt: 1, message: 'task 5 (id >= 5) started, attempt 1, thread 2: waited 0.1 s, priority 5' },
    { type: 'failed', task: 5, attempt: 1, message: 'task 5 (id >= 5) failed, attempt 1, CONFLICT: a deadlock' },
    { type: 'committing', task: 5, attempt: 2, message: 'task 5 (id >= 5) was about to commit, and nothing is known of the outcome' },
    { type: 'committed', task: 4, attempt: 1, message: 'task 4 (id < 5) committed 1,234 rows' },
    { at, type: 'ended', message: 'failed, 1,234 rows written, CONNECTION_LOST: gone' },
  ]);
});
