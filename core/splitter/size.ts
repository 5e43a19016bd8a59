import type { Split } from '../sdk/index.ts';

/** Bytes at the source that one task should read, where neither the job file nor earlier runs say. */
const defaultSplitBytes = 64 << 20;
/**
 * How long a task should last, and may last: long beside what it costs to begin one (some 50 ms between databases), short beside what is lost when it fails. It is
 * small only between slow systems: small tasks make slow ones look slower still.
 */
const [taskSeconds, mostTaskSeconds] = [2, 60];
/** A thread that has less to do is not worth its start, which takes half a CPU second, and as long until it is as fast as it will be. */
const threadSeconds = 1;
const [leastSplitBytes, mostSplitBytes] = [4 << 20, 256 << 20];
/** Splits per channel at least, so that a channel that finishes early takes more. */
const splitsPerChannel = 4;
/**
 * Splits of a content at most, or up to twice as many where tables just do not fit together into packs: each costs connections, a transaction, and a
 * place in every report.
 */
const maxSplits = 1000;
/** A part of a table is worth a task of its own from this many rows, or bytes, on. */
const minRows = 20_000;
const minBytes = 4 << 20;
/** What it costs to open one more table or file, in bytes that could be read instead: 3 to 4 ms of a thread. */
const openingBytes = 128 << 10;
/** Where only the number of rows is known. */
const assumedRowBytes = 100;

/** How tasks are meant to be. */
export interface WantedSizes {
  /** Tasks that run side by side, at most. */
  readonly channels: number;
  /** Bytes of the source that one task should read. */
  readonly splitBytes: number;
  /** Bytes for which one more thread is worth its start. Absent: it was asked for. */
  readonly threadBytes?: number | undefined;
}

export interface SplitSizes {
  /** Bytes of the source per task. */
  readonly bytesPerTask: number;
  readonly channels: number;
}

/**
 * Bytes that one task should read, by how fast a thread has moved rows between these systems before.
 * @param bytesPerSecond undefined: nobody knows
 */
export function splitBytesAt(bytesPerSecond: number | undefined): number {
  if (bytesPerSecond === undefined) return defaultSplitBytes;
  const atMost = Math.min(mostSplitBytes, Math.max(leastSplitBytes, bytesPerSecond * mostTaskSeconds));
  return Math.round(Math.min(atMost, Math.max(defaultSplitBytes, bytesPerSecond * taskSeconds)));
}

/** Bytes for which a thread is worth its start, by how fast one moves rows between these systems. */
export function threadBytesAt(bytesPerSecond: number): number {
  return bytesPerSecond * threadSeconds;
}

/** How much each task of a content should read: `splitBytes`, or less so that all channels have work, or more so that tasks stay few. */
export function splitSizes(parts: readonly Split[], wanted: WantedSizes): SplitSizes {
  const total = parts.reduce((sum, part) => sum + (costOf(part) ?? 0), 0);
  return { bytesPerTask: bytesPerTask(total, wanted), channels: wanted.channels };
}

/** The same where all parts together have so many bytes. */
export function bytesPerTask(total: number, { channels, splitBytes, threadBytes = 0 }: WantedSizes): number {
  const busy = threadBytes === 0 ? channels : Math.max(1, Math.min(channels, Math.floor(total / threadBytes)));
  const wanted = Math.max(Math.ceil(total / splitBytes), busy === 1 ? 1 : busy * splitsPerChannel);
  return Math.max(total / Math.min(wanted, maxSplits), minBytes / splitsPerChannel);
}

/** Bytes it takes to read a part, with the cost of opening it; undefined if it does not say. */
export function costOf(part: Split): number | undefined {
  const bytes = bytesOf(part);
  return bytes === undefined ? undefined : bytes + openingBytes;
}

/** Bytes of a part as it states them, or as its rows let us think. */
export function bytesOf({ estimatedBytes, estimatedRows }: Split): number | undefined {
  return estimatedBytes ?? (estimatedRows === undefined ? undefined : estimatedRows * assumedRowBytes);
}

/** Into how many pieces a part should be cut. A part that cannot say how big it is is cut for the channels. */
export function piecesOf(part: Split, { bytesPerTask, channels }: SplitSizes): number {
  const bytes = bytesOf(part);
  if (bytes === undefined) return channels === 1 ? 1 : Math.min(channels * splitsPerChannel, maxSplits);
  const worthwhile = Math.max((part.estimatedRows ?? 0) / minRows, bytes / minBytes);
  return Math.max(1, Math.min(Math.round(bytes / bytesPerTask), Math.floor(worthwhile), maxSplits));
}
