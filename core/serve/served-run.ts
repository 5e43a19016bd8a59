import { writeFile } from 'node:fs/promises';
import type { RunHandle } from '../controller/run-handle.ts';
import type { RunListener } from '../controller/run-job.ts';
import type { Job } from '../job/load-job.ts';
import type { SecretMask } from '../job/secret-mask.ts';
import type { RunChange } from '../ledger/events.ts';
import { type RunLedger, reportFile } from '../ledger/run-store.ts';
import { dirtyWords, toldDirtyRecords } from '../report/dirty-words.ts';
import type { RowCounts, RunReport } from '../report/report.ts';
import { asDrayError, DrayError } from '../sdk/index.ts';
import { sumOfCounters, type TaskCounters } from '../task/spec.ts';
import type { EventFeed, FeedEvent } from './event-feed.ts';
import type { RunStatus } from './run-status.ts';
import { Speed } from './speed.ts';

const progressIntervalMs = 1000;

export interface ServedRunParts {
  readonly job: Job;
  readonly ledger: RunLedger;
  /** Knows the secrets of the job. */
  readonly mask: SecretMask;
  readonly feed: EventFeed;
  readonly print: (text: string) => void;
}

/** A run at the server: what it does now, and what became of it. */
export class ServedRun {
  readonly run: string;
  readonly job: string;
  readonly #stop = new AbortController();
  readonly #parts: ServedRunParts;
  readonly #contents: number;
  readonly #submitted: string;
  #handle: RunHandle | undefined;
  #started: string | undefined;
  #planning: string | undefined;
  /** Numbers of the content that runs, and of the rows that are thought to be in it. */
  #content = 0;
  #estimatedRows: number | undefined;
  readonly #counters = new Map<number, Readonly<TaskCounters>>();
  readonly #speed = new Speed(performance.now());
  #progressAt = 0;
  #dirtyTold = 0;
  #end: RunStatus | undefined;

  constructor(parts: ServedRunParts) {
    this.#parts = parts;
    this.run = parts.ledger.run;
    this.job = parts.job.name;
    this.#contents = parts.job.contents.length;
    this.#submitted = parts.ledger.earlier?.begun.at ?? new Date().toISOString();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** What can be changed about it. @throws DrayError RUN_ENDED */
  get handle(): RunHandle {
    if (this.#handle !== undefined && this.#end === undefined) return this.#handle;
    throw new DrayError('RUN_ENDED', `the run ${this.run} has ended: ${this.#end?.state ?? 'failed'}`);
  }

  /** The Controller has it now. */
  begun(handle: RunHandle): void {
    this.#handle = handle;
    this.tell({ type: this.#parts.ledger.earlier === undefined ? 'submitted' : 'resumed', priority: handle.priority });
  }

  cancel(reason: DrayError): void {
    this.#stop.abort(reason);
  }

  /** Changes something about it; told, and written down, so that it holds for the next server, too. @throws DrayError RUN_ENDED */
  change({ priority, channels, isPaused }: RunChange): void {
    const { handle } = this;
    const words: string[] = [];
    if (isPaused !== undefined) {
      if (isPaused) handle.pause();
      else handle.unpause();
      words.push(isPaused ? 'paused' : 'goes on');
    }
    if (priority !== undefined) {
      handle.setPriority(priority);
      words.push(`priority ${priority}`);
    }
    if (channels !== undefined) words.push(`channels ${handle.setWidth(channels)}`);
    const change = words.join(', ');
    this.#parts.ledger.append({ type: 'changed', change, priority, channels, isPaused }).catch(() => undefined);
    this.tell({ type: 'changed', message: change });
  }

  readonly listener: RunListener = {
    note: (message) => this.tell({ type: 'note', message }),
    warn: (message) => this.tell({ type: 'warning', message }),
    decided: (message) => this.tell({ type: 'decision', message }),
    planning: (message) => {
      this.#planning = message;
      this.tell({ type: 'planning', message });
    },
    contentStarts: (content, { reader, writer, tasks, estimatedRows }) => {
      this.#started ??= new Date().toISOString();
      this.#planning = undefined;
      this.#content = content;
      this.#estimatedRows = estimatedRows;
      this.tell({ type: 'content', content, reader, writer, tasks });
    },
    progress: (content, counters, remark) => this.#progress(content, counters, remark),
    contentEnds: () => undefined,
    dirty: (record) => {
      if (++this.#dirtyTold <= toldDirtyRecords) this.tell({ type: 'dirty', message: dirtyWords(record) });
    },
    print: (text) => this.#parts.print(text),
  };

  /** It has ended: its report is kept beside its journal. @param isResumable by what its journal says */
  async ended(report: RunReport, isResumable: boolean): Promise<void> {
    const { mask, ledger, job } = this.#parts;
    const { state, rows, bytes, error } = report;
    const failed = error === undefined ? {} : { error };
    try {
      await writeFile(reportFile(ledger.folder), `${mask.json(report)}\n`, { mode: 0o600 });
    } catch (cause) {
      this.tell({ type: 'warning', message: `the report could not be kept: ${asDrayError(cause).message}` });
    }
    this.#end = this.masked({
      ...{ run: this.run, job: this.job, file: job.file, priority: this.#handle?.priority ?? job.priority, rows, bytes },
      state: error?.code === 'SERVER_STOPPED' ? 'interrupted' : state,
      isResumable,
      submitted: this.#submitted,
      ...(this.#started === undefined ? {} : { started: this.#started }),
      ended: new Date().toISOString(),
      ...failed,
    });
    this.tell({ type: 'ended', state, rows, ...failed });
  }

  status(): RunStatus {
    if (this.#end !== undefined) return this.#end;
    const handle = this.handle;
    const { priority, width } = handle;
    const { running, waiting } = handle.slots;
    const remark = handle.remarks?.remark();
    const sum = this.#sum();
    return this.masked({
      ...{ run: this.run, job: this.job, file: this.#parts.job.file, state: this.#state(), isResumable: false, priority },
      submitted: this.#submitted,
      ...(this.#started === undefined ? {} : { started: this.#started }),
      rows: rowsOf(sum),
      bytes: { read: sum.bytesRead, written: sum.bytesWritten },
      rowsPerSecond: this.#speed.perSecond(sum.rowsWritten, performance.now()),
      ...this.#percent(),
      slots: { running, waiting },
      ...(width === undefined ? {} : { channels: width }),
      ...(this.#planning === undefined ? {} : { planning: this.#planning }),
      ...this.#waitsFor(),
      ...(remark === undefined ? {} : { remark }),
    });
  }

  tell(event: FeedEvent): void {
    const { run, job } = this;
    this.#parts.feed.publish(run, event.type, this.#parts.mask.json({ run, job, at: new Date().toISOString(), ...event }));
  }

  /** The same value without the secrets of the job. */
  masked<T>(value: T): T {
    return JSON.parse(this.#parts.mask.json(value)) as T;
  }

  #progress(content: number, counters: TaskCounters, remark: string | undefined): void {
    this.#counters.set(content, counters);
    const now = performance.now();
    const sum = this.#sum();
    this.#speed.add(sum.rowsWritten, now);
    if (now - this.#progressAt < progressIntervalMs) return;
    this.#progressAt = now;
    const rowsPerSecond = this.#speed.perSecond(sum.rowsWritten, now);
    const remarked = remark === undefined ? {} : { remark };
    this.tell({ type: 'progress', rows: rowsOf(sum), rowsPerSecond, ...this.#percent(), ...remarked });
  }

  #sum(): TaskCounters {
    return sumOfCounters(this.#counters.values());
  }

  /** Contents count alike, whatever their size; nobody has looked at the later ones' rows yet. */
  #percent(): { percent?: number } {
    if (this.#estimatedRows === undefined || this.#started === undefined) return {};
    const rows = this.#counters.get(this.#content)?.rowsWritten ?? 0;
    const share = Math.min(1, rows / Math.max(1, this.#estimatedRows));
    return { percent: Math.min(99, Math.floor((100 * (this.#content + share)) / this.#contents)) };
  }

  #state(): RunStatus['state'] {
    const { isPaused, queuedFor, state, slots } = this.handle;
    if (isPaused) return 'paused';
    // To plan is to be at work, too.
    return queuedFor !== undefined || (state === 'waiting' && slots.waiting > 0 && slots.running === 0) ? 'waiting' : 'running';
  }

  #waitsFor(): { waitsFor?: string } {
    const { isPaused, queuedFor, slots, priority, remarks } = this.handle;
    if (isPaused) return { waitsFor: `\`dray resume ${this.run}\`: it is paused` };
    if (queuedFor === 'open')
      return { waitsFor: `its turn to begin: as many runs of priority ${priority} as may be are at work, or paused` };
    if (queuedFor === 'plan') return { waitsFor: 'its turn to be planned: as many runs as may be are planned now' };
    if (slots.waiting === 0 || slots.running > 0) return {};
    if (slots.delayed === slots.waiting) return { waitsFor: 'its next attempt: tasks that failed start again after a pause' };
    return { waitsFor: remarks?.fullBudget() ?? 'a slot: all are taken by other runs' };
  }
}

function rowsOf({ rowsRead, rowsWritten, rowsDirty, rowsFiltered }: TaskCounters): RowCounts {
  return { read: rowsRead, written: rowsWritten, dirty: rowsDirty, filtered: rowsFiltered };
}
