import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { type SshdServer, startSshd } from '../support/sshd-server.ts';
import { until } from '../support/until.ts';
import type { Database } from './scenario.ts';

export type Side = 'source' | 'target';

const systemDatabases = { postgres: 'postgres', mysql: 'mysql' };
const readyMs = 60_000;

/** The servers of a drill, one of each kind for each side; started when a seed needs them first. */
export class Arena {
  readonly #servers = new Map<string, Promise<PostgresServer | MariadbServer>>();
  #sshd: Promise<SshdServer> | undefined;

  server(kind: Database, side: Side): Promise<PostgresServer | MariadbServer> {
    const name = `${kind} ${side}`;
    const known = this.#servers.get(name);
    if (known !== undefined) return known;
    const started = kind === 'postgres' ? startPostgres({ isRevived: true }) : startMariadb({ isRevived: true, settings: [] });
    this.#servers.set(name, started);
    return started;
  }

  sshd(): Promise<SshdServer> {
    this.#sshd ??= startSshd();
    return this.#sshd;
  }

  /** Resolves when all servers of databases answer: one that a seed has killed may still be on its way up. */
  async ready(): Promise<void> {
    for (const [name, starting] of this.#servers) {
      const kind = name.startsWith('postgres') ? 'postgres' : 'mysql';
      const any = databaseOf(kind, await starting, systemDatabases[kind]);
      await until(`the server ${name} answers`, readyMs, () => any.sql('SELECT 1'), 100);
    }
  }

  async stop(): Promise<void> {
    const servers = await Promise.allSettled([...this.#servers.values(), ...(this.#sshd === undefined ? [] : [this.#sshd])]);
    await Promise.all(servers.map(async (server) => (server.status === 'fulfilled' ? server.value.stop() : undefined)));
  }
}

/** A database of a server, reached directly or through what listens at `at`. */
export function databaseOf(
  kind: Database,
  server: PostgresServer | MariadbServer,
  name: string,
  at: { host: string; port: number } = server,
): TestDatabase {
  const access = { user: server.user, password: server.password, host: at.host, port: at.port };
  return kind === 'postgres' ? postgresDatabase(access, name) : mysqlDatabase(access, name);
}

/** Drops a database that a seed has used, whoever is still connected to it. */
export async function dropDatabase(kind: Database, server: PostgresServer | MariadbServer, name: string): Promise<void> {
  const any = databaseOf(kind, server, systemDatabases[kind]);
  await any.sql(kind === 'postgres' ? `DROP DATABASE IF EXISTS ${name} WITH (FORCE)` : `DROP DATABASE IF EXISTS ${name}`);
}
