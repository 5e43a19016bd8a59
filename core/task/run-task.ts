import {
  asDrayError,
  DrayError,
  type PluginContext,
  type ReaderPlugin,
  type RecordBatch,
  type Side,
  type TaskWriter,
  type WriterPlugin,
} from '../sdk/index.ts';
import { Channel } from '../transport/channel.ts';
import { RateLimit } from '../transport/rate-limit.ts';
import { DirtyLimit } from './dirty-limit.ts';
import { Fit, type Misfit } from './fit.ts';
import { loadBatch } from './load-batch.ts';
import { ChannelOutput } from './output.ts';
import { RowPlaces } from './row-places.ts';
import { type TaskListener, type TaskOutcome, type TaskSpec, zeroCounters } from './spec.ts';

const progressIntervalMs = 200;

export interface TaskPlugins {
  readonly reader: ReaderPlugin;
  readonly writer: WriterPlugin;
}

/**
 * Runs one task to its end in the calling thread: reader → channel → checks → writer, on one event loop. Ends with the target's commit, or
 * with everything undone. Never rejects.
 */
export async function runTask(spec: TaskSpec, plugins: TaskPlugins, listener: TaskListener, cancel: AbortSignal): Promise<TaskOutcome> {
  const counters = zeroCounters();
  const stop = new AbortController();
  const onCancel = () => stop.abort(cancel.reason);
  cancel.addEventListener('abort', onCancel, { once: true });
  if (cancel.aborted) onCancel();
  const channel = new Channel(spec.channel, new RateLimit(spec.rates, spec.rateClocks), stop.signal);
  const report = () => {
    counters.readerWaitMs = channel.readerWaitMs;
    counters.writerWaitMs = channel.writerWaitMs;
    listener.progress({ ...counters });
  };
  // Not kept alive by this: a program in which nothing can happen any more must end, and say so.
  const ticker = setInterval(report, progressIntervalMs).unref();
  const dirtyLimit = new DirtyLimit(spec.maxDirtyRecords, spec.dirtyCount);
  const places = new RowPlaces();
  let rowsRejected = 0;
  const dirty = (side: Side, row: number, fault: DrayError) => {
    counters.rowsDirty++;
    const column = fault.column === undefined ? {} : { column: fault.column };
    listener.dirty({ side, task: spec.id, ...places.of(side, row), cause: fault.message, ...column });
    dirtyLimit.add();
  };
  const context: PluginContext = { run: spec.run, job: spec.job, warn: listener.warn, print: listener.print, signal: stop.signal };

  /** The first failure is the one that counts: it stops the other side, whose own complaint then is only an echo. */
  const guarded = async <T>(side: Side, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = stop.signal.aborted
        ? asDrayError(stop.signal.reason)
        : asDrayError(thrown, { side, place: places.current ?? spec.split.name });
      stop.abort(error);
      throw error;
    }
  };

  const fit = new Fit(spec.source, spec.target.schema);
  const misfits = new WeakMap<RecordBatch, Misfit[]>();
  const output = new ChannelOutput(spec.source, spec.batch, channel, {
    batch: (batch) => {
      counters.rowsRead += batch.rowCount;
      counters.bytesRead += batch.bytes.length;
      // Here, and not when the writer takes it: between two batches the target has nothing to do.
      if (!fit.isTrivial) misfits.set(batch, fit.misfits(batch));
    },
    reject: (fault) => {
      rowsRejected++;
      counters.rowsRead++;
      dirty('source', counters.rowsRead + output.builder.rowCount, fault);
    },
  });

  const read = async () => {
    const reader = await plugins.reader.open(spec.reader.options, context);
    try {
      for (const split of spec.split.members ?? [spec.split]) {
        places.begin(split, { source: counters.rowsRead, target: counters.rowsRead - rowsRejected });
        await reader.read(split, output, stop.signal);
        await output.flush();
      }
      channel.end();
    } finally {
      await quietly(reader.close?.());
    }
  };

  const load = async (writer: TaskWriter, batch: RecordBatch, firstRow: number) => {
    const written = await loadBatch(writer, batch, (row, fault) => dirty('target', firstRow + row, fault));
    counters.rowsWritten += written.rows;
    counters.bytesWritten += written.bytes;
  };
  const loadAll = async (writer: TaskWriter) => {
    let firstRow = 1;
    for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) {
      let from = 0;
      for (const misfit of misfits.get(batch) ?? []) {
        if (misfit.row > from) await load(writer, batch.slice(from, misfit.row), firstRow + from);
        dirty('target', firstRow + misfit.row, new DrayError('ROW_REJECTED', misfit.cause, { column: misfit.column }));
        from = misfit.row + 1;
      }
      if (from < batch.rowCount) await load(writer, batch.slice(from, batch.rowCount), firstRow + from);
      firstRow += batch.rowCount;
      output.builder.reuse(batch);
    }
  };
  const write = async () => {
    const writer = await plugins.writer.open(spec.writer.options, context);
    try {
      const taskWriter = await writer.openTask({ id: spec.id, source: spec.source, target: spec.target });
      try {
        await loadAll(taskWriter);
        stop.signal.throwIfAborted();
        return (await taskWriter.commit()) ?? null;
      } catch (error) {
        // The first error is the one to tell; an abort that fails after it (connection gone) has nothing left to undo.
        await quietly(taskWriter.abort());
        throw error;
      }
    } finally {
      await quietly(writer.close?.());
    }
  };

  try {
    const [written] = await Promise.allSettled([guarded('target', write), guarded('source', read)]);
    if (written.status === 'fulfilled') return { state: 'done', counters, commit: written.value };
    return { state: 'failed', counters, error: asDrayError(written.reason).toWire() };
  } finally {
    clearInterval(ticker);
    cancel.removeEventListener('abort', onCancel);
    report();
  }
}

/** Waits for a release whose own failure tells nothing: what matters has been committed or has failed before. */
async function quietly(release: Promise<void> | undefined): Promise<void> {
  try {
    await release;
  } catch {
    // The connection or file is gone, which is what was wanted.
  }
}
