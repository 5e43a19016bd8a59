import { availableParallelism } from 'node:os';
import type { Job } from '../job/load-job.ts';
import { taskOf } from '../ledger/events.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import type { Guarantee, Split, Target } from '../sdk/index.ts';
import type { BatchLimits, TaskSpec, TaskTally } from '../task/spec.ts';
import { RateLimit } from '../transport/rate-limit.ts';
import { agreedForms } from './agreed-forms.ts';
import type { Plan } from './plan.ts';

/**
 * Between two batches the target waits for a round trip. Tasks side by side fill each other's pauses, and small batches keep their memory
 * small (178 MB on two channels, with 1 MB batches 198 MB); a task that is alone has bigger ones (8 % faster from MySQL to PostgreSQL).
 */
const batchBytes = { alone: 2 << 20, sideBySide: 512 << 10 };
const maxRows = 65_536;

/** A task that is known to read more is not begun in a way that a single refused row puts an end to. */
const mostBytesAgain = 256 << 20;

/** What a thread with its batches is thought to need. */
export const bytesPerThread = 96 << 20;

/** Tasks side by side where neither the job nor the user says how many. */
export function defaultChannels(): number {
  return Math.min(4, availableParallelism());
}

/**
 * @param asked what the command line says
 * @returns how many tasks of a job may run side by side; and whether they may be fewer, since nobody has said how many, nor when the job must end
 */
export function channelsOf(
  { channels, finishWithinMs }: Pick<Job, 'channels' | 'finishWithinMs'>,
  asked: number | undefined,
): { channels: number; mayBeFewer: boolean } {
  const wanted = asked ?? channels;
  return { channels: wanted ?? defaultChannels(), mayBeFewer: wanted === undefined && finishWithinMs === undefined };
}

/** Counters and clocks that all tasks of a job share, on whatever thread they run. */
export interface SharedLimits {
  readonly rate: RateLimit;
  readonly dirtyCount: SharedArrayBuffer;
}

/**
 * @param channels how many tasks may run side by side: limits of a channel hold for so many of them together
 * @param dirtyBefore dirty records of earlier processes of the run
 */
export function sharedLimits(job: Job, channels: number, dirtyBefore = 0): SharedLimits {
  const dirtyCount = new SharedArrayBuffer(4);
  new Int32Array(dirtyCount)[0] = dirtyBefore;
  const bytesPerSecond = lower(job.bytesPerSecond, channels * job.bytesPerChannel);
  const recordsPerSecond = lower(job.recordsPerSecond, channels * job.recordsPerChannel);
  return { rate: new RateLimit({ bytesPerSecond, recordsPerSecond }), dirtyCount };
}

/** 0 is no limit. */
function lower(one: number, other: number): number {
  return one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other);
}

/** The same for one of several targets, which has a count of dirty records of its own. */
export function targetLimits({ rate }: SharedLimits, dirtyBefore: number): SharedLimits {
  const dirtyCount = new SharedArrayBuffer(4);
  new Int32Array(dirtyCount)[0] = dirtyBefore;
  return { rate, dirtyCount };
}

/** Dirty records of the tasks of these contents that earlier processes of the run have committed. */
export function dirtyBefore({ earlier }: RunLedger, contents: readonly number[]): number {
  const plans = contents.flatMap((content) => earlier?.contents.get(content)?.plan ?? []);
  const tasks = plans.flatMap((plan) => plan.splits.map((_, place) => taskOf(plan, place)));
  const tallies = tasks.flatMap((task) => (earlier?.tasks.get(task)?.committed?.tally as unknown as TaskTally | undefined) ?? []);
  return tallies.reduce((sum, { rowsDirty }) => sum + rowsDirty, 0);
}

/**
 * Under a rate limit batches shrink to a fifth of a second's worth, so that the flow is even and not a burst every ten seconds.
 * @param width how many tasks run side by side
 */
export function batchLimits(
  { bytesPerSecond, recordsPerSecond }: Pick<Job, 'bytesPerSecond' | 'recordsPerSecond'>,
  width: number,
): BatchLimits {
  const share = (perSecond: number, full: number) => (perSecond === 0 ? full : Math.max(1, Math.min(full, Math.floor(perSecond / 5))));
  const maxBytes = width === 1 ? batchBytes.alone : batchBytes.sideBySide;
  return { maxBytes: share(bytesPerSecond, maxBytes), maxRows: share(recordsPerSecond, maxRows) };
}

export function taskSpecs(
  job: Job,
  facts: {
    run: string;
    content: number;
    taskIds: readonly number[];
    /** Shared memory of the limits of the servers of a task that reads this split. */
    flowsOf: (split: Split) => readonly SharedArrayBuffer[];
    channels: number;
    plan: Plan;
    target: Target;
    guarantee: Guarantee;
    limits: SharedLimits;
  },
): TaskSpec[] {
  const { run, content, taskIds, flowsOf, plan, target, guarantee, limits } = facts;
  const { reader, writer, transformers, fanOut } = plan.content;
  const batch = batchLimits(limits.rate.rates, Math.min(facts.channels, plan.splits.length));
  const agreed = agreedForms(plan, target);
  const isStraight = ({ estimatedBytes = 0 }: Split) => fanOut === undefined && estimatedBytes <= mostBytesAgain;
  return plan.splits.map((split, index) => ({
    run,
    job: job.name,
    id: taskIds[index]!,
    attempt: 0,
    guarantee,
    content,
    reader: { plugin: reader.ref, options: reader.options },
    writer: { plugin: writer.ref, options: writer.options },
    transformers: transformers.map(({ ref, options }) => ({ plugin: ref, options })),
    source: plan.source,
    delivered: plan.delivered,
    target,
    split,
    isStraight: isStraight(split),
    ...(agreed !== undefined && isStraight(split) ? { agreed } : {}),
    batch,
    channel: { maxBytes: 2 * batch.maxBytes, maxBatches: 4 },
    rates: limits.rate.rates,
    rateClocks: limits.rate.shared,
    flows: flowsOf(split),
    maxDirtyRecords: (fanOut ?? job).maxDirtyRecords,
    dirtyCount: limits.dirtyCount,
    ...(fanOut === undefined ? {} : { onFailure: fanOut.onFailure }),
  }));
}
