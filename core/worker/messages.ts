import type { MessagePort } from 'node:worker_threads';
import type { PluginRef } from '../registry/plugin-ref.ts';
import type { ErrorWire } from '../sdk/index.ts';
import type { DirtyRecord, LaneSpec, TaskCounters, TaskOutcome, TaskSpec, TaskTally } from '../task/spec.ts';

/**
 * What the thread of a lane is given to do, one after the other; `port` is where both talk while it does.
 * `load`: plugins that its tasks will need are imported ahead of them.
 * `snapshot` of a task: the one that its lane has joined. A thread that has taken the place of one that died joins it first, if that can still be.
 */
export type Assignment =
  | { readonly type: 'join'; readonly spec: LaneSpec; readonly port: MessagePort }
  | { readonly type: 'load'; readonly plugins: readonly PluginRef[] }
  | { readonly type: 'run'; readonly spec: TaskSpec; readonly snapshot: LaneSpec | undefined; readonly port: MessagePort }
  | { readonly type: 'close' };

/** How an assignment ended: of `join`, what kept it from joining; of `run`, the outcome. */
export type Answer = ErrorWire | TaskOutcome | undefined;

/** `task` in messages: one of those beside the task that runs; undefined: itself. */
export type ToWorker =
  | { readonly type: 'cut' }
  | { readonly type: 'cancel'; readonly reason: ErrorWire }
  /** The answer to `ready`: commit, or do not and fail with this. */
  | { readonly type: 'commit'; readonly task: number | undefined; readonly refused?: ErrorWire };

export type FromWorker =
  | { readonly type: 'progress'; readonly task: number | undefined; readonly counters: TaskCounters }
  | { readonly type: 'dirty'; readonly task: number | undefined; readonly record: DirtyRecord }
  | { readonly type: 'ready'; readonly task: number | undefined; readonly tally: TaskTally }
  /** The answer to `cut`. */
  | { readonly type: 'cut'; readonly keeps: number | undefined }
  | { readonly type: 'warn'; readonly message: string }
  | { readonly type: 'print'; readonly text: string };
