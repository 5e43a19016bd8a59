import type { Json, Split, Target } from '../sdk/index.ts';
import { type PlannedContent, type RunChange, type RunEvent, type StoredEvent, taskOf } from './events.ts';

/** A content as the journal knows it. */
export interface ContentState {
  plan?: PlannedContent;
  target?: Target;
  /** Points in time that tasks have read at. */
  snapshots: number;
  isPublished: boolean;
  isDiscarded: boolean;
  isRolledBack: boolean;
  /** What `rollback` of the writer needs; null if there is nothing to bring back. */
  published: Json;
}

export interface TaskState {
  committed?: { readonly attempt: number; readonly commit: Json; readonly tally: Json };
  /** An attempt was about to commit when the process died. */
  isInDoubt: boolean;
}

export interface Replay {
  readonly content: number;
  readonly task: number;
  /** Ids of quarantined rows. */
  readonly rows: readonly string[];
}

/** Replays are tasks of the run, too, with numbers behind all others. */
const firstReplay = 1_000_000;

/**
 * `waiting`: for its turn, at a server. `interrupted`: its process is gone, or has stopped, without a word; or the server that ran it was stopped.
 */
export type StoredState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';

/** All that the journal of a run says. */
export interface RunState {
  readonly begun: Extract<RunEvent, { type: 'begun' }>;
  readonly ended: Extract<RunEvent, { type: 'ended' }> | undefined;
  /** Its turn to begin has come, in the process that has it. */
  readonly isOpened: boolean;
  readonly changes: RunChange;
  readonly contents: ReadonlyMap<number, ContentState>;
  readonly tasks: ReadonlyMap<number, TaskState>;
  /** Rows of the quarantine that have been loaded since, by their ids. */
  readonly replayed: ReadonlySet<string>;
  /** Replays that have begun, and of which it is not known whether they were committed. */
  readonly replaying: readonly Replay[];
  /** Number of the next replay's task. */
  readonly nextReplay: number;
}

/** Folds a journal; undefined if it does not even say how the run began. */
export function runState(stored: readonly StoredEvent[]): RunState | undefined {
  const events = withoutLate(stored);
  const [begun] = events;
  if (begun?.type !== 'begun') return undefined;
  const contents = new Map<number, ContentState>();
  const tasks = new Map<number, TaskState>();
  const replayed = new Set<string>();
  const replaying = new Map<number, Replay>();
  let nextReplay = firstReplay;
  let ended: RunState['ended'];
  let isOpened = false;
  let changes: RunChange = {};
  const content = (number: number): ContentState => {
    const known = contents.get(number) ?? {
      snapshots: 0,
      isPublished: false,
      isDiscarded: false,
      isRolledBack: false,
      published: null,
    };
    contents.set(number, known);
    return known;
  };
  for (const event of events) {
    switch (event.type) {
      case 'begun':
      case 'started':
        break;
      case 'changed': {
        const { priority = changes.priority, channels = changes.channels, isPaused = changes.isPaused } = event;
        changes = { priority, channels, isPaused };
        break;
      }
      case 'failed':
        tasks.set(event.task, { isInDoubt: event.code === 'COMMIT_UNKNOWN' });
        break;
      case 'opened':
        isOpened = true;
        break;
      case 'resumed':
        ended = undefined;
        isOpened = false;
        break;
      case 'planned': {
        const { type: _, content: number, ...plan } = event;
        content(number).plan = plan;
        break;
      }
      case 'cut': {
        const known = content(event.content);
        if (known.plan !== undefined) known.plan = afterCut(known.plan, event);
        break;
      }
      case 'prepared':
        content(event.content).target = event.target;
        break;
      case 'snapshot':
        content(event.content).snapshots++;
        break;
      case 'committing':
        tasks.set(event.task, { isInDoubt: true });
        break;
      case 'committed': {
        const { attempt, commit, tally } = event;
        tasks.set(event.task, { isInDoubt: false, committed: { attempt, commit, tally } });
        break;
      }
      case 'published':
        Object.assign(content(event.content), { isPublished: true, published: event.published });
        break;
      case 'discarded':
        content(event.content).isDiscarded = true;
        break;
      case 'rolled back':
        content(event.content).isRolledBack = true;
        break;
      case 'replaying': {
        const { type: _, ...replay } = event;
        replaying.set(event.task, replay);
        nextReplay = event.task + 1;
        break;
      }
      case 'replayed': {
        for (const row of replaying.get(event.task)?.rows ?? []) replayed.add(row);
        replaying.delete(event.task);
        break;
      }
      case 'ended':
        ended = event;
        break;
    }
  }
  return { begun, ended, isOpened, changes, contents, tasks, replayed, replaying: [...replaying.values()], nextReplay };
}

function afterCut(plan: PlannedContent, { task, keeps, rest }: Extract<RunEvent, { type: 'cut' }>): PlannedContent {
  const place = plan.splits.findIndex((_, index) => taskOf(plan, index) === task);
  const { kept, given } = cutSplit(plan.splits[place]!, keeps);
  return { ...plan, splits: [...plan.splits.with(place, kept), given], cutOff: [...(plan.cutOff ?? []), rest] };
}

/** A split whose task keeps the first `keeps` members, and the split of the task that reads the others. */
export function cutSplit(split: Split, keeps: number): { kept: Split; given: Split } {
  const members = split.members ?? [];
  return { kept: withMembers(split, members.slice(0, keeps)), given: withMembers(split, members.slice(keeps)) };
}

function withMembers(split: Split, members: readonly Split[]): Split {
  const sum = (key: 'estimatedRows' | 'estimatedBytes') => {
    const sizes = members.map((member) => member[key]);
    return sizes.includes(undefined) ? {} : { [key]: sizes.reduce<number>((total, size) => total + size!, 0) };
  };
  return { ...split, members, ...sum('estimatedRows'), ...sum('estimatedBytes') };
}

/** Leaves out what a process said after another one had taken the run: it was asleep, and does not know better. */
export function withoutLate(events: readonly StoredEvent[]): StoredEvent[] {
  let latest = 1;
  return events.filter(({ epoch = latest }) => {
    latest = Math.max(latest, epoch);
    return epoch === latest;
  });
}

/** Whether `dray resume` can go on with it. */
export function isResumable({ ended, contents }: RunState): boolean {
  return ended?.state !== 'done' && [...contents.values()].every(({ isDiscarded }) => !isDiscarded);
}
