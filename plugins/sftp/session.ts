import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, connect, type SftpOptions } from './connection.ts';
import { isLost } from './faults.ts';

/** Some 16 s in all: a server that is started again, a firewall that forgot the connection. */
const usualReconnect = { tries: 7, firstPauseMs: 250 };
const longestPauseMs = 8000;
/** Tidying up after a cancelled run is worth so much of its end. */
const tidyTimeoutMs = 5000;

/** A connection that is made again when it was lost. Everything that shares it may go on side by side. */
export class Session {
  readonly signal: AbortSignal;
  readonly #options: SftpOptions;
  readonly #stop = () => this.#end(this.signal.reason);
  #current: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #attempt: AbortController | undefined;
  #isClosed = false;

  get #reconnect() {
    return this.#options.reconnect ?? usualReconnect;
  }

  constructor(options: SftpOptions, signal: AbortSignal) {
    this.#options = options;
    this.signal = signal;
    signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** The connection, or a new one if it was lost. */
  async connection(): Promise<Connection> {
    this.signal.throwIfAborted();
    return this.#connected(this.#options);
  }

  /** Does work that may be done twice; over a new connection if it was lost meanwhile. */
  async retrying<T>(work: (connection: Connection) => Promise<T>, mostTries = this.#reconnect.tries): Promise<T> {
    for (let failures = 0; ; ) {
      try {
        return await work(await this.connection());
      } catch (error) {
        await this.afterLoss(error, ++failures, mostTries);
      }
    }
  }

  /**
   * The same, but soon giving up, for work that removes what a run leaves behind: also when the signal has fired, which ended the connection;
   * then over a new one.
   */
  async tidying<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    if (!this.signal.aborted) return this.retrying(work, 2);
    await this.#connecting?.catch(() => undefined);
    const timeoutMs = Math.min(this.#options.timeoutMs ?? tidyTimeoutMs, tidyTimeoutMs);
    return work(await this.#connected({ ...this.#options, timeoutMs }));
  }

  /** Waits a while after a lost connection. Throws the error if it is another one, or if there were too many in a row. */
  async afterLoss(error: unknown, failures: number, mostTries = this.#reconnect.tries): Promise<void> {
    this.signal.throwIfAborted();
    if (!isLost(error) || failures >= mostTries || this.#isClosed) throw error;
    try {
      await pause(Math.min(this.#reconnect.firstPauseMs * 2 ** (failures - 1), longestPauseMs), undefined, { signal: this.signal });
    } catch {
      this.signal.throwIfAborted();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.signal.removeEventListener('abort', this.#stop);
    this.#attempt?.abort(closed());
    await this.#connecting?.catch(() => undefined);
    await this.#current?.close();
  }

  #end(reason: unknown): void {
    this.#attempt?.abort(reason);
    this.#current?.destroy(reason);
  }

  /** Whoever comes while a connection is being made waits for that one. */
  async #connected(options: SftpOptions): Promise<Connection> {
    if (this.#isClosed) throw closed();
    if (this.#current?.isLost === false) return this.#current;
    this.#connecting ??= this.#connect(options);
    return this.#connecting;
  }

  async #connect(options: SftpOptions): Promise<Connection> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    try {
      this.#current = await connect(options, attempt.signal);
      if (attempt.signal.aborted) this.#current.destroy(attempt.signal.reason);
      return this.#current;
    } finally {
      this.#attempt = undefined;
      this.#connecting = undefined;
    }
  }
}

function closed(): Error {
  return new Error('The storage is closed.');
}
