import type { PluginContext, SourceHealth } from 'dray/sdk';
import { canaryMs, HealthQuestions, tightest } from '../_sql/health.ts';
import { Servers } from '../_sql/servers.ts';
import { type ConnectionOptions, connectFirst, type Session } from './connection.ts';

interface Options extends ConnectionOptions {
  readonly connection: readonly { readonly jdbcUrl: readonly string[] }[];
}

export function serversOf({ connection }: Options): Servers {
  return new Servers({ kind: 'mysql', schemes: ['mysql', 'mariadb'], defaultPort: 3306 }, connection);
}

/** Questions about the health of the servers of a reader or writer. */
export function healthQuestions(servers: Servers, options: Options, context: PluginContext): HealthQuestions<Session> {
  return new HealthQuestions<Session>({
    servers,
    connect: (jdbcUrl, dropped) =>
      connectFirst([jdbcUrl], { ...options, session: undefined }, { role: 'reader', signal: AbortSignal.any([context.signal, dropped]) }),
    close: (session) => session.close(),
    look,
  });
}

async function look(session: Session): Promise<SourceHealth> {
  const canary = await canaryMs(() => session.query('SELECT 1'));
  const status = await optional(() => session.query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Threads_connected')"));
  const figures = new Map(status?.map(([name = '', value]) => [name.toLowerCase(), Number(value)]));
  const running = figures.get('threads_running');
  return {
    canaryMs: canary,
    // This question is one of them.
    threadsRunning: running === undefined ? undefined : Math.max(0, running - 1),
    replicaLagSeconds: await replicaLag(session),
    ...(await connections(session, figures.get('threads_connected'))),
  };
}

/** Of the server, and of our account if it has a limit of its own. */
async function connections(session: Session, connected: number | undefined): Promise<ReturnType<typeof tightest>> {
  const [[server, account] = []] = (await optional(() => session.query('SELECT @@max_connections, @@max_user_connections'))) ?? [];
  const limits = server === undefined || connected === undefined ? [] : [{ most: Number(server), used: connected }];
  if (Number(account ?? 0) > 0) {
    // Without the right PROCESS it shows those of our account only.
    const own = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1)";
    const [[used] = []] = (await optional(() => session.query(own))) ?? [];
    if (used !== undefined) limits.push({ most: Number(account), used: Number(used) });
  }
  return tightest(limits);
}

/** The first is MariaDB's, for several primaries; the last one was the only one before MySQL 8.0.22 and MariaDB 10.5. */
const replicaStatements = ['SHOW ALL SLAVES STATUS', 'SHOW REPLICA STATUS', 'SHOW SLAVE STATUS'];
/** The one that a server understands and allows us; null: there is none. */
const understood = new WeakMap<Session, string | null>();

/** How far this server is behind its primaries. Undefined: it has none, does not follow them just now, or we may not know. */
async function replicaLag(session: Session): Promise<number | undefined> {
  const known = understood.get(session);
  for (const statement of known === undefined ? replicaStatements : known === null ? [] : [known]) {
    const rows = await optional(() => session.records(statement));
    if (rows === undefined) continue;
    understood.set(session, statement);
    const lags = rows.flatMap((row) => row.Seconds_Behind_Source ?? row.Seconds_Behind_Master ?? []).map(Number);
    return lags.length === 0 ? undefined : Math.max(...lags);
  }
  understood.set(session, null);
  return undefined;
}

/** undefined: the server refuses the statement, for want of a right or because it does not know it. A connection that is lost is no refusal. */
async function optional<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const { sqlState = '' } = error as { sqlState?: string };
    // https://mariadb.com/kb/en/mariadb-error-code-reference/: no right, no such thing, no such syntax.
    if (sqlState.startsWith('42') || sqlState === 'HY000') return undefined;
    throw error;
  }
}
