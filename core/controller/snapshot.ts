import { setTimeout as wait } from 'node:timers/promises';
import type { Job } from '../job/load-job.ts';
import type { SnapshotReport } from '../report/report.ts';
import { asDrayError, DrayError, type ErrorWire, type OpenSnapshot, type PluginContext, type Reader, type Split } from '../sdk/index.ts';
import type { Executor, LaneSpec } from '../task/spec.ts';
import { waitBefore } from './backoff.ts';
import type { Plan } from './plan.ts';

interface SnapshotContext {
  readonly wanted: Job['snapshot'];
  readonly executor: Executor;
  /** Lanes that join it together. */
  readonly width: number;
  readonly context: PluginContext;
  /** Splits that are still to be read, and whether others have been read at an earlier point in time. */
  readonly splits: readonly Split[];
  readonly isContinued: boolean;
  readonly maxAttempts: number;
  readonly maxRetryWaitMs: number;
  /** Told of each point in time. */
  readonly onTaken: (position: string | undefined) => void;
}

/** The point in time at which the tasks of a content read. */
export class ContentSnapshot {
  readonly #plan: Plan;
  readonly #facts: SnapshotContext;
  #report: SnapshotReport | undefined;
  /** Opened to take another snapshot: the first reader may have lost all its connections. */
  #reader: Reader | undefined;
  /** How a lane joins it later; undefined while there is none. */
  #late: LaneSpec | 'closed' | undefined;

  constructor(plan: Plan, facts: SnapshotContext) {
    this.#plan = plan;
    this.#facts = facts;
  }

  /** Lanes that can read in it, those to come included. */
  get maxLanes(): number {
    return this.#late === 'closed' ? this.#facts.width : Number.POSITIVE_INFINITY;
  }

  /** Has one more lane join. @returns what kept it from joining */
  async joinLate(lane: number): Promise<ErrorWire | undefined> {
    if (this.#late === undefined || this.#late === 'closed') return undefined;
    return this.#facts.executor.join(lane, this.#late, this.#facts.context.signal);
  }

  /** undefined: the source has no such thing, and does not change while it is read. */
  get report(): SnapshotReport | undefined {
    return this.#report;
  }

  /** Has all lanes join a snapshot, if the source has one and the job wants it. @throws DrayError what stands against it, if the job insists */
  async take(): Promise<void> {
    const { wanted, splits, isContinued, context } = this.#facts;
    const { reader } = this.#plan;
    if (reader.openSnapshot === undefined) return;
    if (isContinued) refuseStoragePlaces(splits);
    if (wanted === 'none' || wanted === 'per-task') {
      this.#report = { mode: wanted, points: splits.length };
      return;
    }
    // One statement sees one point in time anyway.
    const isOne = splits.length === 1 && splits[0]!.members === undefined;
    if (isOne) {
      this.#report = { mode: 'consistent', points: 1 };
      return;
    }
    try {
      await this.#join(reader);
    } catch (error) {
      const fault = asDrayError(error, { side: 'source' });
      if (wanted === 'consistent' || fault.code !== 'SNAPSHOT_REFUSED') throw fault;
      context.warn(`tasks read one after the other, not all at one point in time: ${fault.message}`);
      this.#report = { mode: 'per-task', points: splits.length, why: fault.message };
    }
  }

  /** The snapshot is gone: takes another one for the tasks that are left, if the job allows for two points in time. */
  async renew(): Promise<void> {
    const { wanted, splits, context, maxAttempts, maxRetryWaitMs } = this.#facts;
    if (wanted === 'consistent') {
      throw new DrayError('SNAPSHOT_LOST', 'the snapshot of the source is gone, and the job wants all its rows from one point in time', {
        side: 'source',
      });
    }
    refuseStoragePlaces(splits);
    context.warn('the snapshot of the source is gone: the tasks that are left read at another point in time');
    for (let failures = 1; ; failures++) {
      try {
        await this.#reader?.close?.().catch(() => undefined);
        this.#reader = await this.#plan.content.reader.plugin.open(this.#plan.content.reader.options, context);
        await this.#join(this.#reader);
        return;
      } catch (error) {
        const fault = asDrayError(error, { side: 'source' });
        if (!fault.isRetryable || failures >= maxAttempts || context.signal.aborted) throw fault;
        await wait(waitBefore(failures, maxRetryWaitMs, Math.random()), undefined, { signal: context.signal });
      }
    }
  }

  async close(): Promise<void> {
    await this.#reader?.close?.();
  }

  async #join(reader: Reader): Promise<void> {
    const { executor, splits, context, onTaken, width } = this.#facts;
    const lanes = Math.min(width, splits.length);
    const ends = { plugin: this.#plan.content.reader.ref, options: this.#plan.content.reader.options };
    const joinAll = async (snapshot: { snapshot?: OpenSnapshot['token'] }) => {
      const spec = { run: context.run, job: context.job, reader: ends, ...snapshot };
      const faults = await Promise.all(Array.from({ length: lanes }, (_, lane) => executor.join(lane, spec, context.signal)));
      const fault = faults.find((one) => one !== undefined);
      if (fault !== undefined) throw DrayError.fromWire(fault);
    };
    // Connected first: a source may be locked from `openSnapshot` until all have joined.
    await joinAll({});
    const open: OpenSnapshot = await reader.openSnapshot!({ splits, readers: lanes });
    try {
      await joinAll({ snapshot: open.token });
    } finally {
      await open.joined?.();
    }
    // What is locked until all have joined lets nobody in afterwards.
    this.#late = open.joined === undefined ? { run: context.run, job: context.job, reader: ends, snapshot: open.token } : 'closed';
    onTaken(open.position);
    const position = open.position ?? this.#report?.position;
    this.#report = { mode: 'consistent', points: (this.#report?.points ?? 0) + 1, ...(position === undefined ? {} : { position }) };
  }
}

/** Such ranges hold each row once only within one snapshot. */
function refuseStoragePlaces(splits: readonly Split[]): void {
  const place = splits.flatMap((split) => split.members ?? [split]).find(({ range }) => range?.isStoragePlace);
  if (place === undefined) return;
  throw new DrayError(
    'SNAPSHOT_LOST',
    `${place.name} was cut by the place of its rows in the table, which is right in one snapshot only, and that one is gone`,
    { side: 'source', remedy: 'Start the job anew with `dray run`; "splitPk" with a key of the table makes its runs resumable.' },
  );
}
