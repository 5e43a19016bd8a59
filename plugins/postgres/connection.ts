import { Socket } from 'node:net';
import type { tls, z } from 'dray/sdk';
import pg from 'pg';
import { type Address, parseJdbcUrl } from '../_sql/jdbc-url.ts';
import { firstThatAnswers, returnZero, runStatements } from '../_sql/parts.ts';
import { tlsOptions } from '../_sql/tls-options.ts';
import { noticeTimes } from './binary-forms.ts';
import { connectFault, serverFault } from './faults.ts';

export interface ConnectionOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly session?: string[] | undefined;
  readonly tls: z.output<ReturnType<typeof tls>>;
}

export type Client = pg.Client;

const connectTimeoutMs = 10_000;
const besideTimeoutMs = 3000;
const disconnectTimeoutMs = 2000;

/** Canonical texts come out of, and go into, a session set like this. extra_float_digits 3 is the shortest exact text since version 12. */
const canonicalForms = [
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  'SET extra_float_digits = 3',
  "SET bytea_output = 'hex'",
  'SET standard_conforming_strings = on',
].join('; ');

const canonicalSession = [canonicalForms, 'SET statement_timeout = 0', 'SET idle_in_transaction_session_timeout = 0'].join('; ');

function addressOf(jdbcUrl: string): Address {
  return parseJdbcUrl(jdbcUrl, ['postgresql', 'postgres'], 5432);
}

/** Connects to the first of several addresses that answers. When the signal fires, the session is ended at the server, too. */
export async function connectFirst(jdbcUrls: readonly string[], options: ConnectionOptions, signal: AbortSignal): Promise<Client> {
  return firstThatAnswers(jdbcUrls, (jdbcUrl) => connect(addressOf(jdbcUrl), options, signal));
}

/** The same for a reader, whose `preSql` decides whether a database is used: see `returnZero`. */
export async function connectReader(
  jdbcUrls: readonly string[],
  options: ConnectionOptions & { readonly preSql?: string[] | undefined },
  signal: AbortSignal,
): Promise<Client> {
  const { preSql = [] } = options;
  if (preSql.length === 0) return connectFirst(jdbcUrls, options, signal);
  return firstThatAnswers(jdbcUrls, (jdbcUrl) => connect(addressOf(jdbcUrl), options, signal), {
    check: (client) =>
      returnZero(preSql, async (text) => {
        try {
          return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
        } catch (error) {
          throw serverFault(error, 'run a query of "preSql"');
        }
      }),
    close: disconnect,
  });
}

async function connect(address: Address, options: ConnectionOptions, signal: AbortSignal): Promise<Client> {
  signal.throwIfAborted();
  const { host, port, database, parameters } = address;
  const wantsTls = options.tls !== false || parameters.ssl === 'true' || /^(require|verify-)/.test(parameters.sslmode ?? '');
  const client = new pg.Client({
    host,
    port,
    database,
    user: options.username ?? address.user,
    password: options.password ?? address.password ?? '',
    ssl: tlsOptions(options.tls === false ? wantsTls : options.tls, host),
    // By itself pg finds out first whether it runs at Cloudflare, for which Node loads its HTTP client: 20 ms.
    stream: () => new Socket(),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: 'dray',
  });
  noticeTimes(client);
  // Without a listener a connection lost while idle would end the program; the next query reports it.
  client.on('error', () => undefined);
  endOnAbort(client, signal);
  try {
    await client.connect();
    await client.query({ text: canonicalSession, query_timeout: connectTimeoutMs } as pg.QueryConfig);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw connectFault(error, `PostgreSQL at ${host}:${port}`, { user: options.username ?? address.user, database });
  }
  // A server that has ended the session may let go of it late; pg would wait until it has taken what we still write.
  socketOf(client).once('end', () => socketOf(client).destroy());
  try {
    // As the JDBC driver does with this parameter.
    const { currentschema } = parameters;
    if (currentschema !== undefined && currentschema !== '')
      await client.query("SELECT set_config('search_path', $1, false)", [currentschema]);
    await runStatements(options.session, { when: 'session', table: '', query: (sql) => client.query(sql), explain: serverFault });
    // Statements of the user must not change what values mean on their way.
    if (options.session !== undefined) await client.query(canonicalForms);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

/**
 * Ends the session at the server when the signal fires: a closed socket alone leaves a statement running that waits for a lock or computes,
 * and cancelling the statement would miss the one that is sent next.
 */
function endOnAbort(client: Client, signal: AbortSignal): void {
  const end = () => void terminate(client);
  signal.addEventListener('abort', end, { once: true });
  client.once('end', () => signal.removeEventListener('abort', end));
}

/** Ends a session at the server, whatever it is doing, and the connection. */
export async function terminate(client: Client): Promise<void> {
  const pid = sessionOf(client);
  if (pid !== null) {
    // If the server cannot be reached any more, closing our end is all that is left.
    await beside(client, async (other) => {
      // The number of a session that is gone may be another one's by now.
      await other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = 'dray'", [pid]);
    }).catch(() => undefined);
  }
  socketOf(client).destroy();
}

/** Number of the server's process of a session, which is what its catalogs call it; null before it has begun. */
export function sessionOf(client: Client): number | null {
  return (client as unknown as { processID: number | null }).processID;
}

/** The statement that waits for its answer; undefined if none does. */
export function pendingStatement(client: Client): unknown {
  return (client as unknown as { _activeQuery: unknown })._activeQuery ?? undefined;
}

/** Bytes that the kernel has not taken yet from us. */
export function unsentBytes(client: Client): number {
  return socketOf(client).writableLength;
}

function socketOf(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Does something on a second connection to the server of a session that does not answer, or is gone. */
export async function beside<T>(client: Client, work: (other: Client) => Promise<T>): Promise<T> {
  const { host, port, database, user, password, ssl } = client as unknown as pg.ClientConfig;
  const other = new pg.Client({
    ...(host === undefined ? {} : { host }),
    port,
    database,
    user,
    password,
    ssl,
    connectionTimeoutMillis: besideTimeoutMs,
    query_timeout: besideTimeoutMs,
  });
  other.on('error', () => undefined);
  try {
    await other.connect();
    return await work(other);
  } finally {
    await disconnect(other);
  }
}

/** Closes a connection, at once if it is still busy; a server that does not answer is not waited for. */
export async function disconnect(client: Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  let giveUp: NodeJS.Timeout | undefined;
  const waitedLong = new Promise<void>((resolve) => {
    giveUp = setTimeout(() => {
      socketOf(client).destroy();
      resolve();
    }, disconnectTimeoutMs);
  });
  await Promise.race([ended, waitedLong]);
  clearTimeout(giveUp);
}

/** `a"b` → `"a""b"` */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal; standard_conforming_strings is on. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
