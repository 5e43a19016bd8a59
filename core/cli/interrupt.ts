import { setMaxListeners } from 'node:events';
import { DrayError } from '../sdk/index.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Exit code for the signal that came, 130 or 143; undefined if none did. */
  readonly exitCode: () => number | undefined;
  readonly release: () => void;
}

/** npm and npx pass on the Ctrl-C that the terminal has sent to dray as well: both arrive within this time. */
const echoMs = 500;

/** Turns the first Ctrl-C (or SIGTERM) into a clean stop; the second one ends the program at once. */
export function onInterrupt(tell: (message: string) => void): Interrupt {
  const stop = new AbortController();
  // Many runs may listen.
  setMaxListeners(0, stop.signal);
  let exitCode: number | undefined;
  let firstAt = 0;
  const stopOn = (name: string, code: number) => () => {
    if (exitCode !== undefined) {
      if (performance.now() - firstAt > echoMs) process.exit(code);
      return;
    }
    exitCode = code;
    firstAt = performance.now();
    tell(`${name}: stopping, and undoing what is not committed (once more: stop at once)`);
    stop.abort(new DrayError('CANCELLED', `the run was stopped by ${name}; the rows of its unfinished tasks were rolled back`));
  };
  const onInt = stopOn('Ctrl-C', 130);
  const onTerm = stopOn('SIGTERM', 143);
  process.on('SIGINT', onInt);
  process.on('SIGTERM', onTerm);
  return {
    signal: stop.signal,
    exitCode: () => exitCode,
    release: () => {
      // The echo of a signal may come when all is done already: it must not change how the program ends.
      if (exitCode !== undefined) return;
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
    },
  };
}
