import { DrayError, type Resource } from 'dray/sdk';
import { databaseIn, parseJdbcUrl } from './jdbc-url.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Which server each connection of a job leads to: of several jdbcUrls the one that has answered, before that the first. */
export class Servers {
  readonly #kind: string;
  readonly #urls: readonly (readonly string[])[];
  readonly #placeOf: (jdbcUrl: string) => Place;
  readonly #answered = new Map<number, Place>();

  /** @param connections in the order of the job file, in which they are numbered */
  constructor(
    { kind, schemes, defaultPort }: { kind: string; schemes: readonly string[]; defaultPort: number },
    connections: readonly { readonly jdbcUrl: readonly string[] }[],
  ) {
    this.#kind = kind;
    this.#urls = connections.map(({ jdbcUrl }) => jdbcUrl);
    this.#placeOf = (jdbcUrl) => parseJdbcUrl(jdbcUrl, schemes, defaultPort);
  }

  answered(connection: number, { host, port }: Place): void {
    this.#answered.set(connection, { host, port });
  }

  of(connection: number): Resource {
    const [first] = this.#urls[connection] ?? [];
    const place = this.#answered.get(connection) ?? (first === undefined ? undefined : this.#placeOf(first));
    if (place === undefined) throw new DrayError('JOB_INVALID', 'the connection has no jdbcUrl', { remedy: 'Add one.' });
    return { kind: this.#kind, host: place.host, port: place.port };
  }

  /** `host:port` of a connection as the job file names it first, whichever server has answered. */
  nameOf(connection: number): string {
    for (const url of this.#urls[connection] ?? []) {
      try {
        const { host, port } = this.#placeOf(url);
        return `${host.includes(':') ? `[${host}]` : host}:${port}`;
      } catch {
        // One that cannot be read is passed over when it is to be connected to, too.
      }
    }
    return `connection ${connection + 1}`;
  }

  /** The database of the jdbcUrl of a connection. */
  databaseOf(connection: number): string {
    return databaseIn(this.#urls[connection]?.[0] ?? '') ?? '';
  }

  /** A jdbcUrl that leads to a server that `of` named. */
  urlTo({ host, port }: Resource): string {
    const url = this.#urls.flat().find((one) => {
      const place = this.#placeOf(one);
      return place.host === host && place.port === port;
    });
    if (url === undefined) throw new DrayError('INTERNAL', `no jdbcUrl leads to ${host}:${port}`);
    return url;
  }
}
