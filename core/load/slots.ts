import type { LoadSample } from './load-sensor.ts';

/** What tasks need, and how many there may be at most. */
export interface SlotLimits {
  /** Also on a machine that has nothing else to do. */
  readonly maxSlots: number;
  /** CPU that a running task uses; 1 where nothing better is known. */
  readonly coresPerSlot: number;
  /** Memory that a task is thought to need; what tasks are seen to take counts if it is more. */
  readonly bytesPerSlot: number;
  /** Memory that is left to others. */
  readonly reserveBytes: number;
}

/** What is going on while a sample is looked at. */
export interface SlotSituation {
  readonly sample: LoadSample;
  /** Tasks of this process that are running. */
  readonly running: number;
  /** Sources and targets of the running tasks that are servers on this machine: 0, 1 or 2. What they do for us is no others' work. */
  readonly localEnds: number;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: number;
}

/** How many tasks may run side by side, why, and what the next call has to know. Plain values. */
export interface SlotPlan {
  readonly slots: number;
  /** `maxSlots` of the call: who had all of them has all of them when there are more. */
  readonly of: number;
  /** A part of a sentence: `3 of 4 slots: others use 1.2 of 4 cores`. */
  readonly why: string;
  /** Cores that others use, smoothed; undefined: not known yet. */
  readonly others: number | undefined;
  /** Memory of this process when none of its tasks ran; the least that was seen. */
  readonly idleBytes: number;
  /** Since when there is room for more; undefined: there is none. */
  readonly roomSince: number | undefined;
  readonly at: number;
}

/** Others' work counts as what it was in about the last so many milliseconds. */
const smoothingMs = 4000;
/** For so long there must be room before slots are added. */
const roomMs = 5000;
/**
 * Slots are taken away where this much of the last one's CPU is missing, and added where less than that is missing: what lies between is left as it is, so that
 * noise changes nothing.
 */
const missing = { tooMuch: 0.6, bearable: 0.25 };
/** With a busier event loop the main thread is what everything waits for, and with so much waiting for memory everything is slow. */
const tooBusy = { loop: 0.95, memoryPressure: 0.1 };

/**
 * How many tasks may run side by side on this machine now: as many as others leave cores and memory for, at least 1. On a machine that others become busy on
 * slots go at once; when they are gone, they come back in steps, after five seconds each. Tasks that run are never ended: with fewer slots, fewer are started.
 * Pure: the same arguments, the same plan. Called by whoever schedules, after each sample of the LoadSensor.
 * @param before what the last call returned; undefined: the first one, which believes the machine to be free until a sample knows better
 */
export function slotsFor(situation: SlotSituation, limits: SlotLimits, before: SlotPlan | undefined): SlotPlan {
  const { sample, running, now } = situation;
  const others = smoothed(situation, before);
  const idleBytes = running === 0 ? Math.min(sample.rssBytes, before?.idleBytes ?? Infinity) : (before?.idleBytes ?? sample.rssBytes);
  const room = { ...roomFor(situation, limits, others, idleBytes), limits };
  const current = before === undefined || before.slots >= before.of ? limits.maxSlots : Math.min(limits.maxSlots, before.slots);
  const remembered = { of: limits.maxSlots, others, idleBytes, at: now };

  if (!fits(current, room, missing.tooMuch) && current > 1) {
    const slots = largest(current - 1, (count) => fits(count, room, missing.bearable));
    return { ...remembered, slots, roomSince: undefined, why: whyOf(slots, room, situation, others) };
  }
  const possible = largest(limits.maxSlots, (count) => fits(count, room, missing.bearable));
  const brake = possible > current ? brakeOf(sample) : undefined;
  if (possible <= current || brake !== undefined) {
    return { ...remembered, slots: current, roomSince: undefined, why: whyOf(current, room, situation, others, brake) };
  }
  const roomSince = before?.roomSince ?? now;
  if (now - roomSince < roomMs)
    return { ...remembered, slots: current, roomSince, why: whyOf(current, room, situation, others, 'there is room again') };
  const slots = current + Math.ceil((possible - current) / 2);
  return { ...remembered, slots, roomSince: undefined, why: whyOf(slots, room, situation, others) };
}

/** A server on this machine works about as much for our tasks as we do: that much of others' work is ours. */
function smoothed({ sample, localEnds, now }: SlotSituation, before: SlotPlan | undefined): number | undefined {
  const { busyOthers, ours = 0 } = sample;
  if (busyOthers === undefined) return before?.others;
  const others = Math.max(0, busyOthers - localEnds * ours);
  if (before?.others === undefined) return others;
  const share = 1 - Math.exp(-Math.max(0, now - before.at) / smoothingMs);
  return before.others + share * (others - before.others);
}

interface Room {
  readonly limits: SlotLimits;
  /** In slots; fractions count. */
  readonly byCpu: number;
  readonly byMemory: number;
}

function roomFor(
  { sample, running }: SlotSituation,
  limits: SlotLimits,
  others: number | undefined,
  idleBytes: number,
): Omit<Room, 'limits'> {
  const byCpu = others === undefined ? limits.maxSlots : (sample.cores - others) / limits.coresPerSlot;
  const measured = running === 0 ? 0 : (sample.rssBytes - idleBytes) / running;
  const free = sample.memoryAvailableBytes - limits.reserveBytes;
  return { byCpu, byMemory: running + free / Math.max(limits.bytesPerSlot, measured) };
}

/** Whether so many slots are right, if this part of the last one may be missing. Memory that is missing is not bearable, but half a slot of it is noise. */
function fits(slots: number, { byCpu, byMemory }: Room, missingPart: number): boolean {
  const memorySlack = missingPart === missing.tooMuch ? 0 : -0.5;
  return byCpu >= slots - missingPart && byMemory + memorySlack >= slots;
}

function largest(from: number, isRight: (count: number) => boolean): number {
  let count = from;
  while (count > 1 && !isRight(count)) count--;
  return Math.max(1, count);
}

function brakeOf({ loopUtilisation, pressure }: LoadSample): string | undefined {
  if (loopUtilisation > tooBusy.loop) return `the main thread is busy ${Math.round(100 * loopUtilisation)} % of the time`;
  if ((pressure.memory ?? 0) > tooBusy.memoryPressure) return 'memory is short on this machine';
  return undefined;
}

function whyOf(
  slots: number,
  { byCpu, byMemory, limits }: Room,
  { sample }: SlotSituation,
  others: number | undefined,
  reason?: string,
): string {
  const share = `${slots} of ${limits.maxSlots} slots`;
  if (slots === limits.maxSlots) return share;
  if (reason !== undefined) return `${share}: ${reason}`;
  if (byMemory < byCpu) return `${share}: ${Math.round(sample.memoryAvailableBytes / 2 ** 20)} MB of memory are free`;
  return `${share}: others use ${(others ?? 0).toFixed(1)} of ${Number(sample.cores.toFixed(1))} cores`;
}
