import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import { DrayError, type tls, watchOver, type z } from 'dray/sdk';
import mysql, { type Connection, type ConnectionOptions as DriverOptions, type ResultSetHeader, type RowDataPacket } from 'mysql2';
import { parseJdbcUrl } from '../_sql/jdbc-url.ts';
import { firstThatAnswers, returnZero, runStatements } from '../_sql/parts.ts';
import { certifiedName, tlsOptions } from '../_sql/tls-options.ts';
import { askAside } from './aside.ts';
import { connectFault, serverFault } from './faults.ts';
import type { LocalFile } from './local-file.ts';
import { isWorthWaitingFor } from './session-watch.ts';

export interface ConnectionOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly session?: string[] | undefined;
  readonly tls: z.output<ReturnType<typeof tls>>;
}

const connectTimeoutMs = 10_000;
const closeGraceMs = 1000;

/**
 * TIMESTAMP columns are read and written in UTC; a slow other side must not make the server give up on us (default 60 s). Zero dates may be
 * bounds of ranges. MySQL 8 remembers the sizes of tables for a day; MariaDB does not read comments of that version.
 */
const readerSession = `SET time_zone = '+00:00', net_write_timeout = 86400,
  sql_mode = REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', 'NO_ENGINE_SUBSTITUTION'), 'NO_ZERO_DATE', 'NO_ENGINE_SUBSTITUTION')
  /*!80000 , information_schema_stats_expiry = 0 */`;

/**
 * Strict for every engine, zero dates allowed (they are values of this system), 0 in an AUTO_INCREMENT column stays 0. Backslash escapes
 * and quotes mean what the batches rely on, and transactions begin and end where we say, whatever the server's default. A slow source must
 * not make the server give up on us, nor a task that is one statement.
 */
const writerSession =
  "SET time_zone = '+00:00', net_read_timeout = 86400, wait_timeout = 86400, autocommit = 1, completion_type = 'NO_CHAIN', sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO' /*!80000 , information_schema_stats_expiry = 0 */ /*M!100101 , max_statement_time = 0 */";

/** `sql_mode` as the user wants it, with what is written here understood as it is meant. */
const withoutSurprises = "REPLACE(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), 'PAD_CHAR_TO_FULL_LENGTH', '')";
const readerFormats = `SET time_zone = '+00:00', sql_mode = ${withoutSurprises}`;
const writerFormats = `SET time_zone = '+00:00', autocommit = 1, completion_type = 'NO_CHAIN',
  sql_mode = CONCAT(${withoutSurprises}, ',STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO')`;

/** An open connection. */
export interface Session {
  readonly connection: Connection;
  readonly socket: Socket;
  /** Of several addresses the one that answered. */
  readonly server: { readonly host: string; readonly port: number };
  readonly database: string;
  /** Runs a statement; rows as arrays of texts. */
  query(sql: string): Promise<string[][]>;
  /** The same with the names of the result's columns. */
  records(sql: string): Promise<Record<string, string | null>[]>;
  /** Runs a statement that changes something, or several separated by semicolons; returns the result of the last. */
  execute(sql: string, local?: LocalFile): Promise<ResultSetHeader>;
  /** Since when the server owes us an answer, or room for more of a file; of `performance.now()`. undefined: it does not. */
  readonly askedAt: number | undefined;
  /** Runs a statement on a connection opened for it alone: this one may be busy, or dead. Rejects if that takes longer than eight seconds. */
  aside(sql: string): Promise<string[][]>;
  /** False once the connection was closed, by whomever. */
  readonly isOpen: boolean;
  /** Ends the session at the server, whatever it is doing, and the connection. Never rejects. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to the first of several addresses that answers. When the signal fires, the session is ended at the server, too. */
export async function connectFirst(
  jdbcUrls: readonly string[],
  options: ConnectionOptions,
  { role, signal }: { role: 'reader' | 'writer'; signal: AbortSignal },
): Promise<Session> {
  return firstThatAnswers(jdbcUrls, (jdbcUrl) => connect(jdbcUrl, options, role, signal));
}

export interface ReaderChoice {
  /** See `returnZero`. */
  readonly preSql?: string[] | undefined;
  /** Replicas that are behind are passed over. */
  readonly checkSlave?: boolean;
}

/** The same for a reader, whose `preSql` and `checkSlave` decide whether a database is used. A writer's `preSql` is another thing: it changes data. */
export async function connectReader(
  jdbcUrls: readonly string[],
  options: ConnectionOptions & ReaderChoice,
  signal: AbortSignal,
): Promise<Session> {
  const { preSql = [], checkSlave = false } = options;
  if (preSql.length === 0 && !checkSlave) return connectFirst(jdbcUrls, options, { role: 'reader', signal });
  return firstThatAnswers(jdbcUrls, (jdbcUrl) => connect(jdbcUrl, options, 'reader', signal), {
    // As in DataX, "preSql" takes the place of "checkSlave".
    check: (session) => (preSql.length === 0 ? isUpToDate(session) : fitsPreSql(session, preSql)),
    close: (session) => session.close(),
  });
}

async function fitsPreSql(session: Session, preSql: readonly string[]): Promise<boolean> {
  return returnZero(preSql, (sql) =>
    session.query(sql).catch((error: unknown) => {
      throw serverFault(error, 'run a query of "preSql"');
    }),
  );
}

/** A server that cannot be written to is a replica; it is of use while it replicates and is not behind (DataX's DBUtil.isSlaveBehind). */
async function isUpToDate(session: Session): Promise<boolean> {
  const [[readOnly] = []] = await session.query('SELECT @@read_only');
  if (readOnly === '0') return true;
  const [status] = await session.records('SHOW SLAVE STATUS').catch(() => session.records('SHOW REPLICA STATUS').catch(() => []));
  if (status === undefined) return true;
  const { Slave_IO_Running, Slave_SQL_Running, Seconds_Behind_Master } = status;
  const { Replica_IO_Running, Replica_SQL_Running, Seconds_Behind_Source } = status;
  const isRunning = (Slave_IO_Running ?? Replica_IO_Running) === 'Yes' && (Slave_SQL_Running ?? Replica_SQL_Running) === 'Yes';
  return isRunning && (Seconds_Behind_Master ?? Seconds_Behind_Source) === '0';
}

async function connect(jdbcUrl: string, options: ConnectionOptions, role: 'reader' | 'writer', signal: AbortSignal): Promise<Session> {
  signal.throwIfAborted();
  const { host, port, database, user, password, parameters } = parseJdbcUrl(jdbcUrl, ['mysql', 'mariadb'], 3306);
  const wantsTls = options.tls !== false || parameters.usessl === 'true' || /^(required|verify_)/i.test(parameters.sslmode ?? '');
  const ssl = tlsOptions(options.tls === false ? wantsTls : options.tls, host);
  const login = { user: options.username ?? user ?? '', password: options.password ?? password ?? '' };
  const driverOptions: DriverOptions = {
    // The driver verifies the certificate against this name, the socket goes to the true one.
    host: certifiedName(options.tls, host),
    stream: () => socketTo(host, port),
    database,
    ...login,
    charset: 'utf8mb4',
    connectTimeout: connectTimeoutMs,
    supportBigNumbers: true,
    bigNumberStrings: true,
    multipleStatements: role === 'writer',
    dateStrings: true,
    ...(ssl === false ? {} : { ssl: { ...(ssl as DriverTls), verifyIdentity: ssl.rejectUnauthorized === true } }),
  };
  const connection = mysql.createConnection(driverOptions);
  const session = sessionOf(connection, { host, port }, database, driverOptions);
  endOnAbort(session, signal);
  // A reader may rightly let its server wait; not yet while the session begins.
  const unwatch = watchOver(
    [{ side: role === 'reader' ? 'source' : 'target', movement: () => session.askedAt, isAlive: () => isWorthWaitingFor(session) }],
    () => void session.kill(),
  );
  socketOf(connection).once('close', unwatch);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error === null ? resolve() : reject(error)));
    });
    // Without a listener a connection lost while idle would end the program; the next query reports it.
    connection.on('error', () => undefined);
    // A server that has killed the session says that it is done, and may take long to let go; the driver would wait until it has taken what we still write.
    const socket = socketOf(connection);
    socket.once('end', () => socket.destroy());
    await session.execute(role === 'reader' ? readerSession : writerSession);
  } catch (error) {
    socketOf(connection).destroy();
    throw connectFault(error, `MySQL at ${host}:${port}`, { user: login.user, database });
  }
  try {
    await runStatements(options.session, { when: 'session', table: '', query: (sql) => session.execute(sql), explain: serverFault });
    // Statements of the user must not change what values mean on their way, or let the server bend them.
    if (options.session !== undefined) await session.execute(role === 'reader' ? readerFormats : writerFormats);
  } catch (error) {
    socketOf(connection).destroy();
    throw error;
  }
  if (role === 'reader') unwatch();
  return session;
}

type DriverTls = Exclude<NonNullable<DriverOptions['ssl']>, string>;

/**
 * The driver says no more than a servername to node:tls, and for an IP address not even that, so that the certificate would have to be for
 * "localhost": node:tls then looks for the name that the socket itself was opened with.
 */
function socketTo(host: string, port: number): Socket {
  const socket = openSocket({ host, port, keepAlive: true, noDelay: true });
  return Object.assign(socket, { _host: host });
}

function sessionOf(connection: Connection, server: Session['server'], database: string, driverOptions: DriverOptions): Session {
  const asked: { readonly pendingSince: number | undefined }[] = [];
  const answer = async <T>(send: (settle: (error: Error | null, result: T) => void) => void, local?: LocalFile): Promise<T> => {
    asked.push(local ?? { pendingSince: performance.now() });
    try {
      return await new Promise((resolve, reject) => {
        send((error, result) => (error === null ? resolve(result) : reject(error)));
      });
    } finally {
      asked.shift();
    }
  };
  return {
    connection,
    get socket() {
      return socketOf(connection);
    },
    server,
    database,
    query: (sql) =>
      answer((settle) => {
        connection.query<RowDataPacket[]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() }, (error, rows) =>
          settle(error, rows as unknown as string[][]),
        );
      }),
    records: (sql) =>
      answer((settle) => {
        connection.query<RowDataPacket[]>({ sql, typeCast: (field) => field.string() }, (error, rows) => settle(error, rows));
      }),
    execute: (sql, local) =>
      answer((settle) => {
        const file = local === undefined ? {} : { infileStreamFactory: local.factory };
        connection.query<ResultSetHeader | ResultSetHeader[]>({ sql, ...file }, (error, result) => settle(error, [result].flat().at(-1)!));
      }, local),
    get askedAt() {
      return asked[0]?.pendingSince;
    },
    get isOpen() {
      return !socketOf(connection).destroyed;
    },
    aside: (sql) => askAside(driverOptions, sql),
    async kill() {
      // Null as long as the server has not greeted us.
      const threadId = connection.threadId as number | null;
      if (threadId !== null) await askAside(driverOptions, `KILL CONNECTION ${threadId}`).catch(() => undefined);
      // Rows that are on their way already are not worth reading.
      socketOf(connection).destroy();
    },
    async close() {
      const stream = socketOf(connection);
      if (stream.destroyed) return;
      // A socket that the server has ended fails when it says goodbye.
      const closed = once(stream, 'close').catch(() => undefined);
      connection.end();
      // A connection in the middle of a result would first read it to its end.
      const timer = setTimeout(() => stream.destroy(), closeGraceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/**
 * Ends the session at the server when the signal fires: the driver would read a running result to its end, a closed socket alone leaves a
 * statement running that waits for a lock, and ending only the statement would miss the one that is sent next.
 */
function endOnAbort(session: Session, signal: AbortSignal): void {
  const end = () => void session.kill();
  signal.addEventListener('abort', end, { once: true });
  socketOf(session.connection).once('close', () => signal.removeEventListener('abort', end));
}

/** The driver's own destroy() only ends its half of the socket, and a paused one then stays open. */
function socketOf(connection: Connection): Socket {
  return (connection as unknown as { stream: Socket }).stream;
}

/** Whether the server is MySQL from this version on, or MariaDB from that one on; no version: it is not. */
export async function isFrom(
  session: Session,
  least: { readonly mysql?: readonly [major: number, minor: number]; readonly mariadb?: readonly [major: number, minor: number] },
): Promise<boolean> {
  const [[version = ''] = []] = await session.query('SELECT VERSION()');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const from = /mariadb/i.test(version) ? least.mariadb : least.mysql;
  return from !== undefined && (major > from[0] || (major === from[0] && minor >= from[1]));
}

/** `` a`b `` → `` `a``b` `` */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A text literal; the session's sql_mode has backslash escapes on. */
export function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/** The table's name as the server writes it: `database.table`, or just `table`, quoted or not. */
export function splitTableName(name: string, database: string): { database: string; table: string } {
  const parts = [...name.matchAll(/`((?:[^`]|``)+)`|([^.`]+)/g)].map(([, quoted, plain]) => quoted?.replaceAll('``', '`') ?? plain!);
  const [first, second, third] = parts;
  if (first === undefined || third !== undefined) throw new DrayError('JOB_INVALID', `"${name}" is not the name of a table`);
  return second === undefined ? { database, table: first } : { database: first, table: second };
}
