import type { Course } from '../core/bench/course.ts';
import type { LaneType } from '../core/bench/results.ts';
import type { Arena } from './arena.ts';

export interface LaneOrder {
  /** Rows of `orders`; other fixtures take as many as make about as many bytes. */
  readonly rows: number;
  /** The numbers of channels that dray is run with, in turn. */
  readonly channels: readonly number[];
  readonly arena: Arena;
}

/** Commands that do the same work, and what stands before and after each run of one. */
export type LaneCourse = Pick<Course, 'rows' | 'contestants' | 'prepare' | 'check'>;

/** Makes ready what the commands of a lane need. */
export type OpenLane = (order: LaneOrder) => Promise<LaneCourse>;

/** What is compared with what. */
export interface Lane {
  readonly name: string;
  readonly type: LaneType;
  readonly open: OpenLane;
  /** Rows of `orders` where it is not what the bench was asked for. */
  readonly rows?: (asked: number) => number;
  /** Runs of each command, likewise. */
  readonly runs?: (asked: number) => number;
  /** Numbers of channels, likewise. */
  readonly channels?: readonly number[];
}
