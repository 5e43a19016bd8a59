/** How long a cancelled task may take to roll back and remove its files before it is given up. */
export const cancelGraceMs = 10_000;

/** How `call` ends; or the reason of the signal, once that has fired and the call did not end within `graceMs` after it. */
export async function orAborted<T>(call: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  let grace: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      grace = setTimeout(() => reject(signal.reason as Error), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([call, givenUp]);
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort!);
  }
}

/** Waits for a release whose own failure tells nothing: what matters has been committed or has failed before. */
export async function quietly(release: Promise<void> | undefined): Promise<void> {
  try {
    await release;
  } catch {
    // The connection or file is gone, which is what was wanted.
  }
}
