import type { Content, Job } from '../job/load-job.ts';
import { taskOf } from '../ledger/events.ts';
import type { RunLedger } from '../ledger/run-store.ts';
import type { WriterPlugin } from '../sdk/index.ts';
import { closePlan, type OpenPlan, openTarget, type Plan, type PlanOptions, planBeside, planContent } from './plan.ts';
import { resumedPlan } from './resumed-plan.ts';
import { pairOf } from './schedule.ts';

/** A target of a content of the job file. */
export interface NumberedTarget {
  readonly content: Content;
  /** Under which the journal knows it. */
  readonly number: number;
}

export interface OpenTarget extends NumberedTarget {
  readonly plan: OpenPlan;
}

export interface OpeningOptions extends PlanOptions {
  /** Told how many tasks will need threads, before their target is looked at. */
  readonly getReady: (tasks: number, content: Content) => void;
}

/** The contents of the job file, each with its targets. */
export function entriesOf({ contents }: Pick<Job, 'contents'>): NumberedTarget[][] {
  const entries: NumberedTarget[][] = [];
  for (const [number, content] of contents.entries()) {
    if (content.fanOut === undefined || content.fanOut.target === 0) entries.push([]);
    entries.at(-1)!.push({ content, number });
  }
  return entries;
}

/** Looks at the source of a content, once, and opens its targets. Those that an earlier process of the run has planned go on with that plan. */
export async function openTargets(targets: readonly NumberedTarget[], options: OpeningOptions, ledger: RunLedger): Promise<OpenTarget[]> {
  const [first] = targets;
  if (first === undefined) return [];
  const planned = targets.find(({ number }) => mustKeepPlan(ledger, number));
  const stored = ({ number }: NumberedTarget) => ledger.earlier?.contents.get(number)?.plan;
  const bytesPerSecond = await ledger.speeds.of(pairOf(targets.map(({ content }) => content)));
  const looking =
    planned === undefined
      ? planContent(first.content, { ...options, bytesPerSecond })
      : resumedPlan(first.content, stored(planned)!, options);
  // Beside what the source is asked.
  for (const { content } of targets) void loadQuietly(content.writer.plugin);
  const source: Plan = planned === undefined ? await looking : { ...(await looking), resumed: stored(first) };
  options.getReady(source.splits.length, first.content);
  const open: OpenTarget[] = [];
  try {
    for (const target of targets) {
      const { content } = target;
      const beside = target === first ? source : await planBeside(source, content, options);
      // One whose plan was not written down any more reads what the others read.
      const plan = planned === undefined ? beside : { ...beside, resumed: stored(target) };
      open.push({ ...target, plan: await openTarget(content, plan, options) });
    }
    return open;
  } catch (error) {
    await closePlan(source);
    await Promise.all(open.map(({ plan }) => closePlan(plan)));
    throw error;
  }
}

/** Whatever a plugin does instead of what it should: `open` says what is wrong. */
async function loadQuietly(plugin: WriterPlugin): Promise<void> {
  try {
    await plugin.load?.();
  } catch {
    // Told by `open`.
  }
}

/** A content of which nothing is committed yet may as well be planned anew. */
function mustKeepPlan({ earlier }: RunLedger, number: number): boolean {
  const plan = earlier?.contents.get(number)?.plan;
  if (plan === undefined) return false;
  const isBegun = plan.splits.some((_, place) => {
    const task = earlier?.tasks.get(taskOf(plan, place));
    return task?.committed !== undefined || task?.isInDoubt === true;
  });
  return plan.guarantee !== 'at-least-once' || isBegun;
}
