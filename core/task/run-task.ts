import {
  asDrayError,
  DrayError,
  type Json,
  type Layout,
  type PluginContext,
  type Reader,
  type ReaderPlugin,
  type RecordBatch,
  type Side,
  type Split,
  type TaskWriter,
  type TransformerPlugin,
  type WriterPlugin,
  watchOver,
} from '../sdk/index.ts';
import { openChain, type TransformerChain, untouched } from '../transform/chain.ts';
import { Channel } from '../transport/channel.ts';
import { RateLimit } from '../transport/rate-limit.ts';
import { allOf } from './all-limits.ts';
import { Arrivals } from './arrivals.ts';
import { BatchPace } from './batch-pace.ts';
import { DirtyLimit } from './dirty-limit.ts';
import { loadBatch } from './load-batch.ts';
import { refuseMiscount } from './miscount.ts';
import { cancelGraceMs, orAborted, quietly } from './or-aborted.ts';
import { ChannelOutput } from './output.ts';
import { ownReader, type ReaderSource } from './reader-source.ts';
import { RowPlaces } from './row-places.ts';
import { type DirtyRecord, type TaskListener, type TaskOutcome, type TaskSpec, type TaskTally, zeroCounters } from './spec.ts';
import { asRefusedWhole } from './straight.ts';

const [progressIntervalMs, commitGraceMs] = [200, 5000];

export interface TaskPlugins {
  readonly reader: ReaderPlugin;
  readonly writer: WriterPlugin;
  /** In the order of the task's; absent: it has none. */
  readonly transformers?: readonly TransformerPlugin[];
}

type Committed = Pick<Extract<TaskOutcome, { state: 'done' }>, 'commit' | 'attempt'>;

/**
 * Runs one task to its end in the calling thread: reader → channel → checks → writer, on one event loop. Ends with the target's commit, or
 * with everything undone. Never rejects.
 * @param readers where the reader comes from; default: opened for this task
 * @param pace what earlier tasks have shown of the target; default: nothing
 */
export async function runTask(
  spec: TaskSpec,
  plugins: TaskPlugins,
  listener: TaskListener,
  cancel: AbortSignal,
  readers: ReaderSource = ownReader(plugins.reader, spec.reader),
  pace = new BatchPace(spec.batch.maxBytes),
): Promise<TaskOutcome> {
  const stop = new AbortController();
  const onCancel = () => stop.abort(cancel.reason);
  cancel.addEventListener('abort', onCancel, { once: true });
  if (cancel.aborted) onCancel();
  const run = new TaskRun(spec, plugins, readers, listener, stop, pace);
  // Not kept alive by this: a program in which nothing can happen any more must end, and say so.
  const ticker = setInterval(() => run.report(), progressIntervalMs).unref();
  listener.cuttable?.(() => run.cut());
  const unwatch = watchOver(run.watched, (error) => stop.abort(error));
  try {
    const { commit, attempt } = await orAborted(run.toEnd(), stop.signal, cancelGraceMs);
    return { state: 'done', counters: run.counters, commit, attempt };
  } catch (error) {
    return { state: 'failed', counters: run.counters, error: run.failure(error).toWire() };
  } finally {
    unwatch();
    clearInterval(ticker);
    cancel.removeEventListener('abort', onCancel);
    run.report();
  }
}

/** One attempt of one task. */
class TaskRun {
  readonly counters = zeroCounters();
  readonly #spec: TaskSpec;
  readonly #plugins: TaskPlugins;
  readonly #readers: ReaderSource;
  readonly #listener: TaskListener;
  readonly #stop: AbortController;
  readonly #pace: BatchPace;
  readonly #context: PluginContext;
  readonly #channel: Channel;
  readonly #output: ChannelOutput;
  readonly #dirtyLimit: DirtyLimit;
  readonly #places = new RowPlaces();
  readonly #arrivals: Arrivals;
  /** Once it is open; undefined for a task without transformers. */
  #chain: TransformerChain | undefined;
  #rowsRejected = 0;
  /** What it reads, one after the other; fewer once some were given away. */
  readonly #members: Split[];
  #begun = 0;
  /** While it reads. */
  #reader: Reader | undefined;
  /** While a call is pending; `#calls` counts them. */
  #pendingWriter: TaskWriter | undefined;
  #calls = 0;
  /** The commit has been sent and not been answered. */
  #isCommitting = false;
  /** Ends the writer's connections. Not in the middle of a commit, if that can be waited for. */
  readonly #writerLife = new AbortController();

  constructor(spec: TaskSpec, plugins: TaskPlugins, readers: ReaderSource, listener: TaskListener, stop: AbortController, pace: BatchPace) {
    this.#spec = spec;
    this.#pace = pace;
    this.#members = [...(spec.split.members ?? [spec.split])];
    this.#plugins = plugins;
    this.#readers = readers;
    this.#listener = listener;
    this.#stop = stop;
    this.#context = { run: spec.run, job: spec.job, warn: listener.warn, print: listener.print, signal: stop.signal };
    const onStop = () => {
      if (!this.#isCommitting) this.#writerLife.abort(stop.signal.reason);
      else setTimeout(() => this.#writerLife.abort(stop.signal.reason), commitGraceMs).unref();
    };
    stop.signal.addEventListener('abort', onStop, { once: true });
    if (stop.signal.aborted) onStop();
    this.#channel = new Channel(spec.channel, allOf(new RateLimit(spec.rates, spec.rateClocks), spec.flows), stop.signal);
    this.#dirtyLimit = new DirtyLimit(spec.maxDirtyRecords, spec.dirtyCount);
    this.#arrivals = new Arrivals(spec);
    const forms = spec.agreed?.by === 'reader' ? spec.agreed.forms : undefined;
    const channel = { push: (batch: RecordBatch) => this.#channel.push(batch, this.#arrivals.textBytesOf(batch)) };
    this.#output = new ChannelOutput(spec.source, { ...spec.batch, forms }, channel, {
      batch: (batch) => this.#arrived(batch),
      reject: (fault) => {
        this.#rowsRejected++;
        this.counters.rowsRead++;
        this.#dirty('source', this.counters.rowsRead + this.#output.pendingRows, fault);
      },
    });
    this.#output.resize(pace.bytes);
  }

  get watched() {
    return [
      {
        side: 'source' as const,
        movement: () => {
          if (this.#reader === undefined || this.#output.isWaiting) return undefined;
          return this.counters.rowsRead + this.#output.pendingRows + this.#begun;
        },
        isAlive: () => this.#reader?.isAlive?.(),
      },
      {
        side: 'target' as const,
        movement: () => (this.#pendingWriter === undefined ? undefined : this.#calls),
        isAlive: () => this.#pendingWriter?.isAlive?.(),
      },
    ];
  }

  report(): void {
    this.counters.readerWaitMs = this.#channel.readerWaitMs;
    this.counters.writerWaitMs = this.#channel.writerWaitMs;
    this.#listener.progress({ ...this.counters });
  }

  /**
   * Gives away the second half of what it has not begun to read.
   * @returns how many members it keeps; undefined if there is nothing to give
   */
  cut(): number | undefined {
    const unread = this.#members.length - this.#begun;
    // Before it begins nobody knows whether an earlier attempt has written all of it.
    if (this.#begun === 0 || unread < 1 || this.#stop.signal.aborted) return undefined;
    this.#members.length -= Math.ceil(unread / 2);
    return this.#members.length;
  }

  /** What the channel gets of a batch that was read. Here, and not when the writer takes it: between two batches the target has nothing to do. */
  #arrived(read: RecordBatch): RecordBatch | undefined {
    const firstRow = this.counters.rowsRead - this.#rowsRejected + 1;
    this.counters.rowsRead += read.rowCount;
    this.counters.bytesRead += read.bytes.length;
    const { batch, rows, filtered, dirty } = this.#chain?.run(read) ?? untouched(read);
    this.counters.rowsFiltered += filtered;
    for (const { row, fault } of dirty) this.#dirty('transformer', firstRow + row, fault, read.row(row));
    if (batch === undefined) {
      this.#output.reuse(read);
      this.#stop.signal.throwIfAborted();
      return undefined;
    }
    const arrived = this.#arrivals.add(batch, { read, rows, firstRow });
    if (arrived !== batch) this.#reuse(batch, read);
    return arrived;
  }

  /** Nobody reads the batch any more, nor what was read for it. */
  #reuse(batch: RecordBatch, read: RecordBatch): void {
    if (batch !== read) this.#chain?.reuse(batch);
    this.#output.reuse(read);
  }

  async toEnd(): Promise<Committed> {
    const { transformers, source, batch } = this.#spec;
    const links = (this.#plugins.transformers ?? []).map((plugin, index) => ({ plugin, options: transformers[index]!.options }));
    if (links.length > 0) this.#chain = await openChain(links, source, this.#context, batch);
    try {
      return await this.#toEnd();
    } finally {
      await this.#chain?.close();
    }
  }

  async #toEnd(): Promise<Committed> {
    let mayRead: (isWanted: boolean) => void = () => undefined;
    const isWanted = new Promise<boolean>((resolve) => {
      mayRead = resolve;
    });
    const write = this.#guarded('target', () => this.#write(mayRead)).finally(() => mayRead(false));
    const read = this.#guarded('source', () => this.#read(isWanted));
    const [written] = await Promise.allSettled([write, read]);
    if (written.status === 'rejected') throw written.reason;
    return written.value;
  }

  /** What to say of a failure. Without a ledger nobody can tell whether a commit that was not answered has happened. */
  failure(thrown: unknown): DrayError {
    const error = asDrayError(thrown);
    const { guarantee, id, split } = this.#spec;
    if (!this.#isCommitting || guarantee === 'exactly-once') return error;
    return new DrayError('COMMIT_UNKNOWN', `task ${id} was committing, and nothing tells whether its rows are there: ${error.message}`, {
      cause: error,
      side: 'target',
      place: split.name,
    });
  }

  /** The first failure is the one that counts: it stops the other side, whose own complaint then is only an echo. */
  async #guarded<T>(side: Side, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const { signal } = this.#stop;
      const isAnswer = thrown instanceof DrayError && thrown.code === 'COMMIT_UNKNOWN';
      const error =
        signal.aborted && !isAnswer
          ? asDrayError(signal.reason)
          : asDrayError(thrown, { side, place: this.#places.current ?? this.#spec.split.name });
      this.#stop.abort(error);
      throw error;
    }
  }

  /** @param isWanted whether there is anything to do; known at once, or when the writer is open */
  async #read(isWanted: Promise<boolean>): Promise<void> {
    const reader = await this.#readers.take(this.#context);
    let isWhole = false;
    try {
      if (!(await isWanted)) {
        isWhole = true;
        return;
      }
      this.#reader = reader;
      if (this.#members.length > 1) reader.expect?.(this.#members);
      for (let one = this.#members[this.#begun++]; one !== undefined; one = this.#members[this.#begun++]) {
        const before = this.counters.rowsRead + this.#output.pendingRows;
        this.#places.begin(one, { source: before, target: before - this.#rowsRejected });
        // What a small split leaves in the builder shares a batch with the next one: each costs the target a round trip.
        await reader.read(one, this.#output, this.#stop.signal);
      }
      await this.#output.flush();
      isWhole = true;
      this.#channel.end();
    } finally {
      this.#reader = undefined;
      await quietly(this.#readers.giveBack(reader, isWhole));
    }
  }

  async #write(mayRead: (isWanted: boolean) => void): Promise<Committed> {
    const { id, attempt, guarantee, isStraight, delivered, target } = this.#spec;
    const mayBeThere = guarantee === 'exactly-once';
    // The source need not wait for the target's connection; but a target that cannot be reached, and is tried again, is no reason to read each time.
    if (!mayBeThere && attempt === 1) mayRead(true);
    const writer = await this.#plugins.writer.open(this.#spec.writer.options, { ...this.#context, signal: this.#writerLife.signal });
    try {
      const taskWriter = await writer.openTask({ id, attempt, guarantee, isStraight, source: delivered, target });
      const { earlier } = taskWriter;
      if (mayBeThere && earlier !== undefined) {
        await quietly(taskWriter.abort());
        const { attempt: winner, ...counters } = earlier.tally as unknown as TaskTally;
        Object.assign(this.counters, counters);
        return { commit: earlier.commit, attempt: winner };
      }
      try {
        mayRead(true);
        await this.#loadAll(taskWriter);
        await this.#pending(taskWriter, async () => taskWriter.finish?.());
        return { commit: await this.#commit(taskWriter), attempt };
      } catch (error) {
        // The first error is the one to tell.
        await quietly(taskWriter.abort());
        throw error;
      }
    } finally {
      await quietly(writer.close?.());
    }
  }

  async #loadAll(taskWriter: TaskWriter): Promise<void> {
    const writer = this.#watchedWriter(taskWriter);
    for (let batch = await this.#channel.next(); batch !== undefined; batch = await this.#channel.next()) {
      const arrival = this.#arrivals.of(batch);
      const refused = (row: number, fault: DrayError) => {
        const rowRead = arrival.rows?.[row] ?? row;
        this.#dirty('target', arrival.firstRow + rowRead, fault, this.#arrivals.cellsOf(arrival, rowRead));
      };
      let from = 0;
      for (const misfit of arrival.misfits) {
        if (misfit.row > from) await this.#load(writer, batch, { from, to: misfit.row }, refused);
        refused(misfit.row, new DrayError('ROW_REJECTED', misfit.cause, { column: misfit.column }));
        from = misfit.row + 1;
      }
      if (from < batch.rowCount) await this.#load(writer, batch, { from, to: batch.rowCount }, refused);
      this.#reuse(batch, arrival.read);
      this.#arrivals.reuse(batch);
    }
  }

  /** @param onRefused told the row's index in the batch */
  async #load(
    writer: Pick<TaskWriter, 'write'>,
    batch: RecordBatch,
    { from, to }: { readonly from: number; readonly to: number },
    onRefused: (row: number, fault: DrayError) => void,
  ): Promise<void> {
    const written = await loadBatch(writer, batch.slice(from, to), (row, fault) => onRefused(from + row, fault));
    this.counters.rowsWritten += written.rows;
    this.counters.bytesWritten += written.bytes;
  }

  async #commit(taskWriter: TaskWriter): Promise<Json> {
    this.#stop.signal.throwIfAborted();
    refuseMiscount(this.counters);
    const tally: TaskTally = { ...this.counters, attempt: this.#spec.attempt };
    await this.#listener.mayCommit(tally);
    this.#stop.signal.throwIfAborted();
    this.#isCommitting = true;
    try {
      const commit = (await this.#pending(taskWriter, () => taskWriter.commit(tally))) ?? null;
      this.#isCommitting = false;
      return commit;
    } catch (error) {
      // What the target itself has answered is certain; of what our own end of the connection has brought about nothing is.
      this.#isCommitting = this.#writerLife.signal.aborted;
      throw error;
    }
  }

  #watchedWriter(taskWriter: TaskWriter): Pick<TaskWriter, 'write'> {
    const { rates } = this.#spec;
    // Under a rate limit batches are small on purpose; straight on none of them waits for an answer.
    const isFixed = rates.bytesPerSecond > 0 || rates.recordsPerSecond > 0 || taskWriter.isStraight === true;
    return {
      write: async (batch) => {
        const startedAt = performance.now();
        await this.#pending(taskWriter, () => taskWriter.write(batch), batch.layout);
        if (isFixed) return;
        this.#pace.wrote(this.#arrivals.textBytesOf(batch), performance.now() - startedAt);
        this.#output.resize(this.#pace.bytes);
      },
    };
  }

  /** @param layout of the batch that it is about */
  async #pending<T>(taskWriter: TaskWriter, call: () => Promise<T>, layout?: Layout): Promise<T> {
    this.#calls++;
    this.#pendingWriter = taskWriter;
    try {
      return await call();
    } catch (error) {
      throw asRefusedWhole(error, taskWriter, layout);
    } finally {
      this.#pendingWriter = undefined;
    }
  }

  /** @param row position among the rows that `side` counts, from 1; a transformer counts as the target does */
  #dirty(side: DirtyRecord['side'], row: number, fault: DrayError, cells?: readonly (string | null)[]): void {
    this.counters.rowsDirty++;
    this.#listener.dirty({
      side,
      task: this.#spec.id,
      ...this.#places.of(side === 'source' ? 'source' : 'target', row),
      cause: fault.message,
      ...(fault.column === undefined ? {} : { column: fault.column }),
      ...(cells === undefined ? {} : { cells }),
    });
    this.#dirtyLimit.add();
  }
}
