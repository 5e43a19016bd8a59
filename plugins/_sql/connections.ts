interface Entry<C> {
  readonly opened: Promise<C>;
  readonly life: AbortController;
}

/** Connections of a reader, by a key of its own; each is opened when it is first asked for. */
export class Connections<C, K = string> {
  /** The one that was asked for last stands last. */
  readonly #open = new Map<K, Entry<C>>();
  readonly #connect: (key: K, signal: AbortSignal) => Promise<C>;
  readonly #close: (open: C) => Promise<void>;

  /** @param connect its signal fires when the connection is dropped: then it must end, at the server, too */
  constructor(connect: (key: K, signal: AbortSignal) => Promise<C>, close: (open: C) => Promise<void>) {
    this.#connect = connect;
    this.#close = close;
  }

  get(key: K): Promise<C> {
    const known = this.#open.get(key);
    if (known !== undefined) {
      this.#open.delete(key);
      this.#open.set(key, known);
      return known.opened;
    }
    const life = new AbortController();
    const opened = this.#connect(key, life.signal);
    this.#open.set(key, { opened, life });
    return opened;
  }

  /** Closes those that were asked for longest ago, until so many are left. None of them may be in use. */
  async keep(most: number): Promise<void> {
    const old = [...this.#open].slice(0, Math.max(0, this.#open.size - most));
    for (const [key] of old) this.#open.delete(key);
    await this.#closed(old.map(([, entry]) => entry));
  }

  /** Ends a connection in the middle of whatever it does; the next `get` opens another one. */
  drop(key: K, reason: unknown): void {
    const known = this.#open.get(key);
    this.#open.delete(key);
    known?.life.abort(reason);
  }

  /** Closes one that is done with, if more than so many are open. */
  async closeBeyond(most: number, key: K): Promise<void> {
    const entry = this.#open.get(key);
    if (this.#open.size <= most || entry === undefined) return;
    this.#open.delete(key);
    await this.#closed([entry]);
  }

  closeAll(): Promise<void> {
    return this.#closed([...this.#open.values()]);
  }

  async #closed(entries: readonly Entry<C>[]): Promise<void> {
    const all = await Promise.allSettled(entries.map(({ opened }) => opened));
    await Promise.all(all.map(async (one) => (one.status === 'fulfilled' ? this.#close(one.value) : undefined)));
  }
}
