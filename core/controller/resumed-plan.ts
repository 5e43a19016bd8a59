import type { Content } from '../job/load-job.ts';
import type { PlannedContent } from '../ledger/events.ts';
import { DrayError, type Schema, type Side, type Target, type WriteIntent } from '../sdk/index.ts';
import { deliveredBy } from './delivered.ts';
import { type OpenPlan, on, type Plan, type PlanOptions, prepareTarget } from './plan.ts';

/** Opens the source of a content that an earlier process of the run has planned. @throws DrayError SCHEMA_CHANGED if its columns are others now */
export async function resumedPlan(content: Content, planned: PlannedContent, { context }: PlanOptions): Promise<Plan> {
  const { source, splits } = planned;
  const reader = await on('source', context.signal, () => content.reader.plugin.open(content.reader.options, context));
  let delivered: Schema;
  try {
    refuseChanged(source, await on('source', context.signal, () => reader.schema(splits)), 'source');
    delivered = await deliveredBy(content.transformers, source, context);
  } catch (error) {
    await Promise.allSettled([reader.close?.()]);
    throw error;
  }
  const rows = splits.map(({ estimatedRows }) => estimatedRows);
  const estimatedRows = rows.every((one) => one !== undefined) ? rows.reduce((sum, one) => sum + one, 0) : undefined;
  return { content, reader, source, delivered, resumed: planned, splits, parts: [], estimatedRows, estimatedBytes: undefined };
}

/** Makes a target ready in which an earlier process of the run has written. @throws DrayError SCHEMA_CHANGED if its columns are others now */
export async function resumedTarget(plan: OpenPlan, before: Target, intent: WriteIntent, signal: AbortSignal): Promise<Target> {
  const target = await prepareTarget(plan, intent, signal);
  refuseChanged(before.schema, target.schema, 'target');
  return target;
}

/** Names and types of the columns must be what they were. */
function refuseChanged({ columns: before }: Schema, { columns: now }: Schema, side: Side): void {
  const count = Math.max(before.length, now.length);
  for (let place = 0; place < count; place++) {
    const [was, is] = [textOf(before[place]), textOf(now[place])];
    if (was === is) continue;
    const message = `the columns of the ${side} are not those that the run began with: column ${place + 1} was ${was} and is ${is}`;
    throw new DrayError('SCHEMA_CHANGED', message, { side });
  }
}

function textOf(column: Schema['columns'][number] | undefined): string {
  return column === undefined ? 'not there' : `${column.name} (${column.type})`;
}
