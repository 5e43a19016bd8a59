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
