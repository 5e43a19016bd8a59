const firstWaitMs = 500;

/**
 * How long to wait before an attempt: doubled each time, and half of it at random, so that tasks that failed together do not come back together
 * (equal jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param failures attempts that have failed so far, at least 1
 * @param random from 0 to 1
 */
export function waitBefore(failures: number, maxWaitMs: number, random: number): number {
  const full = Math.min(maxWaitMs, firstWaitMs * 2 ** (failures - 1));
  return full / 2 + (random * full) / 2;
}
