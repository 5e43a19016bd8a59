import type { Content } from '../job/load-job.ts';
import {
  asDrayError,
  DrayError,
  type PluginContext,
  type Reader,
  type Schema,
  type Side,
  type Split,
  type Target,
  type Writer,
} from '../sdk/index.ts';
import { cutSplits } from '../splitter/splitter.ts';
import { orAborted } from '../task/or-aborted.ts';

/** How long a plugin may take to give up looking at a source or preparing a target, once the run is cancelled. */
const cancelGraceMs = 3000;

/** A content whose source has been looked at: what it delivers, and in which tasks. */
export interface Plan {
  readonly content: Content;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly source: Schema;
  readonly splits: readonly Split[];
  /** Sum over the splits; undefined if one of them does not know. */
  readonly estimatedRows: number | undefined;
}

/** Opens both ends of a content, reads the source's columns and cuts it into splits. Changes nothing. */
export async function openPlan(content: Content, channels: number, context: PluginContext): Promise<Plan> {
  const { signal } = context;
  const reader = await on('source', signal, () => content.reader.plugin.open(content.reader.options, context));
  let writer: Writer | undefined;
  try {
    const source = await on('source', signal, () => reader.schema());
    const [first] = source.columns;
    if (first === undefined) throw new DrayError('COLUMN_MISSING', 'the source has no columns', { side: 'source' });
    const offered = (await on('source', signal, () => reader.split?.({ channels }))) ?? [{ name: 'all' }];
    const splits = cutSplits(offered, channels);
    writer = await on('target', signal, () => content.writer.plugin.open(content.writer.options, context));
    const estimatedRows = splits.reduce<number | undefined>(
      (sum, { estimatedRows: rows }) => (sum === undefined || rows === undefined ? undefined : sum + rows),
      0,
    );
    return { content, reader, writer, source, splits, estimatedRows };
  } catch (error) {
    await Promise.allSettled([reader.close?.(), writer?.close?.()]);
    throw error;
  }
}

/** Makes the target ready and checks that the source's columns go into it. */
export async function prepareTarget({ writer, source }: Plan, signal: AbortSignal): Promise<Target> {
  return matched(source, await on('target', signal, () => writer.prepare?.(source) ?? writer.inspect(source)));
}

/** The same without changing anything. */
export async function inspectTarget({ writer, source }: Plan, signal: AbortSignal): Promise<Target> {
  return matched(source, await on('target', signal, () => writer.inspect(source)));
}

/** Releases both ends; what fails then has nothing left to spoil. */
export async function closePlan({ reader, writer }: Plan): Promise<void> {
  await Promise.allSettled([reader.close?.(), writer.close?.()]);
}

function matched(source: Schema, target: Target): Target {
  const [from, to] = [source.columns.length, target.schema.columns.length];
  if (from === to) return target;
  const names = ({ columns }: Schema) => columns.map(({ name }) => name).join(', ');
  throw new DrayError(
    'COLUMN_COUNT',
    `the reader delivers ${from} column${from === 1 ? '' : 's'} (${names(source)}) and the writer takes ${to} (${names(target.schema)})`,
  );
}

/** Calls a plugin; what it throws becomes an error of that side. A cancelled run does not wait long for it. */
async function on<T>(side: Side, signal: AbortSignal, call: () => T): Promise<Awaited<T>> {
  signal.throwIfAborted();
  try {
    return await orAborted((async () => await call())(), signal, cancelGraceMs);
  } catch (error) {
    throw asDrayError(error, { side });
  }
}
