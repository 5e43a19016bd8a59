/**
 * Calls `attempt` until it returns without throwing, and hands back what it returned.
 *
 * @param what names the awaited state in the error ("PostgreSQL accepts connections")
 * @param timeoutMs deadline; after it the last failure is thrown as `cause`
 * @param pauseMs pause between two attempts
 */
export async function until<T>(what: string, timeoutMs: number, attempt: () => Promise<T>, pauseMs = 25): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}.`, { cause });
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
