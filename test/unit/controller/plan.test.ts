import { afterEach, describe, expect, test, vi } from 'vitest';
import { closePlan, inspectTarget, openPlan, type PlanOptions, planContent, prepareTarget } from '../../../core/controller/plan.ts';
import type { Content } from '../../../core/job/load-job.ts';
import {
  DrayError,
  defineReader,
  type KeySource,
  type Reader,
  type ReaderPlugin,
  type Split,
  type SplitKey,
  type WriterPlugin,
  z,
} from '../../../core/sdk/index.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { fakeJob, fakeReader, fakeWriter } from '../../support/fake-plugins.ts';

afterEach(() => void vi.useRealTimers());

const MiB = 1 << 20;
const key: SplitKey = { columns: ['id'], kind: 'integer', origin: 'primary', isNullable: false, isIndexed: true };
const big: Split = { name: 'orders', part: 'orders', estimatedRows: 1_000_000, estimatedBytes: 127 * MiB, keys: [key] };
const keySource: KeySource = {
  points: async () => ({ method: 'histogram', points: Array.from({ length: 100 }, (_, at) => ({ value: [`${at}`], rows: 10_000 })) }),
};

/** A reader plugin whose reader does what a test says, and notes what it was asked for. */
function plannedReader(facts: Partial<Reader>) {
  const events: string[] = [];
  const plugin: ReaderPlugin = defineReader({
    name: 'planned',
    summary: 'Is only planned',
    options: z.strictObject({}),
    open: (): Reader => ({
      schema() {
        events.push('schema');
        return textSchema(1);
      },
      read: async () => {
        events.push('read');
      },
      ...facts,
      async close() {
        events.push('close');
      },
    }),
  });
  return { plugin, events };
}

function contentOf(reader: ReaderPlugin, writer: WriterPlugin = fakeWriter().plugin): Content {
  return fakeJob(reader, writer).contents[0]!;
}

/** Options of one channel; and what was said. */
function listening(facts: Partial<PlanOptions> = {}, cancel = new AbortController()) {
  const notes: string[] = [];
  const options: PlanOptions = {
    channels: 1,
    mayBeFewer: false,
    splitBytes: undefined,
    context: { run: 'test', job: 'test', warn: () => undefined, print: () => undefined, signal: cancel.signal },
    note: (message) => notes.push(message),
    planning: () => undefined,
    ...facts,
  };
  return { options, notes };
}

describe('the plan of a content', () => {
  test('has the columns of the source and its splits; the reader stays open, and nothing is read', async () => {
    const { plugin, events } = plannedReader({ split: () => [big], openKey: async () => keySource });
    const plan = await planContent(contentOf(plugin), listening().options);
    expect(plan.source).toEqual(textSchema(1));
    expect(plan.splits.map(({ name }) => name)).toEqual(['orders id < 50', 'orders id >= 50']);
    expect(plan.parts).toMatchObject([{ name: 'orders', method: 'histogram', splits: 2 }]);
    expect([plan.estimatedRows, plan.estimatedBytes]).toEqual([1_000_000, 127 * MiB]);
    expect(events).toEqual(['schema']);
    await closePlan(plan);
    expect(events).toEqual(['schema', 'close']);
  });

  test('of a reader that does not split is one split', async () => {
    const { plugin } = plannedReader({});
    const plan = await planContent(contentOf(plugin), listening().options);
    expect(plan.splits).toEqual([{ name: 'all' }]);
  });

  test('is made for as many channels as there are, which the reader is told, too', async () => {
    const asked: object[] = [];
    const split = (facts: object) => {
      asked.push(facts);
      return [big];
    };
    const { plugin } = plannedReader({ split, openKey: async () => keySource });
    const plan = await planContent(contentOf(plugin), listening({ channels: 4 }).options);
    expect(asked).toMatchObject([{ channels: 4 }]);
    expect(plan.splits).toHaveLength(16);
  });

  test.each([
    ['what all threads move within a second is one task', 39, undefined, 1],
    ['what two of three threads have a second of is made for two', 119, undefined, 8],
    ['where nobody has measured, a thread is thought to move 40 MB a second', 120, undefined, 12],
    ['what a thread is known to need long for is made for all', 39, 10e6, 12],
    ['what a thread is known to be done with at once is one task', 119, 120e6, 1],
  ])(
    'leaves out channels that are not worth their start, if nobody has asked for them: %s',
    async (_, megabytes, bytesPerSecond, tasks) => {
      const part = { ...big, estimatedRows: megabytes * 10_000, estimatedBytes: megabytes * 1e6 };
      const { plugin } = plannedReader({ split: () => [part], openKey: async () => keySource });
      const facts = { channels: 3, bytesPerSecond, splitBytes: 1024 * MiB };
      const plan = (mayBeFewer: boolean) => planContent(contentOf(plugin), listening({ ...facts, mayBeFewer }).options);
      expect((await plan(true)).splits).toHaveLength(tasks);
      expect((await plan(false)).splits).toHaveLength(12);
    },
  );

  test('is made for the bytes that the job file asks for', async () => {
    const { plugin } = plannedReader({ split: () => [big], openKey: async () => keySource });
    expect((await planContent(contentOf(plugin), listening({ splitBytes: 16 * MiB }).options)).splits).toHaveLength(8);
  });

  test('says at once what it is about to do that takes long', async () => {
    const { options, notes } = listening();
    const scan: KeySource['scan'] = async () => {
      expect(notes).toEqual([expect.stringContaining('planning reads orders once')]);
      return { method: 'scan', points: [{ value: ['1'], rows: 1 }] };
    };
    const { plugin } = plannedReader({ split: () => [big], openKey: async () => ({ scan }) });
    const { parts } = await planContent(contentOf(plugin), options);
    expect(notes).toHaveLength(1);
    expect(parts[0]!.method).toBe('whole');
  });
});

describe.each<[string, Partial<Reader>]>([
  ['describes its columns', { schema: () => Promise.reject(new DrayError('TABLE_MISSING', 'no table orders')) }],
  ['lists its splits', { split: () => Promise.reject(new DrayError('TABLE_MISSING', 'no table orders')) }],
  [
    'looks where to cut',
    {
      split: () => [big],
      openKey: async () => ({ points: () => Promise.reject(new DrayError('TABLE_MISSING', 'no table orders')) }),
    },
  ],
])('a reader that fails while it %s', (_, facts) => {
  test('fails the plan as the source, and is closed', async () => {
    const { plugin, events } = plannedReader(facts);
    await expect(planContent(contentOf(plugin), listening().options)).rejects.toMatchObject({ code: 'TABLE_MISSING', side: 'source' });
    expect(events.at(-1)).toBe('close');
  });
});

test('a source without columns is refused', async () => {
  const { plugin, events } = plannedReader({ schema: () => ({ columns: [] }) });
  await expect(planContent(contentOf(plugin), listening().options)).rejects.toMatchObject({ code: 'COLUMN_MISSING', side: 'source' });
  expect(events).toEqual(['close']);
});

test('a source that never answers is given up some seconds after the run was cancelled', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const cancel = new AbortController();
  const { plugin, events } = plannedReader({ split: () => new Promise(() => undefined) });
  const planning = planContent(contentOf(plugin), listening({}, cancel).options);
  const ended = expect(planning).rejects.toMatchObject({ code: 'CANCELLED' });
  await vi.waitFor(() => expect(events).toEqual(['schema']));
  cancel.abort(new DrayError('CANCELLED', 'stopped'));
  await vi.advanceTimersByTimeAsync(2900);
  expect(events).toEqual(['schema']);
  await vi.advanceTimersByTimeAsync(100);
  await ended;
  expect(events).toEqual(['schema', 'close']);
});

describe('an open plan', () => {
  test('has the writer, and has said what is odd about the source', async () => {
    const { plugin } = plannedReader({ split: () => [{ ...big, estimatedBytes: 1000, notes: ['the statistics are old'] }] });
    const { options, notes } = listening();
    const writer = fakeWriter();
    const plan = await openPlan(contentOf(plugin, writer.plugin), options);
    expect(notes).toEqual(['the statistics are old']);
    expect(writer.events).toEqual([]);
    await closePlan(plan);
    expect(writer.events).toEqual(['close']);
  });

  test('whose target cannot be opened closes the reader', async () => {
    const { plugin, events } = plannedReader({});
    const writer = { ...fakeWriter().plugin, open: () => Promise.reject(new DrayError('CONNECT_FAILED', 'nobody there')) };
    await expect(openPlan(contentOf(plugin, writer), listening().options)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      side: 'target',
    });
    expect(events.at(-1)).toBe('close');
  });

  test('inspects the target without preparing it', async () => {
    const writer = fakeWriter();
    const plan = await openPlan(contentOf(fakeReader({}).plugin, writer.plugin), listening().options);
    expect(await inspectTarget(plan, new AbortController().signal)).toEqual({ schema: textSchema(1) });
    expect(writer.events).toEqual([]);
    await prepareTarget(plan, { guarantee: 'at-least-once', mode: 'run' }, new AbortController().signal);
    expect(writer.events).toEqual(['prepare']);
  });
});
