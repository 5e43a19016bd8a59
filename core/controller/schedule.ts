import { freemem } from 'node:os';
import type { Content, Job } from '../job/load-job.ts';
import type { Speeds } from '../ledger/speeds.ts';
import { type Bound, estimate, presetBytesPerSecond } from '../scheduler/estimate.ts';
import type { Split } from '../sdk/index.ts';
import { bytesOf } from '../splitter/size.ts';
import { type Dispatcher, defaultPool } from './dispatcher.ts';
import { bytesPerThread, defaultChannels } from './limits.ts';
import type { Plan } from './plan.ts';
import type { RunHandle } from './run-handle.ts';
import { taskLines } from './task-lines.ts';
import { Turns } from './turns.ts';

/** How the tasks of a content are scheduled. */
export interface ScheduledContent {
  /** undefined: an earlier process of the run has committed all tasks. */
  readonly turns: Turns | undefined;
  /** Most tasks side by side. */
  readonly width: number;
  readonly why: string;
  /** The user has said so. */
  readonly isFixed: boolean;
}

interface ContentFacts {
  readonly content: number;
  readonly taskIds: readonly number[];
  /** Servers whose budgets a task takes from that reads this split. */
  readonly resourcesOf: (split: Split) => readonly string[];
  /** What these servers take at once. */
  readonly bounds: readonly Bound[];
  readonly isCommitted: (task: number) => boolean;
}

interface ScheduleContext {
  readonly run: string;
  /** From the job file or the command line; undefined: to be worked out. */
  readonly channels: number | undefined;
  readonly dispatcher: Dispatcher;
  readonly handle: RunHandle;
  readonly speeds: Speeds;
}

/** The systems of a content, as the measured speeds name them. @param targets the contents that read the same rows */
export function pairOf(targets: readonly Pick<Content, 'reader' | 'writer'>[]): string {
  return `${targets[0]?.reader.plugin.name} → ${targets.map(({ writer }) => writer.plugin.name).join(' + ')}`;
}

/** Works out what the scheduler must know of a run's contents, and submits their tasks. */
export class Schedule {
  readonly #job: Job;
  readonly #context: ScheduleContext;

  constructor(job: Job, context: ScheduleContext) {
    this.#job = job;
    this.#context = context;
  }

  /** Submits the tasks of a content that are not committed yet. @param plans by target */
  async content(
    plans: readonly [Plan, ...Plan[]],
    { content, taskIds, resourcesOf, bounds: serverBounds, isCommitted }: ContentFacts,
  ): Promise<ScheduledContent> {
    const [plan] = plans;
    const { run, channels, dispatcher, handle, speeds } = this.#context;
    const { finishWithinMs, deadlineAt, pool = defaultPool } = this.#job;
    const measured = await speeds.of(pairOf(plans.map((one) => one.content)));
    const bounds: Bound[] = [
      { what: 'the cores of this machine', threads: defaultChannels() },
      { what: 'the memory of this machine', threads: freemem() / bytesPerThread },
      ...serverBounds,
    ];
    const size = {
      tasks: plan.splits.length,
      bytes: plan.estimatedBytes,
      bytesPerSecond: measured ?? presetBytesPerSecond,
      finishWithinMs,
    };
    const { firstRound, taskMs, why } = estimate(size, bounds);
    const width = Math.min(channels ?? firstRound, plan.splits.length);
    const tasks = plan.splits
      .map((split, index) => {
        const bytes = bytesOf(split);
        return {
          id: taskIds[index]!,
          weightMs: bytes === undefined ? taskMs : Math.max(1, (bytes / size.bytesPerSecond) * 1000),
          resources: resourcesOf(split),
          isLast: (split.members ?? [split]).every(({ range }) => range?.excludesFrom === true),
          isCuttable: plans.length === 1 && width > 1 && (split.members?.length ?? 0) > 1,
        };
      })
      .filter(({ id }) => !isCommitted(id));
    const scheduled = { width, isFixed: channels !== undefined, why: channels === undefined ? why : 'as the job or the command line says' };
    if (tasks.length === 0) return { ...scheduled, turns: undefined };
    const name = `${run}/${content}`;
    const facts = {
      job: name,
      priority: handle.priority,
      deadlineAt: deadlineAt === undefined ? undefined : deadlineAt - Date.now() + performance.now(),
      pool,
      firstRound: channels === undefined ? firstRound : width,
      maxRunning: width,
      isPaused: handle.isPaused,
    };
    const lines = taskLines(facts, tasks);
    const turns = new Turns(dispatcher, lines);
    if (channels !== undefined) dispatcher.widen(name, pool, width);
    for (const { job } of lines.lines) handle.submitted(job, job === name ? pool : undefined);
    return { ...scheduled, turns };
  }
}
