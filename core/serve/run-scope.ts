import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string>();

/** Does something for a run: whatever comes of it, timers and events too, is known to be its. */
export function forRun<T>(run: string, work: () => T): T {
  return scope.run(run, work);
}

/** The run that what is done now is done for; undefined: none. */
export function currentRun(): string | undefined {
  return scope.getStore();
}
