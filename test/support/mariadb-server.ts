import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import { requireMariadb } from './mariadb-install.ts';
import { giveTo, openPrivateServer, serverOwner } from './private-server.ts';
import { type Killable, killRevived, revived } from './revived-server.ts';

/** How to reach a MariaDB or MySQL server; plain data, so that it can go to another process. */
export interface MariadbFacts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** mysql://… without a database. */
  readonly url: string;
  /** Put before the name of every database we create: '' on a private server, unique on someone else's. */
  readonly databasePrefix: string;
}

/** What a test does with a running server. */
export interface MariadbAccess extends MariadbFacts {
  /** mysql://… to a database; `database` is a name that `createDatabase` returned. */
  urlFor(database: string): string;
  /** Creates an empty utf8mb4 database and returns its true name. Rejects if it is there already. */
  createDatabase(name: string): Promise<string>;
}

export interface MariadbServer extends MariadbAccess, Killable {
  /** Ends a private server and removes its folder; on someone else's server drops the databases created for this one. */
  stop(): Promise<void>;
}

/** Access to a server that someone else started and will stop. */
export function mariadbAccess(facts: MariadbFacts): MariadbAccess {
  return {
    ...facts,
    urlFor: (database) => new URL(`/${encodeURIComponent(database)}`, facts.url).href,
    async createDatabase(name) {
      const database = `${facts.databasePrefix}${name}`;
      await onServer(facts.url, (connection) => connection.query(`CREATE DATABASE ${mysql.escapeId(database)} CHARACTER SET utf8mb4`));
      return database;
    },
  };
}

/**
 * Starts a private MariaDB on a free port of 127.0.0.1; about two seconds, and an apt-get install before that if root
 * has none. It ends with this process even without `stop`. With DRAY_TEST_MYSQL_URL set it uses that server instead.
 *
 * @param options.settings arguments of mariadbd such as `--local-infile=0`; they win over ours. A server with settings
 *   is always a private one.
 * @param options.isRevived it begins again when it was killed; only a private one
 */
export async function startMariadb(options: { settings?: string[]; isRevived?: boolean } = {}): Promise<MariadbServer> {
  const givenUrl = process.env.DRAY_TEST_MYSQL_URL;
  if (givenUrl !== undefined && givenUrl !== '' && options.settings === undefined) return borrowServer(givenUrl);
  requireMariadb();
  const owner = serverOwner('mysql');
  const user = 'dray';
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const server = openPrivateServer('dray-mariadb-', owner, options.isRevived === true ? 'TERM' : 'KILL');
  const { folder } = server;
  const firstStatements = join(folder, 'init.sql');
  await writeFile(
    firstStatements,
    `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO '${user}'@'127.0.0.1' WITH GRANT OPTION;
`,
    { mode: 0o600 },
  );
  giveTo(owner, firstStatements);

  const datadir = `--datadir=${join(folder, 'data')}`;
  const serve = [
    ...['mariadbd', '--no-defaults', datadir, `--tmpdir=${folder}`, `--init-file=${firstStatements}`],
    ...['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'pid')}`],
    ...['--skip-name-resolve', '--skip-log-bin', '--local-infile=1', '--character-set-server=utf8mb4'],
    ...['--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=256M', '--max-allowed-packet=64M'],
    ...(options.settings ?? []),
  ];
  server.begin({
    prepare: ['mariadb-install-db', '--no-defaults', datadir, '--auth-root-authentication-method=normal', '--skip-test-db'],
    serve: options.isRevived === true ? revived(serve) : serve,
  });
  const host = '127.0.0.1';
  const url = `mysql://${user}:${password}@${host}:${port}`;
  await answering('MariaDB', server, () => onServer(url, (connection) => connection.ping()));
  return {
    ...mariadbAccess({ host, port, user, password, url, databasePrefix: '' }),
    kill: (downSeconds) => killRevived(folder, downSeconds),
    async stop() {
      await server.stop();
    },
  };
}

/** A server that is not ours: we own only the databases under a unique prefix. */
async function borrowServer(givenUrl: string): Promise<MariadbServer> {
  const parsed = new URL(givenUrl);
  const facts: MariadbFacts = {
    host: parsed.hostname,
    port: Number(parsed.port || 3306),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    url: `mysql://${parsed.username}:${parsed.password}@${parsed.host}`,
    databasePrefix: `dray_test_${randomBytes(4).toString('hex')}_`,
  };
  await onServer(facts.url, (connection) => connection.ping()).catch((cause: unknown) => {
    throw new Error(`The server of DRAY_TEST_MYSQL_URL (${parsed.host}) does not let us in.`, { cause });
  });
  return {
    ...mariadbAccess(facts),
    kill() {
      throw new Error('The server of DRAY_TEST_MYSQL_URL is not ours to kill.');
    },
    stop: () =>
      onServer(facts.url, async (connection) => {
        // Not SHOW DATABASES LIKE: "_" in the prefix would be a wildcard.
        const [rows] = await connection.query<mysql.RowDataPacket[]>(
          'SELECT schema_name AS name FROM information_schema.schemata WHERE LEFT(schema_name, CHAR_LENGTH(?)) = ?',
          [facts.databasePrefix, facts.databasePrefix],
        );
        for (const row of rows) await connection.query(`DROP DATABASE ${mysql.escapeId(String(row.name))}`);
      }),
  };
}

async function onServer(url: string, work: (connection: mysql.Connection) => Promise<unknown>): Promise<void> {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 5000 });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}
