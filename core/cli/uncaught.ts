import { asDrayError, type DrayError } from '../sdk/index.ts';

export interface Uncaught {
  /** Resolves with the first exception that nobody has caught; those after it are told, too. */
  readonly first: Promise<DrayError>;
  readonly release: () => void;
}

/**
 * Takes exceptions that nobody catches: from timers, events and promises of a plugin that it has not waited for. What the program was in the middle of then is not
 * known, and it must come to its end.
 * @param tell called in the context in which the exception was thrown; what it returns is what listeners get
 */
export function onUncaught(tell: (error: DrayError) => DrayError): Uncaught {
  let resolveFirst: (error: DrayError) => void;
  const first = new Promise<DrayError>((resolve) => {
    resolveFirst = resolve;
  });
  const onException = (error: unknown) => resolveFirst(tell(asDrayError(error)));
  // Rejections that nobody handles come here, too.
  process.on('uncaughtException', onException);
  return { first, release: () => void process.off('uncaughtException', onException) };
}
