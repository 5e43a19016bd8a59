import type { End, TransformerEnd } from '../job/load-job.ts';
import {
  type Cell,
  DrayError,
  defineReader,
  type Guarantee,
  type PluginContext,
  type ReaderPlugin,
  type Schema,
  type WriteIntent,
  type WriterPlugin,
  z,
} from '../sdk/index.ts';
import { runTask } from '../task/run-task.ts';
import type { DirtyRecord, TaskCounters } from '../task/spec.ts';
import { RateLimit } from '../transport/rate-limit.ts';
import { deliveredBy } from './delivered.ts';
import { batchLimits } from './limits.ts';

/** Rows that dray has itself, and where they go. */
export interface Move {
  readonly rows: readonly (readonly Cell[])[];
  readonly schema: Schema;
  /** What is done to the rows on their way; absent: nothing. */
  readonly transformers?: readonly TransformerEnd[];
  readonly writer: End<WriterPlugin>;
  /** Number of the task, unique in the run. */
  readonly task: number;
  readonly attempt: number;
  readonly guarantee: Guarantee;
  readonly mode: WriteIntent['mode'];
  readonly context: PluginContext;
  /** Told which rows were refused, before the others are committed. */
  readonly beforeCommit?: (refused: readonly DirtyRecord[]) => Promise<void>;
}

const noReader = { kind: 'reader', name: 'memory', module: 'memory:', exportName: 'default', isBuiltIn: true } as const;

/** Writes rows as one task, in this thread: all of them but those that are filtered, or that a transformer or the target refuses. @throws DrayError with everything undone */
export async function moveRows(move: Move): Promise<{ counters: Readonly<TaskCounters>; refused: readonly DirtyRecord[] }> {
  const { writer: end, schema, transformers = [], context, guarantee, mode, task: id, attempt } = move;
  const delivered = await deliveredBy(transformers, schema, context);
  const writer = await end.plugin.open(end.options, context);
  const refused: DirtyRecord[] = [];
  const rate = new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 });
  try {
    const intent: WriteIntent = { guarantee, mode };
    const target = (await writer.prepare?.(delivered, intent)) ?? (await writer.inspect(delivered));
    const outcome = await runTask(
      {
        ...{ run: context.run, job: context.job, id, attempt, guarantee, content: 0, source: schema, delivered, target },
        ...{ reader: { plugin: noReader, options: {} }, writer: { plugin: end.ref, options: end.options } },
        flows: [],
        transformers: transformers.map(({ ref, options }) => ({ plugin: ref, options })),
        split: { name: 'rows' },
        batch: batchLimits({ bytesPerSecond: 0, recordsPerSecond: 0 }, 1),
        channel: { maxBytes: 4 << 20, maxBatches: 4 },
        rates: rate.rates,
        rateClocks: rate.shared,
        maxDirtyRecords: null,
        dirtyCount: new SharedArrayBuffer(4),
      },
      { reader: readerOf(move), writer: end.plugin, transformers: transformers.map(({ plugin }) => plugin) },
      {
        progress: () => undefined,
        dirty: (record) => refused.push(record),
        mayCommit: async () => move.beforeCommit?.(refused),
        warn: context.warn,
        print: context.print,
      },
      context.signal,
    );
    if (outcome.state === 'failed') {
      await writer.discard?.();
      throw DrayError.fromWire(outcome.error);
    }
    await writer.publish?.([outcome.commit], intent);
    return { counters: outcome.counters, refused };
  } finally {
    await writer.close?.();
  }
}

function readerOf({ rows, schema }: Move): ReaderPlugin {
  return defineReader({
    name: 'memory',
    summary: 'Rows that dray has itself',
    options: z.strictObject({}),
    open: () => ({
      schema: () => schema,
      async read(_split, out) {
        for (const row of rows) if (!out.push(row)) await out.drain();
      },
    }),
  });
}
