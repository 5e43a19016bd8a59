/** What a job allows itself at a server; undefined: no limit. */
export interface SourceLimits {
  /** Most tasks at once; each has a connection. Undefined: half of the connections that the server has free. */
  readonly maxConnections?: number | undefined;
  /** Millions of bytes of packed rows, of all tasks together. */
  readonly maxMegabytesPerSecond?: number | undefined;
  /** Above these, tasks are slowed down. */
  readonly maxThreadsRunning?: number | undefined;
  readonly maxReplicaLagSeconds?: number | undefined;
  readonly maxLatencyMs?: number | undefined;
}

/** Of the limits of several jobs the tightest ones: what holds for all of them together. */
export function strictest(all: readonly SourceLimits[]): SourceLimits {
  const least = (name: keyof SourceLimits) => {
    const limits = all.flatMap((one) => one[name] ?? []);
    return limits.length === 0 ? undefined : Math.min(...limits);
  };
  return {
    maxConnections: least('maxConnections'),
    maxMegabytesPerSecond: least('maxMegabytesPerSecond'),
    maxThreadsRunning: least('maxThreadsRunning'),
    maxReplicaLagSeconds: least('maxReplicaLagSeconds'),
    maxLatencyMs: least('maxLatencyMs'),
  };
}
