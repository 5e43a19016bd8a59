import { setTimeout as wait } from 'node:timers/promises';
import type { SourceHealth } from '../sdk/index.ts';
import type { GovernorEvent } from './governor-state.ts';

export interface HealthWatchTimes {
  /** Between an answer and the next question. */
  readonly everyMs: number;
  /** A question that takes longer is unanswered. */
  readonly answerMs: number;
}

/** Asks a server how it is, again and again, and tells. What goes wrong with that is bad health of the server, and no error of a job. */
export class HealthWatch {
  readonly #ask: (signal: AbortSignal) => Promise<SourceHealth>;
  readonly #tell: (event: GovernorEvent) => void;
  readonly #times: HealthWatchTimes;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  /** Begins at once. @param ask its signal fires when nobody waits for the answer any more */
  constructor(
    ask: (signal: AbortSignal) => Promise<SourceHealth>,
    tell: (event: GovernorEvent) => void,
    times: HealthWatchTimes = { everyMs: 3000, answerMs: 5000 },
  ) {
    this.#ask = ask;
    this.#tell = tell;
    this.#times = times;
    this.#watching = this.#watch();
  }

  /** Resolves when no question is under way any more; a plugin that does not give it up is not waited for. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('nobody watches any more'));
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const event = await this.#question();
      if (signal.aborted) return;
      this.#tell(event);
      // A program that has nothing else to do may end.
      await wait(this.#times.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #question(): Promise<GovernorEvent> {
    const question = new AbortController();
    const giveUp = () => question.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener('abort', giveUp, { once: true });
    // The answer may have arrived while this thread was busy: it is looked for once more.
    const timer = setTimeout(
      () => setImmediate(() => question.abort(new Error('the question took too long'))),
      this.#times.answerMs,
    ).unref();
    try {
      const answer = (async () => this.#ask(question.signal))();
      return { type: 'health', health: await orAborted(answer, question.signal) };
    } catch (error) {
      const seconds = this.#times.answerMs / 1000;
      const reason = question.signal.aborted ? `no answer within ${seconds} s` : (error as Error).message;
      return { type: 'unanswered', reason: `it does not say how it is (${reason})` };
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', giveUp);
    }
  }
}

/** What a plugin promises, or the signal's reason once that has fired. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort!);
  }
}
