/** What is known of a job before it starts. */
export interface JobSize {
  /** Splits of its plan: total threads. */
  readonly tasks: number;
  /** Bytes of the source, as its metadata says; undefined where that tells nothing. */
  readonly bytes: number | undefined;
  /** Of one thread, between these two systems: from earlier runs, or the preset. */
  readonly bytesPerSecond: number;
  /** undefined: as soon as the host can. */
  readonly finishWithinMs: number | undefined;
}

/** What bounds the threads of a job, each with the words for it. */
export interface Bound {
  readonly what: string;
  readonly threads: number;
}

export interface Estimate {
  /** Threads that the wanted end asks for, within the bounds. May be more than there are tasks. */
  readonly firstRound: number;
  /** How long one task is thought to run. */
  readonly taskMs: number;
  /** How long the job is thought to run on that many threads; undefined if its size is not known. */
  readonly expectedMs: number | undefined;
  /** Why so many, as a part of a sentence. */
  readonly why: string;
}

/** Where nobody has measured this pair of systems: a thread that moves rows of 200 bytes between two databases on the same network. */
export const presetBytesPerSecond = 40e6;

/** Works out the first round of a job: how many threads it takes to end in time, as far as host and systems can carry them. */
export function estimate({ tasks, bytes, bytesPerSecond, finishWithinMs }: JobSize, bounds: readonly Bound[]): Estimate {
  const workMs = bytes === undefined ? undefined : (bytes / bytesPerSecond) * 1000;
  const wanted = finishWithinMs === undefined || workMs === undefined ? Number.POSITIVE_INFINITY : Math.ceil(workMs / finishWithinMs);
  const tightest = bounds.reduce((least, bound) => (bound.threads < least.threads ? bound : least), {
    what: 'tasks',
    threads: Math.max(tasks, Number.isFinite(wanted) ? wanted : 0),
  });
  const firstRound = Math.max(1, Math.min(wanted, Math.floor(tightest.threads)));
  const isWanted = firstRound === wanted;
  return {
    firstRound,
    taskMs: workMs === undefined ? 1000 : workMs / Math.max(1, tasks),
    expectedMs: workMs === undefined ? undefined : workMs / Math.max(1, Math.min(firstRound, tasks)),
    why: isWanted
      ? `${megabytes(bytes!)} at ${megabytes(bytesPerSecond)}/s a thread are done in time by ${firstRound}`
      : `as many as ${tightest.what} allow`,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
