import type { Job } from '../job/load-job.ts';
import { type Bound, estimate, presetBytesPerSecond } from '../scheduler/estimate.ts';
import type { TaskFacts } from '../scheduler/events.ts';
import { bytesOf } from '../splitter/size.ts';
import { type Dispatcher, defaultPool } from './dispatcher.ts';
import { defaultChannels } from './limits.ts';
import type { Plan } from './plan.ts';
import type { RunHandle } from './run-handle.ts';
import { Turns } from './turns.ts';

/** How the tasks of a content are scheduled. */
export interface ScheduledContent {
  /** undefined: an earlier process of the run has committed all tasks. */
  readonly turns: Turns | undefined;
  /** Most tasks side by side. */
  readonly width: number;
  readonly why: string;
}

interface ScheduleContext {
  readonly run: string;
  /** From the job file or the command line; undefined: to be worked out. */
  readonly channels: number | undefined;
  readonly dispatcher: Dispatcher;
  readonly handle: RunHandle;
}

/** Works out what the scheduler must know of a run's contents, and submits their tasks. */
export class Schedule {
  readonly #job: Job;
  readonly #context: ScheduleContext;

  constructor(job: Job, context: ScheduleContext) {
    this.#job = job;
    this.#context = context;
  }

  content(
    plan: Plan,
    { content, firstTask, isCommitted }: { content: number; firstTask: number; isCommitted: (task: number) => boolean },
  ): ScheduledContent {
    const { run, channels, dispatcher, handle } = this.#context;
    const { finishWithinMs, deadlineAt, pool = defaultPool } = this.#job;
    const bounds: Bound[] = [{ what: 'the cores of this machine', threads: defaultChannels() }];
    const size = { tasks: plan.splits.length, bytes: plan.estimatedBytes, bytesPerSecond: presetBytesPerSecond, finishWithinMs };
    const { firstRound, taskMs, why } = estimate(size, bounds);
    const width = Math.min(channels ?? firstRound, plan.splits.length);
    const tasks = plan.splits
      .map((split, index): TaskFacts => {
        const bytes = bytesOf(split);
        return { id: firstTask + index, weightMs: bytes === undefined ? taskMs : Math.max(1, (bytes / size.bytesPerSecond) * 1000) };
      })
      .filter(({ id }) => !isCommitted(id));
    const scheduled = { width, why: channels === undefined ? why : 'as the job or the command line says' };
    if (tasks.length === 0) return { ...scheduled, turns: undefined };
    const name = `${run}/${content}`;
    if (channels !== undefined) dispatcher.widen(name, pool, width);
    const facts = {
      job: name,
      priority: handle.priority,
      deadlineAt: deadlineAt === undefined ? undefined : deadlineAt - Date.now() + performance.now(),
      pool,
      resources: [],
      firstRound: channels === undefined ? firstRound : width,
      maxRunning: width,
      isPaused: handle.isPaused,
      tasks,
    };
    const turns = new Turns(dispatcher, facts);
    handle.submitted(name);
    return { ...scheduled, turns };
  }
}
