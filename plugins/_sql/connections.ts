interface Entry<C> {
  readonly opened: Promise<C>;
  readonly life: AbortController;
}

/** Connections of a reader, by the number of their entry in `connection`; each is opened when it is first asked for. */
export class Connections<C> {
  readonly #open = new Map<number, Entry<C>>();
  readonly #connect: (connection: number, signal: AbortSignal) => Promise<C>;
  readonly #close: (open: C) => Promise<void>;

  /** @param connect its signal fires when the connection is dropped: then it must end, at the server, too */
  constructor(connect: (connection: number, signal: AbortSignal) => Promise<C>, close: (open: C) => Promise<void>) {
    this.#connect = connect;
    this.#close = close;
  }

  get(connection: number): Promise<C> {
    const known = this.#open.get(connection);
    if (known !== undefined) return known.opened;
    const life = new AbortController();
    const opened = this.#connect(connection, life.signal);
    this.#open.set(connection, { opened, life });
    return opened;
  }

  /** Ends a connection in the middle of whatever it does; the next `get` opens another one. */
  drop(connection: number, reason: unknown): void {
    const known = this.#open.get(connection);
    this.#open.delete(connection);
    known?.life.abort(reason);
  }

  async closeAll(): Promise<void> {
    const all = await Promise.allSettled([...this.#open.values()].map(({ opened }) => opened));
    await Promise.all(all.map(async (one) => (one.status === 'fulfilled' ? this.#close(one.value) : undefined)));
  }
}
