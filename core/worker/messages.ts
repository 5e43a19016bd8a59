import type { MessagePort } from 'node:worker_threads';
import type { ErrorWire } from '../sdk/index.ts';
import type { DirtyRecord, TaskCounters, TaskSpec } from '../task/spec.ts';

/** What the pool gives a thread: the task, and the port on which both talk while it runs. */
export interface TaskAssignment {
  readonly spec: TaskSpec;
  readonly port: MessagePort;
}

export type ToWorker = { readonly type: 'cancel'; readonly reason: ErrorWire };

export type FromWorker =
  | { readonly type: 'progress'; readonly counters: TaskCounters }
  | { readonly type: 'dirty'; readonly record: DirtyRecord }
  | { readonly type: 'warn'; readonly message: string }
  | { readonly type: 'print'; readonly text: string };
