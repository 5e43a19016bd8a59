import type { tls, z } from 'dray/sdk';
import pg from 'pg';
import { type Address, parseJdbcUrl } from '../_sql/jdbc-url.ts';
import { firstThatAnswers, runStatements } from '../_sql/parts.ts';
import { tlsOptions } from '../_sql/tls-options.ts';
import { connectFault } from './faults.ts';

export interface ConnectionOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly session?: string[] | undefined;
  readonly tls: z.output<ReturnType<typeof tls>>;
}

export type Client = pg.Client;

const connectTimeoutMs = 10_000;

/** Canonical texts come out of, and go into, a session set like this. extra_float_digits 3 is the shortest exact text since version 12. */
const canonicalSession = [
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  'SET extra_float_digits = 3',
  "SET bytea_output = 'hex'",
  'SET standard_conforming_strings = on',
  'SET statement_timeout = 0',
  'SET idle_in_transaction_session_timeout = 0',
].join('; ');

function addressOf(jdbcUrl: string): Address {
  return parseJdbcUrl(jdbcUrl, ['postgresql', 'postgres'], 5432);
}

/** Connects to the first of several addresses that answers. */
export async function connectFirst(jdbcUrls: readonly string[], options: ConnectionOptions): Promise<Client> {
  return firstThatAnswers(jdbcUrls, (jdbcUrl) => connect(addressOf(jdbcUrl), options));
}

async function connect(address: Address, options: ConnectionOptions): Promise<Client> {
  const { host, port, database, parameters } = address;
  const wantsTls = options.tls !== false || parameters.ssl === 'true' || /^(require|verify-)/.test(parameters.sslmode ?? '');
  const client = new pg.Client({
    host,
    port,
    database,
    user: options.username ?? address.user,
    password: options.password ?? address.password ?? '',
    ssl: tlsOptions(options.tls === false ? wantsTls : options.tls, host),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: 'dray',
  });
  // Without a listener a connection lost while idle would end the program; the next query reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(canonicalSession);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw connectFault(error, `PostgreSQL at ${host}:${port}`, { user: options.username ?? address.user, database });
  }
  try {
    await runStatements(options.session, { when: 'session', table: '', query: (sql) => client.query(sql) });
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

/**
 * Stops what the client is doing at the server when the signal fires: a closed socket alone leaves a query running that waits for a lock
 * or computes. Returns a function that ends the watch.
 */
export function cancelOnAbort(client: Client, signal: AbortSignal): () => void {
  const cancel = () => void cancelQuery(client);
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}

async function cancelQuery(client: Client): Promise<void> {
  const { processID } = client as unknown as { processID: number | null };
  if (processID === null) return;
  const { host, port, database, user, password, ssl } = client as unknown as pg.ClientConfig;
  const other = new pg.Client({
    ...(host === undefined ? {} : { host }),
    port,
    database,
    user,
    password,
    ssl,
    connectionTimeoutMillis: 3000,
  });
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [processID]);
  } catch {
    // The server cannot be reached any more: closing our end is all that is left.
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  } finally {
    await other.end().catch(() => undefined);
  }
}

/** Closes a connection, at once if it is still busy. */
export async function disconnect(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}

/** `a"b` → `"a""b"` */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
