/** Why the demo was stopped, and the exit code that says so. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('The demo was stopped.');
    this.exitCode = exitCode;
  }
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A signal that fires, with `Interrupted` as its reason, at the first Ctrl-C; the second one ends this process at once. */
export function interruptSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // The server ends with this process in any case.
      if (stop.signal.aborted) process.exit(exitCodes[name]);
      stop.abort(new Interrupted(exitCodes[name]));
    });
  }
  return stop.signal;
}
