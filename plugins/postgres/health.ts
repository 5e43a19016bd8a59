import type { PluginContext, SourceHealth } from 'dray/sdk';
import { canaryMs, HealthQuestions, tightest } from '../_sql/health.ts';
import { Servers } from '../_sql/servers.ts';
import { type Client, type ConnectionOptions, connectFirst, disconnect } from './connection.ts';

interface Options extends ConnectionOptions {
  readonly connection: readonly { readonly jdbcUrl: readonly string[] }[];
}

export function serversOf({ connection }: Options): Servers {
  return new Servers({ kind: 'postgres', schemes: ['postgresql', 'postgres'], defaultPort: 5432 }, connection);
}

/** Questions about the health of the servers of a reader or writer. */
export function healthQuestions(servers: Servers, options: Options, context: PluginContext): HealthQuestions<Client> {
  return new HealthQuestions<Client>({
    servers,
    connect: (jdbcUrl, dropped) => connectFirst([jdbcUrl], { ...options, session: undefined }, AbortSignal.any([context.signal, dropped])),
    close: disconnect,
    look,
  });
}

/** Others' state is shown to those who may read all statistics; without that right nobody seems to work. */
const runningSql = `SELECT count(*) AS running FROM pg_stat_activity
  WHERE state = 'active' AND pid <> pg_backend_pid() AND datid IS NOT NULL
  HAVING pg_has_role('pg_read_all_stats', 'USAGE')`;

/** Those that are reserved are not ours. Backends of all databases are counted for everybody. */
const serverSql = `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int AS most,
  (SELECT sum(numbackends) FROM pg_stat_database) AS used`;

/** Limits of the user and of the database; -1 is none. */
const ownSql = `SELECT rolconnlimit AS most, (SELECT count(*) FROM pg_stat_activity WHERE usename = session_user) AS used
    FROM pg_roles WHERE rolname = session_user
  UNION ALL
  SELECT datconnlimit, numbackends FROM pg_database JOIN pg_stat_database ON datid = oid WHERE pg_database.datname = current_database()`;

/**
 * Of a standby: the age of what it has replayed last, unless it has replayed all it has received. Of a primary: that of its last standby; without rights on
 * statistics it is not shown.
 */
const lagSql = `SELECT CASE
    WHEN NOT pg_is_in_recovery() THEN (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication)
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
  END AS lag`;

async function look(client: Client): Promise<SourceHealth> {
  const canary = await canaryMs(() => client.query('SELECT 1'));
  const [running] = await figures<{ running: string }>(client, runningSql);
  const limits = [...(await figures<Limit>(client, serverSql)), ...(await figures<Limit>(client, ownSql))];
  const [replica] = await figures<{ lag: string | null }>(client, lagSql);
  return {
    canaryMs: canary,
    threadsRunning: running === undefined ? undefined : Number(running.running),
    replicaLagSeconds: replica?.lag == null ? undefined : Number(replica.lag),
    ...tightest(limits.map(({ most, used }) => ({ most: Number(most), used: Number(used) }))),
  };
}

interface Limit {
  readonly most: number;
  readonly used: string;
}

/** None if the server refuses the statement, for want of a right or because it does not know what is in it. A connection that is lost is no refusal. */
async function figures<R extends object>(client: Client, sql: string): Promise<R[]> {
  try {
    return (await client.query<R>(sql)).rows;
  } catch (error) {
    // Class 42: no right, no such thing, no such syntax. https://www.postgresql.org/docs/current/errcodes-appendix.html
    if ((error as { code?: string }).code?.startsWith('42')) return [];
    throw error;
  }
}
