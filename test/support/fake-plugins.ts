import type { RunListener } from '../../core/controller/run-job.ts';
import type { Job } from '../../core/job/load-job.ts';
import {
  type Cell,
  DrayError,
  defineReader,
  defineWriter,
  type ReaderPlugin,
  type RecordOutput,
  type Schema,
  type Split,
  type WriterPlugin,
  z,
} from '../../core/sdk/index.ts';
import type { DirtyRecord, TaskCounters, TaskListener, TaskSpec } from '../../core/task/spec.ts';
import { textSchema } from './arbitraries.ts';

/* Real plugins, tiny ones: they live in memory and fail where a test asks them to. */

export interface FakeReaderOptions {
  readonly schema?: Schema;
  readonly splits?: readonly Split[];
  readonly read?: (split: Split, out: RecordOutput, signal: AbortSignal) => Promise<void>;
}

export function fakeReader({ schema = textSchema(1), splits, read }: FakeReaderOptions) {
  const events: string[] = [];
  const plugin: ReaderPlugin = defineReader({
    name: 'fake',
    summary: 'Rows from memory',
    options: z.strictObject({}),
    open: () => ({
      schema: () => schema,
      ...(splits === undefined ? {} : { split: () => [...splits] }),
      async read(split, out, signal) {
        events.push(`read ${split.name}`);
        await read?.(split, out, signal);
      },
      async close() {
        events.push('close');
      },
    }),
  });
  return { plugin, events };
}

/** A reader of one column whose cells are the numbers from 0. */
export function countingReader(rowCount: number, splits?: readonly Split[]) {
  return fakeReader({ ...(splits === undefined ? {} : { splits }), read: (_split, out) => pushRows(out, rowCount) });
}

export async function pushRows(out: RecordOutput, rowCount: number): Promise<void> {
  for (let row = 0; row < rowCount; row++) if (!out.push([String(row)])) await out.drain();
}

export interface FakeWriterOptions {
  readonly schema?: Schema;
  /** Rows the target refuses. */
  readonly refuses?: (row: readonly Cell[]) => boolean;
  /** Called before each write, and may throw or never return. */
  readonly beforeWrite?: (task: number) => Promise<void> | void;
  /** Told how many rows each write has. */
  readonly onWrite?: (rows: number) => void;
  readonly beforeCommit?: (task: number) => Promise<void> | void;
  readonly prepare?: () => Promise<void>;
  readonly publish?: () => Promise<void>;
  readonly discard?: () => Promise<void>;
}

/** A writer that keeps rows per task, and shows only what was committed. */
export function fakeWriter(options: FakeWriterOptions = {}) {
  const events: string[] = [];
  const committed: Cell[][] = [];
  const plugin: WriterPlugin = defineWriter({
    name: 'fake',
    summary: 'Rows into memory',
    options: z.strictObject({}),
    open: () => ({
      inspect: (source) => ({ schema: options.schema ?? source }),
      async prepare(source) {
        events.push('prepare');
        await options.prepare?.();
        return { schema: options.schema ?? source };
      },
      async openTask({ id }) {
        const rows: Cell[][] = [];
        return {
          async write(batch) {
            await options.beforeWrite?.(id);
            options.onWrite?.(batch.rowCount);
            const wanted = [...batch.rows()];
            if (wanted.some((row) => options.refuses?.(row))) throw new DrayError('ROW_REJECTED', 'the target does not want it');
            rows.push(...wanted);
          },
          async commit() {
            await options.beforeCommit?.(id);
            committed.push(...rows);
            events.push(`commit ${id}`);
            return id;
          },
          async abort() {
            events.push(`abort ${id}`);
          },
        };
      },
      async publish(commits) {
        events.push(`publish ${JSON.stringify(commits)}`);
        await options.publish?.();
      },
      async discard() {
        events.push('discard');
        await options.discard?.();
      },
      async close() {
        events.push('close');
      },
    }),
  });
  return { plugin, events, committed };
}

const nowhere = { kind: 'reader', name: 'fake', module: 'memory:fake', exportName: 'default', isBuiltIn: false } as const;

/** A task between fake plugins; with batches of ten rows, so that a few rows are several batches. */
export function fakeTask(facts: Partial<TaskSpec> = {}): TaskSpec {
  return {
    run: 'test',
    job: 'test',
    id: 0,
    attempt: 1,
    guarantee: 'at-least-once',
    content: 0,
    reader: { plugin: nowhere, options: {} },
    writer: { plugin: { ...nowhere, kind: 'writer' }, options: {} },
    transformers: [],
    source: textSchema(1),
    delivered: facts.source ?? textSchema(1),
    target: { schema: textSchema(1) },
    split: { name: 'all' },
    batch: { maxBytes: 1 << 20, maxRows: 10 },
    channel: { maxBytes: 1 << 20, maxBatches: 4 },
    rates: { bytesPerSecond: 0, recordsPerSecond: 0 },
    flows: [],
    rateClocks: new SharedArrayBuffer(16),
    maxDirtyRecords: 0,
    dirtyCount: new SharedArrayBuffer(4),
    ...facts,
  };
}

/** A job of one content between fake plugins. */
export function fakeJob(reader: ReaderPlugin, writer: WriterPlugin, facts: Partial<Job> = {}): Job {
  return {
    name: 'fake',
    file: 'fake.json',
    digest: '',
    parameters: {},
    guarantee: 'at-least-once',
    snapshot: undefined,
    maxAttempts: 8,
    maxRetryWaitMs: 1,
    quarantineWriter: undefined,
    channels: 1,
    splitBytes: undefined,
    bytesPerSecond: 0,
    recordsPerSecond: 0,
    bytesPerChannel: 0,
    recordsPerChannel: 0,
    maxDirtyRecords: 0,
    maxDirtyShare: undefined,
    priority: 5,
    deadlineAt: undefined,
    finishWithinMs: undefined,
    pool: undefined,
    sourceLimits: {},
    targetLimits: {},
    isDryRun: false,
    contents: [
      {
        entry: 0,
        item: 0,
        reader: { ref: nowhere, plugin: reader, options: {} },
        transformers: [],
        writer: { ref: { ...nowhere, kind: 'writer' }, plugin: writer, options: {} },
      },
    ],
    ...facts,
  };
}

/** Listens to a task or run, and keeps what it heard. */
export function listening() {
  const heard = {
    dirty: [] as DirtyRecord[],
    warnings: [] as string[],
    decisions: [] as string[],
    last: undefined as TaskCounters | undefined,
  };
  const listener: TaskListener & Pick<RunListener, 'decided'> = {
    decided: (message) => heard.decisions.push(message),
    progress: (counters) => {
      heard.last = counters;
    },
    dirty: (record) => heard.dirty.push(record),
    mayCommit: async () => undefined,
    warn: (message) => heard.warnings.push(message),
    print: () => undefined,
  };
  return { heard, listener };
}
