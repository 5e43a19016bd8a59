import type { SourceHealth } from '../sdk/index.ts';
import { type Judgement, judge } from './judge.ts';
import type { SourceLimits } from './limits.ts';

/** What a governor is told. */
export type GovernorEvent =
  | { readonly type: 'limits'; readonly limits: SourceLimits }
  | { readonly type: 'health'; readonly health: SourceHealth }
  /** A question about its health failed, or took too long. `reason` is a part of a sentence. */
  | { readonly type: 'unanswered'; readonly reason: string }
  | { readonly type: 'task started' }
  | { readonly type: 'task ended' }
  /** Bytes of packed rows, of all tasks together. */
  | { readonly type: 'moved'; readonly bytes: number };

/** All that a governor remembers. Plain values; times are milliseconds of a clock that never goes back. */
export interface GovernorState {
  readonly limits: SourceLimits;
  readonly running: number;
  /** Tasks that the server's health allows, from `leastLevel`; less than 1: one task, at that share of its speed. Infinity: all. */
  readonly level: number;
  /** Half of the server's free connections; Infinity: not known. */
  readonly freeHalf: number;
  /** Since when there is room for more of them. */
  readonly freeSince: number | undefined;
  /** Undefined: the server is well, and has been well for long enough. Else what ran when it was not, or would have, and what is wrong with it. */
  readonly slowed: { readonly tasks: number; readonly bytesPerSecond: number; readonly cause: string } | undefined;
  readonly decreasedAt: number;
  readonly increasedAt: number;
  /** Since when its health is good; undefined: it is not. */
  readonly goodSince: number | undefined;
  /** The level that was found too much, and how long its health must have been good before that is tried again. */
  readonly tooMuch: number;
  readonly patienceMs: number;
  /** Questions in a row that were not answered. */
  readonly unanswered: number;
  readonly pausedUntil: number | undefined;
  /** Before that it is not paused again. */
  readonly noPauseBefore: number;
  /** How fast rows pass, and what has been counted since the last look. */
  readonly flow: { readonly perSecond: number; readonly bytes: number; readonly since: number };
}

/** A decrease is given so long to show. */
const settleMs = 5000;
/** For so long health must be good before each step up. */
const stepMs = 5000;
/** A level that was too much is tried again after so long, each time later. */
const patience = { firstMs: 10_000, mostMs: 320_000 };
/** Nothing new begins for so long at most; then for so long something does. */
const pause = { mostMs: 60_000, workMs: 60_000 };
const unansweredIsTerrible = 3;
const leastLevel = 1 / 8;
const flowWindowMs = 1000;
const freeRoomMs = 10_000;

/** A server of which nothing is known. */
export function newGovernorState(limits: SourceLimits, now: number): GovernorState {
  return {
    limits,
    running: 0,
    level: Infinity,
    freeHalf: Infinity,
    freeSince: undefined,
    slowed: undefined,
    decreasedAt: -Infinity,
    increasedAt: -Infinity,
    goodSince: undefined,
    tooMuch: Infinity,
    patienceMs: patience.firstMs,
    unanswered: 0,
    pausedUntil: undefined,
    noPauseBefore: -Infinity,
    flow: { perSecond: 0, bytes: 0, since: now },
  };
}

/** Most tasks, whatever the health: what the jobs say, or half of what is free. */
export function budgetOf({ limits, freeHalf }: GovernorState): number {
  return limits.maxConnections ?? freeHalf;
}

/**
 * The state after an event. Additive increase, multiplicative decrease (Chiu and Jain, 1989): bad health halves the tasks at once, and again every five seconds as
 * long as it lasts; good health adds one every five seconds, but tries a level that was too much again only after 10 s, 20 s, 40 s … up to 5 minutes. Between
 * 80 % of a limit and the limit nothing changes. At least one task goes on, at an eighth of its speed in the end. With terrible health (four times a limit,
 * three questions unanswered) nothing new begins, for a minute at most; after that, for a minute at least, one task may.
 */
export function govern(before: GovernorState, event: GovernorEvent, now: number): GovernorState {
  const state = withPauseEnded(before, now);
  switch (event.type) {
    case 'limits':
      return { ...state, limits: event.limits };
    case 'task started':
      return { ...state, running: state.running + 1 };
    case 'task ended':
      return { ...state, running: Math.max(0, state.running - 1) };
    case 'moved':
      return { ...state, flow: flowAfter(state.flow, event.bytes, now) };
    case 'unanswered': {
      const unanswered = state.unanswered + 1;
      const verdict = unanswered >= unansweredIsTerrible ? 'terrible' : 'bad';
      return afterJudgement({ ...state, unanswered }, { verdict, cause: event.reason }, now);
    }
    case 'health': {
      const told = withFreeConnections({ ...state, unanswered: 0, flow: flowAfter(state.flow, 0, now) }, event.health, now);
      return afterJudgement(told, judge(event.health, state.limits), now);
    }
  }
}

function afterJudgement(state: GovernorState, { verdict, cause }: Judgement, now: number): GovernorState {
  switch (verdict) {
    case 'good':
      return increased({ ...state, pausedUntil: undefined, goodSince: state.goodSince ?? now }, now);
    case 'near':
      return { ...state, pausedUntil: undefined, goodSince: undefined };
    case 'bad':
      return decreased({ ...state, pausedUntil: undefined, goodSince: undefined }, cause, now);
    case 'terrible': {
      const slower = decreased({ ...state, goodSince: undefined }, cause, now);
      const pausedUntil = state.pausedUntil ?? (now < state.noPauseBefore ? undefined : now + pause.mostMs);
      return { ...slower, level: Math.min(1, slower.level), pausedUntil };
    }
  }
}

function decreased(state: GovernorState, cause: string, now: number): GovernorState {
  const { level, running, flow, slowed: before } = state;
  const budget = budgetOf(state);
  const tasks = before?.tasks ?? (running > 0 || !Number.isFinite(budget) ? Math.max(1, running) : budget);
  // What all of them would move, where it is not known yet.
  const bytesPerSecond = before?.bytesPerSecond || (flow.perSecond * tasks) / Math.max(1, running);
  const slowed = { tasks, bytesPerSecond, cause };
  if (now - state.decreasedAt < settleMs) return { ...state, slowed };
  // More may be allowed than runs: half of that would change nothing.
  const used = Math.min(level, budget, Math.max(1, running));
  const isAgain = state.increasedAt > state.decreasedAt;
  return {
    ...state,
    slowed,
    level: running === 0 ? Math.min(1, level) : used > 1 ? Math.floor(used / 2) : Math.max(leastLevel, used / 2),
    decreasedAt: now,
    tooMuch: used,
    patienceMs: isAgain ? Math.min(patience.mostMs, 2 * state.patienceMs) : state.patienceMs,
  };
}

function increased(state: GovernorState, now: number): GovernorState {
  const { level, slowed, goodSince = now, increasedAt, decreasedAt, tooMuch, patienceMs } = state;
  if (slowed === undefined) return now - decreasedAt > patience.mostMs ? { ...state, patienceMs: patience.firstMs } : state;
  if (now - Math.max(goodSince, increasedAt, decreasedAt) < stepMs) return state;
  const next = level < 1 ? Math.min(1, level + 0.25) : level + 1;
  const isRisky = next >= tooMuch && level < tooMuch;
  if (isRisky && now - Math.max(goodSince, decreasedAt) < patienceMs) return state;
  const budget = budgetOf(state);
  const isWhole = next >= (Number.isFinite(budget) ? budget : slowed.tasks);
  return { ...state, increasedAt: now, level: isWhole ? Infinity : next, slowed: isWhole ? undefined : slowed };
}

function withPauseEnded(state: GovernorState, now: number): GovernorState {
  if (state.pausedUntil === undefined || now < state.pausedUntil) return state;
  return { ...state, pausedUntil: undefined, noPauseBefore: state.pausedUntil + pause.workMs };
}

/** Less room counts at once, more of it when it has stayed. Connections of our tasks are ours to use again. */
function withFreeConnections(state: GovernorState, { maxConnections, usedConnections }: SourceHealth, now: number): GovernorState {
  if (maxConnections === undefined || usedConnections === undefined) return state;
  const half = Math.max(1, Math.floor((maxConnections - usedConnections + state.running) / 2));
  if (half <= state.freeHalf) return { ...state, freeHalf: half, freeSince: undefined };
  const freeSince = state.freeSince ?? now;
  return now - freeSince < freeRoomMs ? { ...state, freeSince } : { ...state, freeHalf: half, freeSince: undefined };
}

function flowAfter(flow: GovernorState['flow'], moved: number, now: number): GovernorState['flow'] {
  const bytes = flow.bytes + moved;
  const ms = now - flow.since;
  if (ms < flowWindowMs) return { ...flow, bytes };
  const current = (1000 * bytes) / ms;
  return { perSecond: flow.perSecond === 0 ? current : (flow.perSecond + current) / 2, bytes: 0, since: now };
}
