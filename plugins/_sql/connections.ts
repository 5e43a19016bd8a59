/** Connections of a reader, by the number of their entry in `connection`; each is opened when it is first asked for. */
export class Connections<C> {
  readonly #open = new Map<number, Promise<C>>();
  readonly #connect: (connection: number) => Promise<C>;
  readonly #close: (open: C) => Promise<void>;

  constructor(connect: (connection: number) => Promise<C>, close: (open: C) => Promise<void>) {
    this.#connect = connect;
    this.#close = close;
  }

  get(connection: number): Promise<C> {
    const known = this.#open.get(connection);
    if (known !== undefined) return known;
    const opening = this.#connect(connection);
    this.#open.set(connection, opening);
    return opening;
  }

  async closeAll(): Promise<void> {
    const all = await Promise.allSettled(this.#open.values());
    await Promise.all(all.map(async (one) => (one.status === 'fulfilled' ? this.#close(one.value) : undefined)));
  }
}
