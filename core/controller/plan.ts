import type { Content } from '../job/load-job.ts';
import type { PlannedContent } from '../ledger/events.ts';
import { presetBytesPerSecond } from '../scheduler/estimate.ts';
import {
  asDrayError,
  DrayError,
  type PluginContext,
  type Reader,
  type Schema,
  type Side,
  type SplitHint,
  type Target,
  type WriteIntent,
  type Writer,
} from '../sdk/index.ts';
import { bytesPerTask, splitBytesAt, threadBytesAt } from '../splitter/size.ts';
import { planSplits, type SplitPlan } from '../splitter/split-plan.ts';
import { orAborted } from '../task/or-aborted.ts';
import { deliveredBy } from './delivered.ts';

/** How long a plugin may take to give up looking at a source or preparing a target, once the run is cancelled. */
const cancelGraceMs = 3000;

/** How planning is done, and to whom it talks. */
export interface PlanOptions {
  readonly channels: number;
  /** Nobody has said how many channels there must be, nor when the job must end: those that are not worth their start are left out. */
  readonly mayBeFewer: boolean;
  /** What the job file says that one task should read. */
  readonly splitBytes: number | undefined;
  /** How fast a thread has moved rows from this source to these targets before; undefined: nobody has measured it. */
  readonly bytesPerSecond?: number | undefined;
  readonly context: PluginContext;
  /** What planning is about to do that takes long, and what people should know of the source. */
  readonly note: (message: string) => void;
  /** How far it is. */
  readonly planning: (message: string) => void;
}

/** A content whose source has been looked at: what it delivers, and in which tasks. */
export interface Plan extends SplitPlan {
  /** The plan of an earlier process of the run, where this is that one. */
  readonly resumed: PlannedContent | undefined;
  readonly content: Content;
  readonly reader: Reader;
  /** Columns that the reader delivers. */
  readonly source: Schema;
  /** Columns behind the transformers. */
  readonly delivered: Schema;
}

/** A plan whose target is open, too. */
export interface OpenPlan extends Plan {
  readonly writer: Writer;
}

/** Opens the source of a content, reads its columns and cuts it into splits. Changes nothing. */
export async function planContent(content: Content, options: PlanOptions): Promise<Plan> {
  const { context, channels, note } = options;
  const { signal } = context;
  const { place } = content.reader;
  const reader = await on('source', signal, () => content.reader.plugin.open(content.reader.options, context), place);
  try {
    const source = await on('source', signal, () => reader.schema(), place);
    const [first] = source.columns;
    if (first === undefined) throw new DrayError('COLUMN_MISSING', 'the source has no columns', { side: 'source' });
    const delivered = await deliveredBy(content.transformers, source, context);
    const splitBytes = options.splitBytes ?? splitBytesAt(options.bytesPerSecond);
    const threadBytes = options.mayBeFewer ? threadBytesAt(options.bytesPerSecond ?? presetBytesPerSecond) : undefined;
    const wanted = { channels, splitBytes, threadBytes };
    const hint: SplitHint = { channels, bytesPerTask: (total) => bytesPerTask(total, wanted) };
    const parts = (await on('source', signal, () => reader.split?.(hint), place)) ?? [{ name: 'all' }];
    const splitPlan = await on(
      'source',
      signal,
      () => planSplits(reader, parts, { ...wanted, announce: note, progress: options.planning }),
      place,
    );
    return { content, reader, source, delivered, resumed: undefined, ...splitPlan };
  } catch (error) {
    await Promise.allSettled([reader.close?.()]);
    throw error;
  }
}

/** The plan of another target of the same rows. */
export async function planBeside(first: Plan, content: Content, { context }: PlanOptions): Promise<Plan> {
  return { ...first, content, parts: [], delivered: await deliveredBy(content.transformers, first.source, context) };
}

/** Opens both ends of a content, and says what is odd about the source. Changes nothing. */
export async function openPlan(content: Content, options: PlanOptions): Promise<OpenPlan> {
  return openTarget(content, await planContent(content, options), options);
}

/** The same for a content whose source is open. */
export async function openTarget(content: Content, plan: Plan, options: PlanOptions): Promise<OpenPlan> {
  for (const { notes } of plan.parts) for (const note of notes) options.note(note);
  const { context } = options;
  try {
    return { ...plan, writer: await on('target', context.signal, () => openWriter(content, context), content.writer.place) };
  } catch (error) {
    await closePlan(plan);
    throw error;
  }
}

function openWriter({ writer }: Content, context: PluginContext): Promise<Writer> | Writer {
  return writer.plugin.open(writer.options, context);
}

/** Has the source checked before anything is loaded. */
export async function verifySource({ reader, splits }: Plan, signal: AbortSignal): Promise<void> {
  await on('source', signal, () => reader.verify?.(splits));
}

/** Makes the target ready and checks that the columns behind the transformers go into it. */
export async function prepareTarget({ content, writer, delivered }: OpenPlan, intent: WriteIntent, signal: AbortSignal): Promise<Target> {
  const { place } = content.writer;
  return matched(
    delivered,
    await on('target', signal, () => writer.prepare?.(delivered, intent) ?? writer.inspect(delivered), place),
    place,
  );
}

/** The same without changing anything. */
export async function inspectTarget({ content, writer, delivered }: OpenPlan, signal: AbortSignal): Promise<Target> {
  const { place } = content.writer;
  return matched(delivered, await on('target', signal, () => writer.inspect(delivered), place), place);
}

/** Releases both ends; what fails then has nothing left to spoil. */
export async function closePlan(plan: Plan & Partial<OpenPlan>): Promise<void> {
  await Promise.allSettled([closeReader(plan), plan.writer?.close?.()]);
}

const closedReaders = new WeakSet<Reader>();

/** Releases the source, once: what is read of it, and the snapshot it holds. */
export async function closeReader({ reader }: Plan): Promise<void> {
  if (closedReaders.has(reader)) return;
  closedReaders.add(reader);
  await Promise.allSettled([reader.close?.()]);
}

function matched(delivered: Schema, target: Target, place: string | undefined): Target {
  const [from, to] = [delivered.columns.length, target.schema.columns.length];
  if (from === to) return target;
  const names = ({ columns }: Schema) => columns.map(({ name }) => name).join(', ');
  throw new DrayError(
    'COLUMN_COUNT',
    `the reader delivers ${from} column${from === 1 ? '' : 's'} (${names(delivered)}) and the writer takes ${to} (${names(target.schema)})`,
    place === undefined ? {} : { place },
  );
}

/**
 * Calls a plugin; what it throws becomes an error of that side. A cancelled run does not wait long for it.
 * @param place where the plugin stands in the job file, for an error that has no better place
 */
export async function on<T>(side: Side, signal: AbortSignal, call: () => T, place?: string): Promise<Awaited<T>> {
  signal.throwIfAborted();
  try {
    return await orAborted((async () => await call())(), signal, cancelGraceMs);
  } catch (error) {
    throw asDrayError(error, place === undefined ? { side } : { side, place });
  }
}
