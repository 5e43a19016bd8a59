import type { Resource, SourceHealth } from 'dray/sdk';
import { Connections } from './connections.ts';
import type { Servers } from './servers.ts';

interface HealthSessions<C> {
  readonly servers: Servers;
  /** Its signal fires when the connection is given up: then it must end, at the server, too. */
  readonly connect: (jdbcUrl: string, dropped: AbortSignal) => Promise<C>;
  readonly close: (open: C) => Promise<void>;
  readonly look: (open: C) => Promise<SourceHealth>;
}

/** Asks servers how they are, each on a connection that is opened for that, kept between two questions, and given up when one fails. */
export class HealthQuestions<C> {
  readonly #given: HealthSessions<C>;
  readonly #urls: string[] = [];
  readonly #connections: Connections<C, number>;

  constructor(given: HealthSessions<C>) {
    this.#given = given;
    this.#connections = new Connections<C, number>((number, dropped) => given.connect(this.#urls[number]!, dropped), given.close);
  }

  async ask(resource: Resource, signal: AbortSignal): Promise<SourceHealth> {
    signal.throwIfAborted();
    const url = this.#given.servers.urlTo(resource);
    const number = this.#urls.includes(url) ? this.#urls.indexOf(url) : this.#urls.push(url) - 1;
    const drop = () => this.#connections.drop(number, signal.reason);
    signal.addEventListener('abort', drop, { once: true });
    try {
      return await this.#given.look(await this.#connections.get(number));
    } catch (error) {
      this.#connections.drop(number, error);
      throw error;
    } finally {
      signal.removeEventListener('abort', drop);
    }
  }

  close(): Promise<void> {
    return this.#connections.closeAll();
  }
}

/** How long a query takes that does nothing: the better one of two, because this thread may have been busy when the answer came. */
export async function canaryMs(query: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < 2; time++) {
    const startedAt = performance.now();
    await query();
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

/** Of several limits of connections the one of which least is left; those that are 0 or less are none. */
export function tightest(
  limits: readonly { readonly most: number; readonly used: number }[],
): Pick<SourceHealth, 'maxConnections' | 'usedConnections'> {
  const [least] = limits.filter(({ most, used }) => most > 0 && used >= 0).sort((a, b) => a.most - a.used - (b.most - b.used));
  return least === undefined ? {} : { maxConnections: least.most, usedConnections: least.used };
}
