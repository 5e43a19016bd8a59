import { expect, test } from 'vitest';
import {
  type Cell,
  DrayError,
  defineTransformer,
  type ReaderPlugin,
  type Schema,
  type Transformer,
  type WriterPlugin,
  z,
} from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import type { TaskSpec } from '../../../core/task/spec.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { countingReader, fakeReader, fakeTask, fakeWriter, listening } from '../../support/fake-plugins.ts';

const ref = { kind: 'transformer', name: 'fake', module: 'memory:fake', exportName: 'default', isBuiltIn: false } as const;

async function run(
  reader: ReaderPlugin,
  writer: WriterPlugin,
  open: (schema: Schema) => Transformer,
  facts: Partial<TaskSpec> = {},
  cancel = new AbortController(),
) {
  const { heard, listener } = listening();
  const transformer = defineTransformer({
    name: 'fake',
    summary: '',
    options: z.strictObject({}),
    open: (_options, schema) => open(schema),
  });
  const spec = fakeTask({ transformers: [{ plugin: ref, options: {} }], maxDirtyRecords: null, ...facts });
  const outcome = await runTask(spec, { reader, writer, transformers: [transformer] }, listener, cancel.signal);
  return { outcome, heard };
}

/** Doubles each number; drops multiples of 3 and refuses those that end with 5. */
const doubling = (): Transformer => ({
  changes: [0],
  row(cells) {
    const number = Number(cells[0]);
    if (number % 3 === 0) return false;
    if (number % 10 === 5) throw new DrayError('ROW_REJECTED', 'a five', { column: 'c0' });
    cells[0] = String(2 * number);
    return true;
  },
});

test('every row that was read is written, filtered or dirty, and dirty rows are told as they were read', async () => {
  const writer = fakeWriter({ refuses: ([cell]) => cell === '34' });
  const { outcome, heard } = await run(countingReader(30).plugin, writer.plugin, doubling);
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: 30, rowsFiltered: 10, rowsDirty: 3, rowsWritten: 17 } });
  expect(writer.committed.slice(0, 4)).toEqual([['2'], ['4'], ['8'], ['14']]);
  const five = { side: 'transformer', task: 0, split: 'all', cause: 'transformer 1 (fake): a five', column: 'c0' };
  expect(heard.dirty.toSorted((a, b) => a.row - b.row)).toEqual([
    { ...five, row: 6, cells: ['5'] },
    { side: 'target', task: 0, split: 'all', row: 18, cause: 'the target does not want it', cells: ['17'] },
    { ...five, row: 26, cells: ['25'] },
  ]);
});

test('a row that does not fit the target behind the transformers is told as it was read', async () => {
  const schema: Schema = { columns: [{ name: 'short', type: 'string', isNullable: true, length: 1 }] };
  const writer = fakeWriter({ schema });
  const { heard, outcome } = await run(countingReader(8).plugin, writer.plugin, doubling, { target: { schema } });
  expect(heard.dirty).toContainEqual({
    ...{ side: 'target', task: 0, split: 'all', row: 8, column: 'short' },
    ...{ cause: 'more than 1 characters', cells: ['7'] },
  });
  expect(outcome.counters).toMatchObject({ rowsRead: 8, rowsWritten: 3, rowsFiltered: 3, rowsDirty: 2 });
});

test('rows that the source itself rejects shift no numbers', async () => {
  const reader = fakeReader({
    async read(_split, out) {
      for (let row = 0; row < 30; row++) {
        if (row === 2) out.reject(new DrayError('ROW_REJECTED', 'no record'));
        if (!out.push([String(row)])) await out.drain();
      }
    },
  });
  const { heard } = await run(reader.plugin, fakeWriter().plugin, doubling);
  expect(heard.dirty.filter(({ side }) => side === 'transformer').map(({ row, cells }) => [row, cells])).toEqual([
    [6, ['5']],
    [26, ['25']],
  ]);
});

test('in a pack of splits each dirty row is told with its own', async () => {
  const members = [{ name: 'one' }, { name: 'two' }];
  const { heard } = await run(countingReader(8).plugin, fakeWriter().plugin, doubling, { split: { name: 'pack', members } });
  expect(heard.dirty.map(({ split, row }) => [split, row])).toEqual([
    ['one', 6],
    ['two', 6],
  ]);
});

test('the writer gets the columns behind the transformers', async () => {
  const seen: Schema[] = [];
  const writer = fakeWriter({ schema: textSchema(1) });
  const watching: WriterPlugin = {
    ...writer.plugin,
    async open(options, context) {
      const open = await writer.plugin.open(options, context);
      return {
        ...open,
        openTask: (task) => {
          seen.push(task.source);
          return open.openTask(task);
        },
      };
    },
  };
  const reader = fakeReader({
    schema: textSchema(2),
    async read(_split, out) {
      out.push(['a', 'b']);
    },
  });
  const last = ({ columns }: Schema): Transformer => ({ output: [{ column: columns[1]!, from: 1 }] });
  const delivered: Schema = { columns: [textSchema(2).columns[1]!] };
  await run(reader.plugin, watching, last, { source: textSchema(2), delivered });
  expect(writer.committed).toEqual([['b']]);
  expect(seen).toEqual([delivered]);
});

test('a task all of whose rows are filtered commits none, and stops when it is told to', async () => {
  const writer = fakeWriter();
  const { outcome } = await run(countingReader(50).plugin, writer.plugin, () => ({ reads: [0], row: () => false }));
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsRead: 50, rowsFiltered: 50, rowsWritten: 0 } });
  const cancel = new AbortController();
  const endless = fakeReader({
    async read(_split, out) {
      for (;;) if (!out.push(['x'])) await out.drain();
    },
  });
  let rows = 0;
  const stopping = (): Transformer => ({
    reads: [0],
    row: () => {
      if (++rows === 100_000) cancel.abort(new DrayError('CANCELLED', 'stop'));
      return false;
    },
  });
  expect((await run(endless.plugin, writer.plugin, stopping, {}, cancel)).outcome).toMatchObject({
    state: 'failed',
    error: { code: 'CANCELLED' },
  });
});

test('a transformer that fails as a whole fails the task, undoes it, and is closed', async () => {
  const events: string[] = [];
  const failing = (): Transformer => ({
    reads: [0],
    row: () => {
      throw new DrayError('CODE_FAILED', 'no more time');
    },
    close: () => void events.push('closed'),
  });
  const writer = fakeWriter();
  const { outcome } = await run(countingReader(5).plugin, writer.plugin, failing);
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'CODE_FAILED', message: 'no more time' } });
  expect([...events, ...writer.events]).toEqual(['closed', 'abort 0', 'close']);
});

test('too many rows that a transformer refuses end the task', async () => {
  const refusing = (): Transformer => ({
    reads: [0],
    row: (_cells: Cell[]) => {
      throw new Error('never');
    },
  });
  const { outcome } = await run(countingReader(5).plugin, fakeWriter().plugin, refusing, { maxDirtyRecords: 2 });
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' } });
});
